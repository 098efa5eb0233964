/* make_help - what the tests of making certificates share. */
#ifndef MAKE_HELP_H
#define MAKE_HELP_H

#include "cert_help.h"

#include <openssl/x509v3.h>

/* Not made, with this code, and words of the message and the hint. */
static inline void refused(const tlsock_cert_opts *o, int code,
                           const char *fact, const char *hint)
{
    tlsock_error err = {0};

    if (tlsock_cert_create(o, &err) != NULL)
        fail_msg("made, though: %s", fact);
    assert_code(err.code, code);
    assert_tells(err.message, fact);
    assert_true(err.hint[0] != '\0');
    if (hint != NULL)
        assert_tells(err.hint, hint);
    assert_null(tlsock_cert_create(o, NULL));
}

/* 1, 0; -1: not there */
static inline int ext_critical(const tlsock_cert *c, int nid)
{
    int at = X509_get_ext_by_NID(c->leaf, nid, -1);

    return at < 0 ? -1
                  : X509_EXTENSION_get_critical(X509_get_ext(c->leaf, at));
}

#endif
