/* A new CA: its directory, its key, its certificate, which comes last. */
#include "cadb_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int there_is(const char *dir, tlsock_error *err)
{
    return cadb_fail(err, TLSOCK_E_STATE, 0,
                     "use it as it is, or --dir DIR for another one",
                     "there is a CA already in %s", dir);
}

/* A key without a certificate is of a call that was interrupted, if the index
 * that was made before it knows of nothing signed with it. */
static int is_free(const char *dir, const char *cert, const char *key,
                   const char *index, tlsock_error *err)
{
    struct cadb_index x;
    size_t len;
    char *text = NULL;
    int rc;

    if (access(cert, F_OK) == 0)
        return there_is(dir, err);
    rc = cadb_read(index, &text, &len, err);
    if (rc == 1 && access(key, F_OK) != 0)
        return 0;
    if (rc == 0) {
        rc = cadb_index_parse(&x, index, text, len, dir, err);
        free(text);
        if (rc == 0 && (x.n > 0 || x.crl.number > 0))
            rc = 1;
        if (rc >= 0)
            cadb_index_free(&x);
    }
    return rc == 1 ? cadb_fail(err, TLSOCK_E_OWN_FILE, 0,
                               "bring ca.pem back from a backup, or move the "
                               "rest of that CA away first",
                               "%s holds the key or the index of a CA, but no "
                               "ca.pem",
                               dir)
                   : rc;
}

static int take_settings(struct cadb *db, const struct cadb_init *in,
                         tlsock_error *err)
{
    int there;

    if (in->crl_days > 0)
        db->index.crl.days = in->crl_days;
    for (int i = 0; i < CADB_URLS; i++) {
        if (in->url[i] == NULL)
            continue;
        db->index.url[i] = strdup(in->url[i]);
        if (db->index.url[i] == NULL)
            return cadb_nomem(err);
    }
    return cadb_save(db, &there, err);
}

static int make(const struct cadb_init *in, const char *cert, const char *key,
                tlsock_cert **made, tlsock_error *err)
{
    int rc;

    *made = in->parent != NULL ? cadb_issue(in->parent, in->how, err)
                               : tlsock_cert_create(in->how, err);
    if (*made == NULL)
        return err->code;
    rc = tlsock_cert_save(*made, TLSOCK_PART_KEY, TLSOCK_FORMAT_PEM, key,
                          in->pass_uri, err);
    if (rc == 0)
        rc = tlsock_cert_save(
            *made,
            TLSOCK_PART_CERT |
                (tlsock_cert_chain_len(*made) > 0 ? TLSOCK_PART_CHAIN : 0),
            TLSOCK_FORMAT_PEM, cert, NULL, err);
    return rc;
}

static int create(const struct cadb_init *in, int lock, tlsock_cert **made,
                  tlsock_error *err)
{
    char *cert = cadb_path(in->dir, NULL, "ca.pem");
    char *key = cadb_path(in->dir, NULL, "ca.key");
    struct cadb *db = NULL;
    int rc = cadb_new(&db, in->dir, lock, err);

    if (rc == 0 && (cert == NULL || key == NULL))
        rc = cadb_nomem(err);
    if (rc == 0)
        rc = is_free(in->dir, cert, key, db->index_path, err);
    if (rc == 0) {
        rc = take_settings(db, in, err);
        if (rc == 0)
            rc = make(in, cert, key, made, err);
        if (rc == 0 && in->url[CADB_URL_CRL] != NULL) {
            /* whoever follows the URL shall find one from the first day */
            db->ca = tlsock_cert_ref(*made);
            rc = cadb_crl(db, 0, err);
        }
        if (rc != 0) {
            unlink(db->crl_der);
            unlink(db->crl_pem);
            unlink(cert);
            unlink(key);
            unlink(db->index_path);
        }
    }
    cadb_close(db);
    free(cert);
    free(key);
    return rc;
}

tlsock_cert *cadb_create(const struct cadb_init *in, tlsock_error *err)
{
    tlsock_cert *made = NULL;
    int lock = cadb_lock(in->dir, 1, err);

    if (lock < 0 || create(in, lock, &made, err) == 0)
        return made;
    tlsock_cert_unref(made);
    return NULL;
}
