/* Whom it is no use to ask: a host that gave no answer to this check is not
 * asked about its other certificates, and where an answer is no must, nobody
 * is asked who gave none to this process a moment ago. */
#include "net/url.h"
#include "revoke/check_private.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static int digest(uint8_t key[32], const char *text)
{
    return EVP_Digest(text, strlen(text), key, NULL, EVP_sha256(), NULL) == 1;
}

/* No URL begins like that. */
static int host_key(uint8_t key[32], const char *url)
{
    struct tsk_url u;
    char text[300];

    if (tsk_url_parse(&u, url, NULL) < 0)
        return 0;
    snprintf(text, sizeof(text), "//%s:%d", u.host, u.port);
    return digest(key, text);
}

static int is_dead(const struct tsk_check *k, const uint8_t key[32])
{
    for (size_t i = 0; i < k->n_dead; i++)
        if (memcmp(k->dead[i], key, 32) == 0)
            return 1;
    return 0;
}

static int nobody_there(int code)
{
    return code == TLSOCK_E_CONNECT || code == TLSOCK_E_RESOLVE ||
           code == TLSOCK_E_TIMEOUT || code == TLSOCK_E_PROXY;
}

/* Other failures may be ours, and say nothing of who was asked. */
static int no_answer(int code)
{
    return code == TLSOCK_E_PROTOCOL || code == TLSOCK_E_TRUNCATED ||
           code == TLSOCK_E_RESET || code == TLSOCK_E_LIMIT;
}

void tsk_check_in_vain(struct tsk_check *k, struct tsk_check_cert *c, int code)
{
    uint8_t key[32];
    int host = nobody_there(code);

    c->dead = host;
    if (!host && !no_answer(code))
        return;
    if (host ? !host_key(key, c->url) : !digest(key, c->url))
        return;
    if (host && !is_dead(k, key) && k->n_dead < TSK_CHECK_DEAD)
        memcpy(k->dead[k->n_dead++], key, 32);
    if (k->rules.cache != NULL)
        tsk_revcache_avoid(k->rules.cache, key);
}

static int of_late(const struct tsk_check *k, const uint8_t key[32])
{
    return k->rules.soft && k->rules.cache != NULL &&
           tsk_revcache_avoids(k->rules.cache, key);
}

int tsk_check_avoids(const struct tsk_check *k, struct tsk_check_cert *c)
{
    uint8_t host[32], url[32];
    int dead;

    if (!host_key(host, c->url) || !digest(url, c->url))
        return 0;
    dead = is_dead(k, host) || of_late(k, host);
    if (!dead && !of_late(k, url))
        return 0;
    c->dead = dead;
    if (c->why.code == 0) {
        tsk_fail(&c->why, TLSOCK_E_REVOCATION_UNKNOWN,
                 "%.200s is not asked: there was no answer a moment ago",
                 c->url);
        tsk_hint(&c->why, "its host is down, or too slow for "
                          "revocation.timeout");
    }
    return 1;
}
