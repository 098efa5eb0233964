#include "net/httpline.h"

#include "core/mem.h"

#include <string.h>

/* RFC 4648, 4: 1 to 3 bytes as 4 characters. */
static int send_base64(struct tsk_talk *t, const uint8_t in[3], size_t n,
                       tlsock_error *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"
                                 "ghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = (unsigned)in[0] << 16;
    char out[4];
    int rc;

    if (n > 1)
        bits |= (unsigned)in[1] << 8;
    if (n > 2)
        bits |= in[2];
    out[0] = digits[bits >> 18];
    out[1] = digits[bits >> 12 & 63];
    out[2] = n > 1 ? digits[bits >> 6 & 63] : '=';
    out[3] = n > 2 ? digits[bits & 63] : '=';
    rc = tsk_talk_secret(t, out, sizeof(out), err);
    tsk_wipe(out, sizeof(out));
    return rc;
}

/* Joined nowhere but in `out`, which is wiped. */
int tsk_http_login(struct tsk_talk *t, const struct tsk_proxy *p,
                   tlsock_error *err)
{
    size_t user = strlen(p->user), total = user + 1 + strlen(p->password);
    uint8_t three[3];
    size_t n = 0;
    int rc = tsk_talk_say(t, err, "Proxy-Authorization: Basic ");

    for (size_t i = 0; i < total && rc == TLSOCK_OK; i++) {
        three[n++] = (uint8_t)(i < user    ? p->user[i]
                               : i == user ? ':'
                                           : p->password[i - user - 1]);
        if (n == 3 || i + 1 == total) {
            rc = send_base64(t, three, n, err);
            n = 0;
        }
    }
    tsk_wipe(three, sizeof(three));
    return rc == TLSOCK_OK ? tsk_talk_say(t, err, "\r\n") : rc;
}

int tsk_http_status(const char *line)
{
    static const char shape[] = "HTTP/1.d ddd";
    int status = 0;

    for (size_t i = 0; i < sizeof(shape) - 1; i++) {
        int digit = line[i] >= '0' && line[i] <= '9';

        if (shape[i] == 'd' ? !digit : line[i] != shape[i])
            return -1;
        if (i >= 9)
            status = status * 10 + (line[i] - '0');
    }
    if (line[12] != '\0' && line[12] != ' ')
        return -1;
    return status >= 100 ? status : -1;
}

size_t tsk_http_token(const char *p)
{
    return strspn(p, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}
