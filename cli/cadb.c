#include "cadb_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const tlsock_cert *cadb_ca(const struct cadb *db)
{
    return db->ca;
}

const char *cadb_dir(const struct cadb *db)
{
    return db->dir;
}

const char *cadb_url(const struct cadb *db, int which)
{
    return db->index.url[which] != NULL ? db->index.url[which] : "";
}

const struct cadb_crl_state *cadb_crl_state(const struct cadb *db)
{
    return &db->index.crl;
}

size_t cadb_count(const struct cadb *db)
{
    return db->index.n;
}

const struct cadb_entry *cadb_at(const struct cadb *db, size_t i)
{
    return i < db->index.n ? db->index.row[i] : NULL;
}

const struct cadb_entry *cadb_find(const struct cadb *db, const char *serial)
{
    return cadb_row_find(&db->index, serial);
}

const char *cadb_crl_path(const struct cadb *db, int pem)
{
    return pem ? db->crl_pem : db->crl_der;
}

int cadb_new(struct cadb **out, const char *dir, int lock, tlsock_error *err)
{
    struct cadb *db = calloc(1, sizeof(*db));

    if (db == NULL) {
        if (lock >= 0)
            close(lock);
        return cadb_nomem(err);
    }
    cadb_index_init(&db->index);
    db->lock = lock;
    db->dir = strdup(dir);
    db->index_path = cadb_path(dir, NULL, "index");
    db->crl_der = cadb_path(dir, NULL, "crl.der");
    db->crl_pem = cadb_path(dir, NULL, "crl.pem");
    if (db->dir != NULL && db->index_path != NULL && db->crl_der != NULL &&
        db->crl_pem != NULL) {
        *out = db;
        return 0;
    }
    cadb_close(db);
    return cadb_nomem(err);
}

void cadb_close(struct cadb *db)
{
    if (db == NULL)
        return;
    tlsock_cert_unref(db->ca);
    cadb_index_free(&db->index);
    if (db->lock >= 0)
        close(db->lock); /* and the lock is gone */
    free(db->dir);
    free(db->index_path);
    free(db->crl_der);
    free(db->crl_pem);
    free(db);
}

int cadb_save(struct cadb *db, int *there, tlsock_error *err)
{
    size_t len;
    char *text = cadb_index_text(&db->index, &len);
    int rc;

    *there = 0;
    if (text == NULL)
        return cadb_nomem(err);
    rc = cadb_replace(db->index_path, text, len, there, err);
    free(text);
    return rc;
}

static int load_index(struct cadb *db, tlsock_error *err)
{
    size_t len;
    char *text;
    int rc = cadb_read(db->index_path, &text, &len, err);

    if (rc != 0)
        return rc == 1 ? 0 : rc; /* made before there was an index */
    rc = cadb_index_parse(&db->index, db->index_path, text, len, db->dir, err);
    free(text);
    return rc;
}

static int load_ca(struct cadb *db, const char *pass_uri, int write,
                   tlsock_error *err)
{
    char *cert = cadb_path(db->dir, NULL, "ca.pem");
    char *key = cadb_path(db->dir, NULL, "ca.key");
    int rc = 0;

    if (cert == NULL || key == NULL)
        rc = cadb_nomem(err);
    if (rc == 0) {
        db->ca = tlsock_cert_load(cert, write ? key : NULL,
                                  write ? pass_uri : NULL, err);
        rc = db->ca != NULL ? 0 : err->code;
    }
    free(cert);
    free(key);
    return rc;
}

/* What a writer that was killed left, is put right by the next. */
static int tidy(struct cadb *db, tlsock_error *err)
{
    static const char *const stems[] = {"ca.", "index.", "crl.", NULL};

    cadb_sweep(db->dir, stems);
    return cadb_adopt_copies(db, err);
}

static int is_there(const char *dir, tlsock_error *err)
{
    char *path = cadb_path(dir, NULL, "ca.pem");
    int rc = 0;

    if (path == NULL)
        return cadb_nomem(err);
    if (access(path, F_OK) != 0)
        rc = cadb_fail(err, TLSOCK_E_OWN_FILE, errno == ENOENT ? 0 : errno,
                       "tlsock ca init makes one; --dir or --ca names one that "
                       "is elsewhere",
                       "there is no CA in %s", dir);
    free(path);
    return rc;
}

int cadb_open(struct cadb **out, const char *dir, const char *pass_uri,
              enum cadb_open how, tlsock_error *err)
{
    struct cadb *db = NULL;
    int write = how != CADB_READ, lock = -1, rc = is_there(dir, err);

    *out = NULL;
    if (rc == 0 && write) {
        lock = cadb_lock(dir, how == CADB_WRITE, err);
        rc = lock < 0 ? lock : 0;
    }
    if (rc == 0)
        rc = cadb_new(&db, dir, lock, err);
    if (rc == 0)
        rc = load_ca(db, pass_uri, write, err);
    if (rc == 0)
        rc = load_index(db, err);
    if (rc == 0 && write)
        rc = tidy(db, err);
    if (rc != 0) {
        cadb_close(db);
        return rc;
    }
    *out = db;
    return 0;
}

int cadb_revoke(struct cadb *db, const char *serial, int reason,
                tlsock_error *err)
{
    struct cadb_entry *e = cadb_row_find(&db->index, serial), old;
    int there, outdated = db->index.crl.outdated, rc;

    if (e == NULL)
        return cadb_fail(
            err, TLSOCK_E_ARGUMENT, 0, "tlsock ca list shows what it issued",
            "this CA issued no certificate with the serial %s", serial);
    if (cadb_reason_name(reason) == NULL)
        return cadb_fail(err, TLSOCK_E_ARGUMENT, 0,
                         "keyCompromise, superseded, cessationOfOperation ...",
                         "%d is no reason of revocation", reason);
    if (e->revoked)
        return 0;
    old = *e;
    e->revoked = 1;
    e->reason = reason;
    e->revoked_at = (int64_t)time(NULL);
    db->index.crl.outdated = 1;
    rc = cadb_save(db, &there, err);
    if (rc != 0 && !there) {
        *e = old;
        db->index.crl.outdated = outdated;
    }
    return rc;
}
