/* proxy - what proxies may answer, and URLs of proxies. The first byte says
 * which: 0, 1, 2 by its lowest bits are HTTP, SOCKS5, a list of URLs; its
 * next bit gives the dialogue a password. However the bytes come, in one piece
 * or one by one, what comes of them is the same, and it comes. */
#include "core/err.h"
#include "net/addr.h"
#include "net/proxy.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD "pass/word"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int claim)
{
    if (!claim)
        abort();
}

static int run(struct tsk_hop *h, int login, const uint8_t *data, size_t len,
               size_t chunk, size_t *left)
{
    struct tsk_buf in = {NULL, 0, 0, 0};
    struct tsk_talk t = {.in = &in};
    tlsock_error err = {0};
    size_t fed = 0;
    int rc;

    for (;;) {
        size_t n = len - fed < chunk ? len - fed : chunk;

        rc = tsk_hop_step(h, &t, &err);
        must(tsk_hop_fd(h) < 0);
        tsk_buf_take(&t.out, t.out.len);
        if (rc != TLSOCK_AGAIN)
            break;
        must(!t.ended);
        must(tsk_buf_add(&in, data + fed, n) == TLSOCK_OK);
        fed += n;
        t.ended = n == 0 || chunk >= len;
    }
    must(rc == TLSOCK_OK || rc == TLSOCK_E_PROXY || rc == TLSOCK_E_PROXY_AUTH ||
         rc == TLSOCK_E_LIMIT);
    must(err.code == rc);
    if (rc != TLSOCK_OK) {
        must(err.phase == TLSOCK_PHASE_PROXY && err.hint[0] != '\0');
        must(strstr(err.message, "p.example:1") != NULL);
        must(!login || strstr(err.message, PASSWORD) == NULL);
    }
    *left = in.len + len - fed;
    must(*left <= len);
    tsk_buf_free(&in);
    tsk_talk_free(&t);
    return rc;
}

static void dialogue(const char *url, int login, const uint8_t *data,
                     size_t len)
{
    struct tsk_target to;
    struct tsk_proxy *via;
    size_t n, left[2];
    int rc[2];

    must(tsk_target_parse(&to, "www.example.com:443", 0, NULL) == TLSOCK_OK);
    must(tsk_proxies_parse(&via, &n, url, NULL) == TLSOCK_OK);
    for (int i = 0; i < 2; i++) {
        struct tsk_hop *h = tsk_hop_new(via, &to, 0, NULL);

        must(h != NULL);
        rc[i] = run(h, login, data, len, i == 0 ? len + 1 : 1, &left[i]);
        tsk_hop_free(h);
    }
    must(rc[0] == rc[1]);
    must(rc[0] != TLSOCK_OK || left[0] == left[1]);
    tsk_proxies_free(via, n);
}

static void check(const struct tsk_proxy *p)
{
    char wire[256];

    must(tsk_host_normalise(wire, p->target.host, NULL) == TLSOCK_OK);
    must(p->target.service[0] != '\0' && p->target.path[0] == '\0');
    must(!p->tls || p->kind == TSK_PROXY_HTTP);
    must((p->user == NULL) == (p->password == NULL));
    if (p->user == NULL)
        return;
    must(strlen(p->user) <= TSK_PROXY_SECRET_MOST);
    must(strlen(p->password) <= TSK_PROXY_SECRET_MOST);
    must(p->kind == TSK_PROXY_HTTP ? strchr(p->user, ':') == NULL
                                   : p->user[0] != '\0');
    must(strpbrk(p->user, "\r\n") == NULL);
    must(strpbrk(p->password, "\r\n") == NULL);
}

static void urls(const uint8_t *data, size_t len)
{
    char *text = malloc(len + 1);
    struct tsk_proxy *list;
    tlsock_error err = {0};
    size_t n;
    int rc;

    if (text == NULL)
        return;
    if (len > 0)
        memcpy(text, data, len);
    text[len] = '\0';
    rc = tsk_proxies_parse(&list, &n, text, &err);
    must(rc == TLSOCK_OK || rc == TLSOCK_E_ARGUMENT);
    must(err.code == rc);
    if (rc != TLSOCK_OK)
        must(list == NULL && n == 0 && err.hint[0] != '\0');
    else
        must(n >= 1 && n <= TSK_PROXIES_MOST);
    for (size_t i = 0; i < n; i++)
        check(&list[i]);
    tsk_proxies_free(list, n);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const plain[] = {"http://p.example:1",
                                        "socks5h://p.example:1"};
    static const char *const login[] = {"http://me:pass%2fword@p.example:1",
                                        "socks5h://me:pass%2fword@p.example:1"};
    int which, with_login;

    if (len == 0)
        return 0;
    which = data[0] & 3;
    with_login = (data[0] & 4) != 0;
    if (which > 1)
        urls(data + 1, len - 1);
    else
        dialogue(with_login ? login[which] : plain[which], with_login, data + 1,
                 len - 1);
    return 0;
}
