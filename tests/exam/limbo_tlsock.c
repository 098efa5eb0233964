/* The path-validation exams' question, asked of the public API alone. */
#include "limbo_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlsock.h>
#include <tlsock/cert.h>
#include <tlsock/config.h>

const char *limbo_verifier_name(void)
{
    return "tlsock";
}

static char *joined(const struct limbo_case *tc)
{
    size_t size = strlen(tc->peer) + 2, used;
    char *text;

    for (size_t i = 0; i < tc->n_untrusted; i++)
        size += strlen(tc->untrusted[i]) + 1;
    text = malloc(size);
    if (text == NULL)
        return NULL;
    used = (size_t)snprintf(text, size, "%s\n", tc->peer);
    for (size_t i = 0; i < tc->n_untrusted; i++)
        used += (size_t)snprintf(text + used, size - used, "%s\n",
                                 tc->untrusted[i]);
    return text;
}

static tlsock_config *config_of(const struct limbo_case *tc, char *why,
                                size_t whylen)
{
    tlsock_config *c = tlsock_config_new();
    int rc = tlsock_config_add_trust(c, "none");

    for (size_t i = 0; i < tc->n_trusted && rc >= 0; i++)
        rc = tlsock_config_add_trust(c, tc->trusted[i]);
    for (size_t i = 0; i < tc->n_crls && rc >= 0; i++)
        rc = tlsock_config_add_crl(c, tc->crls[i]);
    if (rc >= 0 && tc->n_crls > 0)
        rc = tlsock_config_set(c, "revocation", "crl");
    if (rc >= 0)
        return c;
    snprintf(why, whylen, "%s", tlsock_config_error(c)->message);
    tlsock_config_unref(c);
    return NULL;
}

/* As tlsock_verify() has it: "mail:" before an address of e-mail. */
static const char *name_of(const struct limbo_peer_name *n, char *out,
                           size_t size)
{
    if (n->kind == LIMBO_NONE)
        return NULL;
    snprintf(out, size, "%s%s", n->kind == LIMBO_RFC822 ? "mail:" : "",
             n->value);
    return out;
}

static int ask(const struct limbo_case *tc, const tlsock_cert *c,
               tlsock_config *config, const struct limbo_peer_name *peer,
               int purpose, tlsock_error *err)
{
    char name[512];
    tlsock_verify_opts o;

    tlsock_verify_opts_init(&o, sizeof(o));
    o.name = name_of(peer, name, sizeof(name));
    o.purpose = purpose;
    o.time = tc->when == (time_t)-1 ? 0 : (int64_t)tc->when;
    o.depth = tc->max_depth < 0 ? 0 : tc->max_depth == 0 ? -1 : tc->max_depth;
    return tlsock_verify(c, config, &o, err);
}

/* Every purpose that is asked for, with every name. */
static int ask_all(const struct limbo_case *tc, const tlsock_cert *c,
                   tlsock_config *config, tlsock_error *err)
{
    static const struct limbo_peer_name none = {LIMBO_NONE, NULL};
    const struct limbo_peer_name *names =
        tc->kind == LIMBO_SERVER ? &tc->name : tc->names;
    size_t n_names = tc->kind == LIMBO_SERVER ? 1 : tc->n_names;
    size_t n_ekus = tc->n_ekus > 0 ? tc->n_ekus : 1;
    int rc = 0;

    if (n_names == 0) {
        names = &none;
        n_names = 1;
    }
    for (size_t e = 0; e < n_ekus && rc == 0; e++) {
        int purpose = tc->kind == LIMBO_CLIENT ? TLSOCK_PURPOSE_CLIENT
                                               : TLSOCK_PURPOSE_SERVER;

        if (tc->n_ekus > 0)
            purpose =
                strcmp(tc->ekus[e], "serverAuth") == 0   ? TLSOCK_PURPOSE_SERVER
                : strcmp(tc->ekus[e], "clientAuth") == 0 ? TLSOCK_PURPOSE_CLIENT
                                                         : TLSOCK_PURPOSE_ANY;
        for (size_t i = 0; i < n_names && rc == 0; i++)
            rc = ask(tc, c, config, &names[i], purpose, err);
    }
    return rc;
}

int limbo_verify(const struct limbo_case *tc, const char *profile, char *why,
                 size_t whylen)
{
    tlsock_config *config = config_of(tc, why, whylen);
    char *text = joined(tc);
    tlsock_error err = {0};
    tlsock_cert *c = NULL;
    int ok = 0;

    (void)profile;
    if (config != NULL && text != NULL) {
        c = tlsock_cert_parse(text, strlen(text), NULL, &err);
        ok = c != NULL && ask_all(tc, c, config, &err) == 0;
        if (!ok)
            snprintf(why, whylen, "%s: %s", tlsock_errslug(err.code),
                     err.message);
    }
    tlsock_cert_unref(c);
    tlsock_config_unref(config);
    free(text);
    return ok;
}
