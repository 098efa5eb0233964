/* What comes into the index: certificates made, and found. */
#include "cadb_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tlsock/config.h>
#include <unistd.h>

int64_t cadb_time_of(const tlsock_cert *c, int item)
{
    const char *text = tlsock_cert_field(c, item);
    int64_t when = 0;

    if (text != NULL)
        (void)cadb_time_parse(&when, text);
    return when;
}

int cadb_signed_by(const tlsock_cert *ca, const char *ca_file,
                   const tlsock_cert *c, tlsock_error *err)
{
    const char *subject = tlsock_cert_field(ca, TLSOCK_CERT_SUBJECT);
    const char *issuer = tlsock_cert_field(c, TLSOCK_CERT_ISSUER);
    int64_t from = cadb_time_of(c, TLSOCK_CERT_NOT_BEFORE);
    int64_t ours = cadb_time_of(ca, TLSOCK_CERT_NOT_BEFORE);
    tlsock_config *config;
    int rc;

    if (subject == NULL || issuer == NULL)
        return cadb_nomem(err);
    if (strcmp(subject, issuer) != 0)
        return cadb_fail(err, TLSOCK_E_UNTRUSTED_ROOT, 0,
                         "--ca or --dir names the CA that issued it",
                         "it was issued by \"%s\", this CA is \"%s\"", issuer,
                         subject);
    config = tlsock_config_new();
    if (config == NULL)
        return cadb_nomem(err);
    if (tlsock_config_add_trust(config, ca_file) < 0)
        rc = cadb_fail(err, TLSOCK_E_OWN_FILE, 0, "", "%s: %s", ca_file,
                       tlsock_config_error(config)->message);
    else
        rc =
            tlsock_verify(c, config,
                          TLSOCK_VERIFY_OPTS(.purpose = TLSOCK_PURPOSE_ANY,
                                             .time = from > ours ? from : ours),
                          err);
    tlsock_config_unref(config);
    return rc < 0 ? rc : 0;
}

/* The very certificate that the index has? */
static int is_known(const struct cadb *db, const tlsock_cert *c)
{
    const char *serial = tlsock_cert_field(c, TLSOCK_CERT_SERIAL);
    const struct cadb_entry *e = serial != NULL ? cadb_find(db, serial) : NULL;
    const char *one, *other;
    tlsock_error none = {0};
    tlsock_cert *copy;
    int same;

    if (e == NULL)
        return 0;
    copy = tlsock_cert_load(e->file, NULL, NULL, &none);
    if (copy == NULL)
        return 0;
    one = tlsock_cert_field(c, TLSOCK_CERT_SHA256);
    other = tlsock_cert_field(copy, TLSOCK_CERT_SHA256);
    same = one != NULL && other != NULL && strcmp(one, other) == 0;
    tlsock_cert_unref(copy);
    return same;
}

int cadb_signed(const struct cadb *db, const tlsock_cert *c, tlsock_error *err)
{
    char *file;
    int rc;

    if (is_known(db, c))
        return 0;
    file = cadb_path(db->dir, NULL, "ca.pem");
    if (file == NULL)
        return cadb_nomem(err);
    rc = cadb_signed_by(db->ca, file, c, err);
    free(file);
    return rc;
}

/* A new row, not yet in the index, of a certificate that we made or verified:
 * its serial is one. */
static int row_of(const struct cadb *db, const tlsock_cert *c, int64_t issued,
                  struct cadb_entry **row, tlsock_error *err)
{
    const char *serial = tlsock_cert_field(c, TLSOCK_CERT_SERIAL);
    const char *sans = tlsock_cert_field(c, TLSOCK_CERT_SANS);
    const char *subject = tlsock_cert_field(c, TLSOCK_CERT_SUBJECT);
    char normal[48] = "";

    if (serial == NULL || sans == NULL || subject == NULL ||
        tlsock_cert_field(c, TLSOCK_CERT_NOT_BEFORE) == NULL ||
        tlsock_cert_field(c, TLSOCK_CERT_NOT_AFTER) == NULL)
        return cadb_nomem(err);
    (void)cadb_serial_normal(normal, serial);
    *row = cadb_row_new(normal, sans, subject, db->dir);
    if (*row == NULL)
        return cadb_nomem(err);
    (*row)->issued = issued;
    (*row)->expires = cadb_time_of(c, TLSOCK_CERT_NOT_AFTER);
    return 0;
}

static int add_row(struct cadb *db, struct cadb_entry *row, tlsock_error *err)
{
    int rc = cadb_row_add(&db->index, row);

    if (rc == 0)
        return 0;
    if (rc == -2)
        rc = cadb_fail(err, TLSOCK_E_ARGUMENT, 0,
                       "leave the serial out: each certificate gets its own",
                       "the serial %s was given to another certificate of "
                       "this CA",
                       row->serial);
    else
        rc = cadb_nomem(err);
    free(row);
    return rc;
}

static int save_copy(struct cadb *db, const tlsock_cert *c, const char *file,
                     tlsock_error *err)
{
    char *certs = cadb_path(db->dir, NULL, "certs");
    int rc = certs != NULL ? cadb_mkdir(certs, err) : cadb_nomem(err);

    if (rc == 0)
        rc = tlsock_cert_save(c, TLSOCK_PART_CERT, TLSOCK_FORMAT_PEM, file,
                              NULL, err);
    free(certs);
    return rc;
}

/* The copy first: see cadb.h. */
static int record(struct cadb *db, const tlsock_cert *c, int64_t issued,
                  tlsock_error *err)
{
    struct cadb_entry *row = NULL;
    int there = 0, rc = row_of(db, c, issued, &row, err);

    if (rc == 0)
        rc = add_row(db, row, err);
    if (rc != 0)
        return rc;
    rc = save_copy(db, c, row->file, err);
    if (rc == 0)
        rc = cadb_save(db, &there, err);
    if (rc != 0 && !there) {
        unlink(row->file);
        cadb_row_drop_last(&db->index);
    }
    return rc;
}

static const char *or_ours(const struct cadb *db, const char *url, int which)
{
    return url != NULL ? url : db->index.url[which];
}

tlsock_cert *cadb_issue(struct cadb *db, const tlsock_cert_opts *o,
                        tlsock_error *err)
{
    tlsock_cert_opts with = *o;
    tlsock_cert *made;

    with.issuer = db->ca;
    with.crl_url = or_ours(db, o->crl_url, CADB_URL_CRL);
    with.ocsp_url = or_ours(db, o->ocsp_url, CADB_URL_OCSP);
    with.aia_url = or_ours(db, o->aia_url, CADB_URL_AIA);
    made = tlsock_cert_create(&with, err);
    if (made == NULL || record(db, made, (int64_t)time(NULL), err) == 0)
        return made;
    tlsock_cert_unref(made);
    return NULL;
}

int cadb_adopt(struct cadb *db, const tlsock_cert *c, tlsock_error *err)
{
    const char *serial = tlsock_cert_field(c, TLSOCK_CERT_SERIAL);
    int rc;

    if (serial == NULL)
        return cadb_nomem(err);
    if (cadb_find(db, serial) != NULL)
        return 0;
    rc = cadb_signed(db, c, err);
    return rc == 0 ? record(db, c, cadb_time_of(c, TLSOCK_CERT_NOT_BEFORE), err)
                   : rc;
}

/* Copies that are no certificates of this CA are somebody's own business. */
static int adopt_copy(struct cadb *db, const char *name, size_t *added,
                      tlsock_error *err)
{
    char *path = cadb_path(db->dir, "certs", name);
    struct cadb_entry *row = NULL;
    tlsock_error why = {0};
    tlsock_cert *c;
    int rc = 0;

    if (path == NULL)
        return cadb_nomem(err);
    c = tlsock_cert_load(path, NULL, NULL, &why);
    free(path);
    if (c == NULL || cadb_signed(db, c, &why) != 0 ||
        cadb_find(db, tlsock_cert_field(c, TLSOCK_CERT_SERIAL)) != NULL) {
        tlsock_cert_unref(c);
        return why.code == TLSOCK_E_NOMEM ? cadb_nomem(err) : 0;
    }
    rc = row_of(db, c, cadb_time_of(c, TLSOCK_CERT_NOT_BEFORE), &row, err);
    if (rc == 0)
        rc = add_row(db, row, err);
    if (rc == 0)
        ++*added;
    tlsock_cert_unref(c);
    return rc;
}

int cadb_adopt_copies(struct cadb *db, tlsock_error *err)
{
    static const char *const any[] = {"", NULL};
    char *certs = cadb_path(db->dir, NULL, "certs");
    size_t added = 0;
    struct dirent *f;
    int rc = 0, there;
    DIR *d;

    if (certs == NULL)
        return cadb_nomem(err);
    cadb_sweep(certs, any);
    d = opendir(certs);
    if (d == NULL && errno != ENOENT)
        rc = cadb_fail(err, TLSOCK_E_OWN_FILE, errno, NULL, "cannot read %s",
                       certs);
    while (rc == 0 && d != NULL && (f = readdir(d)) != NULL) {
        size_t n = strlen(f->d_name);
        char serial[48];

        if (n < 5 || n > 44 || strcmp(f->d_name + n - 4, ".pem") != 0)
            continue;
        memcpy(serial, f->d_name, n - 4);
        serial[n - 4] = '\0';
        if (cadb_serial_normal(serial, serial) == 0 &&
            cadb_find(db, serial) == NULL)
            rc = adopt_copy(db, f->d_name, &added, err);
    }
    if (d != NULL)
        closedir(d);
    free(certs);
    return rc == 0 && added > 0 ? cadb_save(db, &there, err) : rc;
}
