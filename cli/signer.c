#include "signer.h"

#include "local.h"

#include <string.h>

int signer_open(struct signer *s, const char *where, const char *pass_uri,
                tlsock_error *err)
{
    s->db = NULL;
    s->own = NULL;
    s->where = NULL;
    if (where == NULL) {
        if (local_dir(s->dir) < 0 || !local_exists(s->dir))
            return 0;
        s->where = s->dir;
        return cadb_open(&s->db, s->dir, pass_uri, CADB_WRITE, err);
    }
    s->where = where;
    if (local_ca_dir(s->dir, where))
        return cadb_open(&s->db, s->dir, pass_uri, CADB_WRITE, err);
    s->own = local_load(where, pass_uri, err);
    return s->own != NULL ? 0 : err->code;
}

void signer_close(struct signer *s)
{
    cadb_close(s->db);
    tlsock_cert_unref(s->own);
    s->db = NULL;
    s->own = NULL;
}

const tlsock_cert *signer_ca(const struct signer *s)
{
    return s->db != NULL ? cadb_ca(s->db) : s->own;
}

int signer_signed(const struct signer *s, const tlsock_cert *c,
                  tlsock_error *err)
{
    return s->db != NULL ? cadb_signed(s->db, c, err)
                         : cadb_signed_by(s->own, s->where, c, err);
}

tlsock_cert *signer_issue(struct signer *s, const tlsock_cert_opts *o,
                          tlsock_error *err)
{
    tlsock_cert_opts with = *o;

    if (s->db != NULL)
        return cadb_issue(s->db, o, err);
    with.issuer = s->own;
    return tlsock_cert_create(&with, err);
}
