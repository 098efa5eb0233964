/* redis - what a Redis server may answer, the URL of one, and secrets as lines.
 * The first byte says which: 0, 1, 2 modulo 3. However the answer comes, in one
 * piece or byte by byte, what comes of it is the same, and it comes. */
#include "net/redis.h"
#include "session/ticketsecret.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int claim)
{
    if (!claim)
        abort();
}

static int run(struct tsk_redis *r, const uint8_t *data, size_t len,
               size_t chunk)
{
    struct tsk_buf in = {NULL, 0, 0, 0};
    struct tsk_talk t = {.in = &in};
    tlsock_error err = {0};
    size_t fed = 0;
    int rc;

    for (;;) {
        size_t n = len - fed < chunk ? len - fed : chunk;

        rc = tsk_redis_step(r, &t, &err);
        tsk_buf_take(&t.out, t.out.len);
        if (rc != TLSOCK_AGAIN)
            break;
        must(!t.ended);
        must(tsk_buf_add(&in, data + fed, n) == TLSOCK_OK);
        fed += n;
        t.ended = n == 0 || chunk >= len;
    }
    must(rc == TLSOCK_OK || rc == TLSOCK_E_PROTOCOL || rc == TLSOCK_E_LIMIT ||
         rc == TLSOCK_E_CLOSED_IN_HANDSHAKE);
    must(err.code == rc && (rc == TLSOCK_OK || err.hint[0] != '\0'));
    must(strstr(err.message, "pass/word") == NULL);
    tsk_buf_free(&in);
    tsk_talk_free(&t);
    return rc;
}

static void dialogue(const uint8_t *data, size_t len)
{
    struct tsk_redis_where w;
    struct tsk_redis *r[2];
    const char *value[2];
    size_t n[2] = {0, 0};
    int rc[2];

    must(tsk_redis_where(&w, "redis://:pass%2fword@h/1?key=k", NULL) == 0);
    for (int i = 0; i < 2; i++) {
        r[i] = tsk_redis_new(&w, "offer");
        must(r[i] != NULL);
        rc[i] = run(r[i], data, len, i == 0 ? len + 1 : 1);
        value[i] = tsk_redis_value(r[i], &n[i]);
    }
    must(rc[0] == rc[1]);
    if (rc[0] == TLSOCK_OK)
        must(n[0] == n[1] && n[0] <= TSK_REDIS_VALUE &&
             memcmp(value[0], value[1], n[0]) == 0);
    tsk_redis_free(r[0]);
    tsk_redis_free(r[1]);
}

static void url(const uint8_t *data, size_t len)
{
    char *text = malloc(len + 1);
    struct tsk_redis_where w;
    tlsock_error err = {0};
    int rc;

    if (text == NULL)
        return;
    if (len > 0)
        memcpy(text, data, len);
    text[len] = '\0';
    rc = tsk_redis_where(&w, text, &err);
    must(rc == TLSOCK_OK || rc == TLSOCK_E_ARGUMENT);
    must(err.code == rc);
    if (rc == TLSOCK_OK)
        must(w.host[0] != '\0' && w.service[0] != '\0' && w.key[0] != '\0' &&
             strpbrk(w.key, "\r\n") == NULL &&
             strpbrk(w.password, "\r\n") == NULL && w.db >= 0);
    else
        must(err.hint[0] != '\0' && w.key[0] == '\0');
    free(text);
}

static void secrets(const uint8_t *data, size_t len)
{
    struct tsk_secrets s;
    tlsock_error err = {0};
    int rc = tsk_secrets_parse(&s, (const char *)data, len, "it", &err);

    must(rc == TLSOCK_OK || rc == TLSOCK_E_OWN_FILE);
    must(err.code == rc && (s.n > 0) == (rc == TLSOCK_OK));
    must(s.n <= TSK_SECRETS_MOST);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static void (*const ways[])(const uint8_t *, size_t) = {dialogue, url,
                                                            secrets};

    if (len > 0 && len <= 131072)
        ways[data[0] % 3](data + 1, len - 1);
    return 0;
}
