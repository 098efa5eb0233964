/* Whose sessions they are: the two digests of a connection's peer. */
#include "tls/ctx_private.h"
#include "tls/resume.h"

#include <openssl/evp.h>
#include <string.h>

enum { NAME, SNI, SCHEME, RECORDS, HOW, WHERE, TEXTS };

/* With the 0: they stay apart. */
static const char *text(const char *const texts[TEXTS], size_t i, size_t *len)
{
    const char *t = texts[i] != NULL ? texts[i] : "\n";

    *len = strlen(t) + 1;
    return t;
}

static int digest(const char *const texts[TEXTS], size_t from, size_t to,
                  const uint8_t *more, uint8_t out[TSK_SESSION_KEY])
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int ok = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL);

    if (ok && more != NULL)
        ok = EVP_DigestUpdate(md, more, TSK_SESSION_KEY);
    for (size_t i = from; ok && i < to; i++) {
        size_t len;
        const char *t = text(texts, i, &len);

        ok = EVP_DigestUpdate(md, t, len);
    }
    ok = ok && EVP_DigestFinal_ex(md, out, NULL);
    EVP_MD_CTX_free(md);
    return ok;
}

/* All of them, one after the other, as they are digested; 0: too long. */
static size_t join(const char *const texts[TEXTS], char out[TSK_NAMED_MOST])
{
    size_t pos = 0;

    for (size_t i = 0; i < TEXTS; i++) {
        size_t len;
        const char *t = text(texts, i, &len);

        if (len > TSK_NAMED_MOST - pos)
            return 0;
        memcpy(out + pos, t, len);
        pos += len;
    }
    return pos;
}

/* Who connects again and again to one peer need not digest its name again and
 * again: that was most of what a resumed connection cost over libssl alone. */
static int is_named(struct tsk_ctx *c, const char *joined, size_t len,
                    struct tsk_resume *r)
{
    struct tsk_named *n = &c->named;
    int is;

    pthread_mutex_lock(&c->lock);
    is = len != 0 && n->len == len && memcmp(n->texts, joined, len) == 0;
    if (is) {
        memcpy(r->peer, n->peer, sizeof(r->peer));
        memcpy(r->key, n->key, sizeof(r->key));
    }
    pthread_mutex_unlock(&c->lock);
    return is;
}

static void remember(struct tsk_ctx *c, const char *joined, size_t len,
                     const struct tsk_resume *r)
{
    struct tsk_named *n = &c->named;

    if (len == 0)
        return;
    pthread_mutex_lock(&c->lock);
    memcpy(n->texts, joined, len);
    n->len = len;
    memcpy(n->peer, r->peer, sizeof(n->peer));
    memcpy(n->key, r->key, sizeof(n->key));
    pthread_mutex_unlock(&c->lock);
}

int tsk_resume_name(tlsock *s, const char *records)
{
    const char *const texts[TEXTS] = {
        [NAME] = s->name,
        [SNI] = s->sni,
        [SCHEME] = s->scheme,
        [RECORDS] = records,
        [HOW] = s->session_for != NULL ? "key" : "address",
        [WHERE] = s->session_for != NULL ? s->session_for : s->address};
    struct tsk_resume *r = &s->resume;
    char joined[TSK_NAMED_MOST];
    size_t len = join(texts, joined);

    if (is_named(s->ctx, joined, len, r)) {
        r->wanted = 1;
        return TLSOCK_OK;
    }
    r->wanted = digest(texts, NAME, HOW, NULL, r->peer) &&
                digest(texts, HOW, TEXTS, r->peer, r->key);
    if (!r->wanted)
        return tsk_fail_nomem(tsk_err(s));
    remember(s->ctx, joined, len, r);
    return TLSOCK_OK;
}
