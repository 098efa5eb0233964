/* hop_help - a proxy that says what a script says, in one piece or byte by
 * byte, and what comes of it. */
#ifndef TEST_HOP_HELP_H
#define TEST_HOP_HELP_H

#include "net_help.h"

#include "net/proxy.h"

#define BYTES(text) text, sizeof(text) - 1

struct played {
    int code;
    tlsock_error err;
    uint8_t sent[8192];
    size_t sent_len;
    uint8_t left[8192]; /* of the script, after the dialogue */
    size_t left_len;
};

static inline void drain(struct played *r, struct tsk_talk *t)
{
    assert_true(r->sent_len + t->out.len <= sizeof(r->sent));
    memcpy(r->sent + r->sent_len, tsk_buf_at(&t->out), t->out.len);
    r->sent_len += t->out.len;
    tsk_buf_take(&t->out, t->out.len);
}

/* Lets the hop and the script talk; chunk 0: all at once. The end of the
 * script is the end of the connection. */
static inline void talk(struct played *r, struct tsk_hop *h,
                        const char *script, size_t len, size_t chunk)
{
    struct tsk_buf in = {NULL, 0, 0, 0};
    struct tsk_talk t = {.in = &in};
    size_t fed = 0;

    for (;;) {
        size_t n = chunk == 0 || chunk > len - fed ? len - fed : chunk;

        r->code = tsk_hop_step(h, &t, &r->err);
        drain(r, &t);
        if (r->code != TLSOCK_AGAIN)
            break;
        if (tsk_hop_fd(h) >= 0) {
            struct pollfd p = {tsk_hop_fd(h), POLLIN, 0};

            assert_int_equal(poll(&p, 1, 30000), 1);
            continue;
        }
        assert_false(t.ended); /* else it would wait for ever */
        if (tsk_buf_add(&in, script + fed, n) != TLSOCK_OK) {
            r->code = r->err.code = TLSOCK_E_NOMEM;
            break;
        }
        fed += n;
        t.ended = fed == len && (chunk == 0 || n == 0);
    }
    r->left_len = in.len + (len - fed);
    if (r->left_len <= sizeof(r->left)) {
        memcpy(r->left, tsk_buf_at(&in), in.len);
        memcpy(r->left + in.len, script + fed, len - fed);
    }
    if (r->code == TLSOCK_OK) /* and stays so, whatever else came */
        assert_int_equal(tsk_hop_step(h, &t, NULL), TLSOCK_OK);
    assert_int_equal(t.out.len, 0);
    tsk_buf_free(&in);
    tsk_talk_free(&t);
}

static inline void play_to(struct played *r, const char *url,
                           const struct tsk_target *to, int family,
                           const char *script, size_t len, size_t chunk)
{
    struct tsk_proxy *via = NULL;
    struct tsk_hop *h;
    size_t n = 0;

    memset(r, 0, sizeof(*r));
    r->code = tsk_proxies_parse(&via, &n, url, &r->err);
    if (r->code != TLSOCK_OK)
        return;
    h = tsk_hop_new(via, to, family, &r->err);
    r->code = r->err.code;
    if (h != NULL)
        talk(r, h, script, len, chunk);
    tsk_hop_free(h);
    tsk_proxies_free(via, n);
}

static inline void play(struct played *r, const char *url, const char *target,
                        const char *script, size_t len, size_t chunk)
{
    struct tsk_target to;

    assert_int_equal(tsk_target_parse(&to, target, 0, NULL), TLSOCK_OK);
    play_to(r, url, &to, 0, script, len, chunk);
}

static inline int has(const uint8_t *all, size_t len, const char *text)
{
    return memmem(all, len, text, strlen(text)) != NULL;
}

/* A row of a table: what the proxy says and what comes of it. */
struct script {
    const char *name, *url, *target, *text;
    size_t len;
    int code;
    const char *says; /* part of message or hint; on success: what is left */
};

/* Every failure names the proxy and the target, the phase and a way out. */
static inline void check_failure(const struct script *s,
                                 const struct played *r, const char *proxy,
                                 const char *goal)
{
    if (r->err.code != r->code || r->err.phase != TLSOCK_PHASE_PROXY ||
        strstr(r->err.message, proxy) == NULL ||
        strstr(r->err.message, goal) == NULL || r->err.hint[0] == '\0')
        fail_msg("%s: %d, phase %d, \"%s\" (%s)", s->name, r->err.code,
                 r->err.phase, r->err.message, r->err.hint);
}

static inline void check_script(const struct script *s, const char *proxy,
                                const char *goal)
{
    for (size_t chunk = 0; chunk < 4; chunk++) {
        struct played r;

        play(&r, s->url, s->target, s->text, s->len, chunk);
        if (r.code != s->code)
            fail_msg("%s by %zu: got %d \"%s\"", s->name, chunk, r.code,
                     r.err.message);
        if (r.code == TLSOCK_OK) {
            assert_int_equal(r.left_len, strlen(s->says));
            assert_memory_equal(r.left, s->says, r.left_len);
            continue;
        }
        check_failure(s, &r, proxy, goal);
        if (strstr(r.err.message, s->says) == NULL &&
            strstr(r.err.hint, s->says) == NULL)
            fail_msg("%s by %zu: \"%s\" (%s)", s->name, chunk, r.err.message,
                     r.err.hint);
    }
}

/* Ended after any of its bytes, a dialogue that would go well fails. */
static inline void check_early_end(const struct script *s, const char *proxy,
                                   const char *goal)
{
    for (size_t len = 0; len < s->len - strlen(s->says); len++)
        for (size_t chunk = 0; chunk < 2; chunk++) {
            struct played r;

            play(&r, s->url, s->target, s->text, len, chunk);
            assert_int_equal(r.code, TLSOCK_E_PROXY);
            check_failure(s, &r, proxy, goal);
            assert_non_null(strstr(r.err.message, "closed"));
        }
}

static int countdown;

static inline int nth(void)
{
    return countdown-- == 0;
}

/* Every allocation fails once: each time with that as the reason. */
static inline void check_memory(const struct script *s, int at_least)
{
    int n = 0;

    for (;; n++) {
        struct played r;

        assert_true(n < 100);
        countdown = n;
        tsk_mem_fail = nth;
        play(&r, s->url, s->target, s->text, s->len, 7);
        tsk_mem_fail = NULL;
        if (countdown >= 0)
            break;
        assert_int_equal(r.code, TLSOCK_E_NOMEM);
        assert_int_equal(r.err.code, TLSOCK_E_NOMEM);
    }
    assert_true(n >= at_least);
}

#endif
