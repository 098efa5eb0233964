#include "net/addr.h"

#include "core/str.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <stdio.h>
#include <string.h>

/* Longer input cannot become a name of 253 bytes: each A-label of at most 63
 * bytes stands for fewer characters than that, of at most 4 bytes. */
#define TYPED_MAX 1024

int tsk_ip_parse(const char *text, uint8_t out[16])
{
    if (inet_pton(AF_INET, text, out) == 1)
        return 4;
    if (inet_pton(AF_INET6, text, out) == 1)
        return 6;
    return 0;
}

/* Each connection shows an address or two: printf() takes ten times as long. */
void tsk_ip_text(char *out, int version, const uint8_t *ip)
{
    if (version == 6) {
        inet_ntop(AF_INET6, ip, out, INET6_ADDRSTRLEN);
        return;
    }
    for (int i = 0; i < 4; i++) {
        out += tsk_decimal(out, ip[i]);
        *out++ = i < 3 ? '.' : '\0';
    }
}

static int bad(tlsock_error *err, const char *host, const char *why)
{
    char shown[128];

    tsk_printable(shown, sizeof(shown), host, strlen(host));
    tsk_fail(err, TLSOCK_E_ARGUMENT, "host name \"%s\" %s", shown, why);
    tsk_hint(err, "a host is a DNS name such as www.example.com, an IPv4 "
                  "address such as 192.0.2.1, or an IPv6 address such as "
                  "2001:db8::1");
    return TLSOCK_E_ARGUMENT;
}

/* "0x7f" and "127" are numbers to old resolvers (inet_aton), which would read
 * a name that ends in one as an IPv4 address. */
static int is_number(const char *label, size_t len)
{
    size_t i = 0;

    if (len >= 2 && label[0] == '0' && label[1] == 'x') {
        for (i = 2; i < len && strchr("0123456789abcdef", label[i]); i++)
            ;
        return i == len;
    }
    while (i < len && label[i] >= '0' && label[i] <= '9')
        i++;
    return i == len;
}

/* What is wrong with a lower-case ASCII name without its final dot, or NULL. */
static const char *fault(const char *name)
{
    size_t total = strlen(name), len;

    if (total == 0)
        return "is empty";
    if (total > 253)
        return "is longer than 253 bytes";
    if (name[0] == '.')
        return "begins with a dot";
    for (const char *label = name;; label += len + 1) {
        len = strcspn(label, ".");
        if (len == 0)
            return "has an empty label (two dots in a row)";
        if (len > 63)
            return "has a label longer than 63 bytes";
        if (strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") < len)
            return "has characters that no host name has";
        if (label[len] == '\0')
            return is_number(label, len)
                       ? "ends in a number but is no IP address"
                       : NULL;
    }
}

/* Lower case; 1 if all of it is ASCII. */
static int copy_lower(char out[256], const char *host)
{
    size_t i;

    for (i = 0; i < 255 && host[i] != '\0'; i++) {
        char c = host[i];

        if ((unsigned char)c >= 0x80)
            return 0;
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    out[i] = '\0';
    return 1;
}

/* RFC 5891 with the mapping of UTS 46, non-transitional. */
static int to_alabels(char out[256], const char *host, tlsock_error *err)
{
    char *ascii = NULL;
    char why[96];
    int rc =
        idn2_to_ascii_8z(host, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

    if (rc == IDN2_MALLOC)
        return tsk_fail_nomem(err);
    if (rc != IDN2_OK) {
        snprintf(why, sizeof(why), "is no valid IDN: %s", idn2_strerror(rc));
        return bad(err, host, why);
    }
    copy_lower(out, ascii);
    idn2_free(ascii);
    return TLSOCK_OK;
}

/* The forms that deserve a word of their own. */
static const char *misread(const char *host)
{
    if (host[0] == '\0')
        return "is empty";
    if (strcmp(host, ".") == 0)
        return "is only a dot";
    if (strpbrk(host, "[]") != NULL)
        return "has brackets, which belong around an IPv6 address with a port";
    if (strchr(host, '%') != NULL)
        return "has a '%': address zones are not supported";
    if (strchr(host, ':') != NULL)
        return "has a colon but is no IPv6 address";
    if (strchr(host, '*') != NULL)
        return "has a '*', which belongs into certificates alone";
    return NULL;
}

static int all_ascii(const char *s)
{
    while (*s != '\0' && (unsigned char)*s < 0x80)
        s++;
    return *s == '\0';
}

int tsk_host_normalise(char out[256], const char *host, tlsock_error *err)
{
    uint8_t ip[16];
    size_t len = strnlen(host, TYPED_MAX + 1);
    const char *why;
    int rc, family = len < INET6_ADDRSTRLEN ? tsk_ip_parse(host, ip) : 0;

    out[0] = '\0';
    if (family != 0) {
        tsk_ip_text(out, family, ip);
        return TLSOCK_OK;
    }
    why = misread(host);
    if (why == NULL && (len > TYPED_MAX || (len > 254 && all_ascii(host))))
        why = "is longer than 253 bytes";
    if (why != NULL)
        return bad(err, host, why);
    if (!copy_lower(out, host)) {
        rc = to_alabels(out, host, err);
        if (rc != TLSOCK_OK) {
            out[0] = '\0';
            return rc;
        }
    }
    len = strlen(out);
    if (len > 1 && out[len - 1] == '.')
        out[len - 1] = '\0';
    why = fault(out);
    if (why == NULL)
        return TLSOCK_OK;
    out[0] = '\0';
    return bad(err, host, why);
}
