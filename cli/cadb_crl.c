/* The list of what is revoked, written twice from the same bytes. */
#include "cadb_private.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tlsock/revoke.h>

/* RFC 5280, 3.3: an entry stays "until it appears on one regularly scheduled
 * CRL issued beyond the revoked certificate's validity period". */
static int belongs(const struct cadb *db, const struct cadb_entry *e)
{
    return e->revoked &&
           (db->index.crl.made == 0 || e->expires >= db->index.crl.made ||
            e->revoked_at >= db->index.crl.made);
}

static tlsock_revoked *collect(const struct cadb *db, size_t *n)
{
    tlsock_revoked *list = calloc(db->index.n + 1, sizeof(*list));

    *n = 0;
    for (size_t i = 0; list != NULL && i < db->index.n; i++) {
        const struct cadb_entry *e = db->index.row[i];

        if (belongs(db, e))
            list[(*n)++] = (tlsock_revoked){sizeof(*list), e->serial,
                                            e->revoked_at, e->reason};
    }
    return list;
}

static int make_der(struct cadb *db, int64_t now, int64_t due,
                    tlsock_error *err)
{
    tlsock_revoked *list;
    char number[24];
    size_t n;
    int rc;

    list = collect(db, &n);
    if (list == NULL)
        return cadb_nomem(err);
    snprintf(number, sizeof(number), "%llx",
             (unsigned long long)db->index.crl.number);
    rc = tlsock_crl_save(TLSOCK_CRL_OPTS(.issuer = db->ca, .number = number,
                                         .this_update = now, .next_update = due,
                                         .revoked = list, .n_revoked = n),
                         TLSOCK_FORMAT_DER, db->crl_der, err);
    free(list);
    return rc;
}

int cadb_crl_read(const struct cadb *db, int pem, char **data, size_t *len,
                  tlsock_error *err)
{
    const char *path = cadb_crl_path(db, pem);
    int rc = cadb_read(path, data, len, err);

    return rc != 1 ? rc
                   : cadb_fail(err, TLSOCK_E_OWN_FILE, 0,
                               "try again: something removed it",
                               "%s is not there any more", path);
}

/* Made from the other file: two signatures would be two CRLs of one number. */
static int make_pem(struct cadb *db, tlsock_error *err)
{
    static const char head[] = "-----BEGIN X509 CRL-----\n";
    static const char tail[] = "-----END X509 CRL-----\n";
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    char *der = NULL, *pem = NULL;
    int part = 0, last = 0, there;
    size_t len, size;
    int rc = cadb_crl_read(db, 0, &der, &len, err);

    size = rc == 0 ? sizeof(head) + sizeof(tail) + len / 48 * 65 + 128 : 1;
    pem = malloc(size);
    if (ctx != NULL)
        EVP_EncodeInit(ctx);
    if (rc == 0 &&
        (ctx == NULL || pem == NULL ||
         !EVP_EncodeUpdate(ctx, (unsigned char *)pem + sizeof(head) - 1, &part,
                           (unsigned char *)der, (int)len)))
        rc = cadb_nomem(err);
    if (rc == 0) {
        size_t at = sizeof(head) - 1;

        memcpy(pem, head, at);
        at += (size_t)part;
        EVP_EncodeFinal(ctx, (unsigned char *)pem + at, &last);
        at += (size_t)last;
        memcpy(pem + at, tail, sizeof(tail));
        rc = cadb_replace(db->crl_pem, pem, at + sizeof(tail) - 1, &there, err);
    }
    EVP_ENCODE_CTX_free(ctx);
    free(der);
    free(pem);
    return rc;
}

static int make_files(struct cadb *db, int64_t now, int64_t due,
                      tlsock_error *err)
{
    int rc = make_der(db, now, due, err);

    return rc == 0 ? make_pem(db, err) : rc;
}

int cadb_crl(struct cadb *db, int days, tlsock_error *err)
{
    struct cadb_crl_state *crl = &db->index.crl, old = *crl;
    int64_t now = (int64_t)time(NULL);
    int there, rc;

    if (days != 0)
        crl->days = days;
    crl->number++;
    crl->outdated = 1;
    rc = cadb_save(db, &there, err);
    if (rc != 0 && !there)
        *crl = old;
    if (rc == 0)
        rc = make_files(db, now, now + (int64_t)crl->days * 86400, err);
    if (rc != 0)
        return rc;
    crl->made = now;
    crl->due = now + (int64_t)crl->days * 86400;
    crl->outdated = 0;
    rc = cadb_save(db, &there, err);
    if (rc != 0 && !there)
        crl->outdated = 1;
    return rc;
}
