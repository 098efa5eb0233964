/* Pre-shared keys of a config: bounds, and where a key comes from. */
#include "api/config_box.h"
#include "cert/pass.h"
#include "core/mem.h"
#include "core/str.h"

#include <string.h>

static int bad_identity(const char *identity, tlsock_error *err)
{
    if (identity == NULL)
        return tsk_fail(err, TLSOCK_E_ARGUMENT, "the identity is NULL");
    if (strlen(identity) > TSK_PSK_ID_MAX)
        return tsk_fail(err, TLSOCK_E_ARGUMENT,
                        "an identity has at most %d bytes", TSK_PSK_ID_MAX);
    for (const char *p = identity; *p != '\0'; p++)
        if (*p < 0x20 || *p > 0x7e)
            return tsk_fail(err, TLSOCK_E_ARGUMENT,
                            "an identity is printable ASCII");
    return TLSOCK_OK;
}

static int bad_key(const void *key, size_t len, tlsock_error *err)
{
    if (key != NULL && len >= TSK_PSK_MIN && len <= TSK_PSK_MAX)
        return TLSOCK_OK;
    tsk_fail(err, TLSOCK_E_ARGUMENT,
             "a pre-shared key of %zu bytes; it has to have %d to %d",
             key != NULL ? len : 0, TSK_PSK_MIN, TSK_PSK_MAX);
    tsk_hint(err, "who guesses the key is the peer: take random bytes, for "
                  "example 32, no password");
    return TLSOCK_E_ARGUMENT;
}

static int twice(const struct tsk_settings *set, const char *identity,
                 tlsock_error *err)
{
    for (size_t i = 0; i < set->n_psks; i++)
        if (strcmp(set->psks[i].identity, identity) == 0)
            return tsk_fail(err, TLSOCK_E_ARGUMENT,
                            "there is a key of \"%s\" already", identity);
    return TLSOCK_OK;
}

int tsk_psk_copy(struct tsk_psk *to, const char *identity, const void *key,
                 size_t len)
{
    to->identity = tsk_strdup(identity);
    to->key = tsk_alloc(len);
    if (to->identity == NULL || to->key == NULL)
        return TLSOCK_E_NOMEM;
    memcpy(to->key, key, len);
    to->len = len;
    return TLSOCK_OK;
}

void tsk_psk_wipe(struct tsk_psk *psk)
{
    tsk_free(psk->identity);
    tsk_free(psk->uri);
    tsk_free_secret(psk->key, psk->len);
}

static int add_psk(struct tsk_settings *set, const char *identity,
                   const void *key, size_t len, tlsock_error *err)
{
    struct tsk_psk psk = {0}, *more;
    int rc = bad_identity(identity, err);

    if (rc == TLSOCK_OK)
        rc = bad_key(key, len, err);
    if (rc == TLSOCK_OK)
        rc = twice(set, identity, err);
    if (rc < 0)
        return rc;
    more = tsk_realloc(set->psks, (set->n_psks + 1) * sizeof(psk));
    if (more == NULL)
        return tsk_fail_nomem(err);
    set->psks = more;
    if (tsk_psk_copy(&psk, identity, key, len) < 0) {
        tsk_psk_wipe(&psk);
        return tsk_fail_nomem(err);
    }
    set->psks[set->n_psks++] = psk;
    return TLSOCK_OK;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place; -1: no hex. */
static int unhex(char *text, size_t *len)
{
    size_t n = *len / 2;

    if (*len % 2 != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return -1;
        text[i] = (char)(high << 4 | low);
    }
    *len = n;
    return 0;
}

/* It may be a key typed by mistake, so it is in no message. Wipe pass in all
 * outcomes. */
static int read_key(struct tsk_pass *pass, const char *uri, tlsock_error *err)
{
    int rc = tsk_pass_init(pass, uri, err);

    if (rc == TLSOCK_OK)
        rc = tsk_pass_get(pass, err);
    if (rc < 0)
        return rc;
    if (unhex(pass->text, &pass->len) == 0)
        return TLSOCK_OK;
    rc = tsk_fail(err, TLSOCK_E_OWN_FILE,
                  "the pre-shared key is not written in hex digits");
    tsk_hint(err, "one line with two digits for each byte; openssl rand "
                  "-hex 32 makes one");
    return rc;
}

int tsk_settings_psk_uri(struct tsk_settings *set, const char *identity,
                         const char *uri, tlsock_error *err)
{
    struct tsk_pass pass = {0};
    char *copy;
    int rc;

    if (uri == NULL)
        return tsk_fail(err, TLSOCK_E_ARGUMENT, "the key's URI is NULL");
    copy = tsk_strdup(uri);
    rc = copy != NULL ? read_key(&pass, uri, err) : tsk_fail_nomem(err);
    if (rc == TLSOCK_OK)
        rc = add_psk(set, identity, pass.text, pass.len, err);
    if (rc == TLSOCK_OK)
        set->psks[set->n_psks - 1].uri = copy;
    else
        tsk_free(copy);
    tsk_pass_wipe(&pass);
    return rc;
}

int tsk_psk_reread(struct tsk_psk *psk, tlsock_error *err)
{
    struct tsk_pass pass = {0};
    uint8_t *key = NULL;
    int rc;

    /* what a descriptor held is not there twice */
    if (psk->uri == NULL || strncmp(psk->uri, "fd:", 3) == 0)
        return TLSOCK_OK;
    rc = read_key(&pass, psk->uri, err);
    if (rc == TLSOCK_OK)
        rc = bad_key(pass.text, pass.len, err);
    if (rc == TLSOCK_OK && (key = tsk_alloc(pass.len)) == NULL)
        rc = tsk_fail_nomem(err);
    if (rc == TLSOCK_OK) {
        memcpy(key, pass.text, pass.len);
        tsk_free_secret(psk->key, psk->len);
        psk->key = key;
        psk->len = pass.len;
    }
    tsk_pass_wipe(&pass);
    return rc;
}

int tlsock_config_add_psk(tlsock_config *c, const char *identity,
                          const void *key, size_t len)
{
    int rc = tsk_config_begin(c);

    if (rc < 0)
        return rc;
    return tsk_config_end(c,
                          add_psk(&c->box->set, identity, key, len, &c->err));
}

int tlsock_config_add_psk_uri(tlsock_config *c, const char *identity,
                              const char *uri)
{
    int rc = tsk_config_begin(c);

    if (rc < 0)
        return rc;
    return tsk_config_end(
        c, tsk_settings_psk_uri(&c->box->set, identity, uri, &c->err));
}
