/* keyinfo - what a private key is, by its public half. */
#include "cert/json.h"
#include "cert/load.h"
#include "core/mem.h"
#include "ossl/queue.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define PUT TSK_PUT

/* The SubjectPublicKeyInfo is what a pin is of. */
static void digests(struct tsk_json *j, const unsigned char *spki, size_t len)
{
    static const char *const algos[] = {"sha1", "sha256", "sha384", "sha512"};
    unsigned char hash[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1], pin[2 * EVP_MAX_MD_SIZE + 1] = "";

    PUT(j, ",\"digests\":{\"public_key\":{");
    for (size_t i = 0; i < sizeof(algos) / sizeof(algos[0]); i++) {
        size_t n = 0;

        if (EVP_Q_digest(NULL, algos[i], NULL, spki, len, hash, &n) != 1)
            n = 0;
        tsk_hex(hex, hash, n);
        PUT(j, "%s\"%s\":\"%s\"", i > 0 ? "," : "", algos[i], hex);
        if (strcmp(algos[i], "sha256") == 0)
            memcpy(pin, hex, sizeof(pin));
    }
    PUT(j, "}},\"pin\":\"sha256:pub:%s\"", pin);
}

static int text_of(EVP_PKEY *key, const char *name, int sealed, char *out,
                   size_t size, tlsock_error *err)
{
    struct tsk_json j = {.out = out, .size = size};
    unsigned char *spki = NULL;
    int n = i2d_PUBKEY(key, &spki), rc;
    struct tsk_text t = {0};

    if (n <= 0) {
        rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                           "the public half of \"%s\" is not known", name);
        if (rc == TLSOCK_E_OWN_FILE)
            tsk_hint(err, "put the public key or the certificate beside it");
        return rc;
    }
    PUT(&j, "{\"schema\":\"tlsock.key/1\",\"key_type\":");
    tsk_text_key(&t, key);
    tsk_json_take(&j, &t);
    PUT(&j, ",\"key\":");
    tsk_json_pkey(&j, key);
    PUT(&j, ",\"encrypted\":%s", sealed ? "true" : "false");
    digests(&j, spki, (size_t)n);
    PUT(&j, "}");
    OPENSSL_free(spki);
    if (!j.failed && j.pos <= INT_MAX)
        return (int)j.pos;
    if (size > 0)
        out[0] = '\0';
    return tsk_fail_nomem(err);
}

int tsk_key_json(const char *uri, const char *pass_uri, char *out, size_t size,
                 tlsock_error *err)
{
    struct tsk_source s = {0};
    EVP_PKEY *key = NULL;
    struct tsk_pass pass;
    int rc, sealed = 0;

    if (size > 0)
        out[0] = '\0';
    tsk_ossl_enter();
    rc = tsk_pass_init(&pass, pass_uri, err);
    if (rc == TLSOCK_OK)
        rc = tsk_source_open(&s, uri, err);
    if (rc == TLSOCK_OK)
        rc = tsk_key_read(&s, &pass, NULL, &key, err);
    if (rc == TLSOCK_OK && key == NULL)
        rc = tsk_no_key(&s, err);
    if (rc == TLSOCK_OK && s.len > 0) {
        sealed = tsk_data_kind(s.data, s.len);
        sealed = (sealed & TLSOCK_KIND_ENCRYPTED) != 0 ||
                 ((sealed & TLSOCK_KIND_PKCS12) != 0 && pass_uri != NULL);
    }
    if (rc == TLSOCK_OK)
        rc = text_of(key, s.name, sealed, out, size, err);
    EVP_PKEY_free(key);
    tsk_source_free(&s);
    tsk_pass_wipe(&pass);
    tsk_ossl_leave();
    return rc;
}
