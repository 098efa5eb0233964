#include "certopts.h"

#include "certfield.h"
#include "errors.h"

#include <stdlib.h>
#include <string.h>

enum {
    OPT_SUBJECT = OPT_OWN,
    OPT_KEY_TYPE,
    OPT_KEY_FILE,
    OPT_PURPOSE,
    OPT_CLIENT,
    OPT_LIKE,
    OPT_EXT,
    OPT_MUST_STAPLE,
    OPT_DIGEST,
    OPT_MAKE_CA,
    OPT_PATHLEN,
    OPT_DAYS,
    OPT_NOT_BEFORE,
    OPT_NOT_AFTER,
    OPT_ISSUER,
    OPT_SELF,
    OPT_PERMITTED,
    OPT_ANY_NAME,
    OPT_CRL_URL,
    OPT_OCSP_URL,
    OPT_AIA_URL,
    OPT_SERIAL,
    OPT_OUT,
    OPT_FORCE,
    OPT_KEY_PASS,
    OPT_P12,
    OPT_NEW_PASS
};

#define TEXT(name, id, help, arg)                                              \
    {                                                                          \
        name, '\0', POPT_ARG_STRING, NULL, id, help, arg                       \
    }
#define FLAG(name, id, help)                                                   \
    {                                                                          \
        name, '\0', POPT_ARG_NONE, NULL, id, help, NULL                        \
    }
#define PASS_ARG "file:FILE|env:NAME|fd:N|prompt"

struct poptOption certopts_what[] = {
    TEXT("subject", OPT_SUBJECT, "its subject (default: the first name)",
         "CN=...,O=..."),
    TEXT("key-type", OPT_KEY_TYPE, "kind of the new key (default: ec:P-256)",
         "ec:P-256|ec:P-384|ec:P-521|rsa:3072|ed25519|ml-dsa-65"),
    TEXT("key", OPT_KEY_FILE, "use this key, make none", "FILE|pkcs11:..."),
    TEXT("like", OPT_LIKE,
         "subject, names, purposes, kind of key of this certificate", "FILE"),
    FLAG("client", OPT_CLIENT, "for a client, not for a server"),
    TEXT("purpose", OPT_PURPOSE, "what it is for (default: server,client)",
         "server,client,codeSigning,email,..."),
    FLAG("must-staple", OPT_MUST_STAPLE,
         "clients shall insist on a stapled OCSP answer"),
    TEXT("ext", OPT_EXT, "an extension as openssl.cnf writes it; repeatable",
         "NAME=VALUE"),
    TEXT("digest", OPT_DIGEST, "of the signature (default: sha256)",
         "sha256|sha384|sha512"),
    FLAG("make-ca", OPT_MAKE_CA, "for a CA; NAME is the name of the CA"),
    TEXT("pathlen", OPT_PATHLEN, "CA: how many CAs below it (default: 0)",
         "N|any"),
    POPT_TABLEEND};

struct poptOption certopts_new[] = {
    TEXT("ca", OPT_ISSUER,
         "who signs it (default: the local CA, if there is one)", "DIR|FILE"),
    FLAG("self-signed", OPT_SELF, "no CA signs it, even if there is one"),
    TEXT("pass", OPT_PASS, "where the password of the CA's key is", PASS_ARG),
    TEXT("days", OPT_DAYS, "lifetime (default: 90, a CA 3650)", "N"),
    TEXT("not-before", OPT_NOT_BEFORE, "valid from (default: now)",
         "2026-12-31[T10:00:00Z]"),
    TEXT("not-after", OPT_NOT_AFTER, "valid to, that day included",
         "2026-12-31[T10:00:00Z]"),
    TEXT("serial", OPT_SERIAL, "serial number (default: random, 128 bits)",
         "HEX"),
    TEXT("permitted", OPT_PERMITTED,
         "CA: names and networks it may sign, separated by commas", "LIST"),
    FLAG("any-name", OPT_ANY_NAME,
         "CA: let it sign every name that its issuer may sign"),
    TEXT("crl-url", OPT_CRL_URL, "where the issuer's CRL is", "URL"),
    TEXT("ocsp-url", OPT_OCSP_URL, "where the issuer answers OCSP", "URL"),
    TEXT("aia-url", OPT_AIA_URL, "where the issuer's certificate is", "URL"),
    FLAG("p12", OPT_P12, "also write PREFIX.p12, under --new-pass"),
    TEXT("new-pass", OPT_NEW_PASS, "where the password for PREFIX.p12 is",
         PASS_ARG),
    POPT_TABLEEND};

struct poptOption certopts_files[] = {
    TEXT("out", OPT_OUT, "what the files are called (default: the first name)",
         "PREFIX|DIR/"),
    TEXT("key-pass", OPT_KEY_PASS,
         "where the key's password is: encrypts the new key, opens the one "
         "of --key",
         PASS_ARG),
    FLAG("force", OPT_FORCE, "replace existing files"), POPT_TABLEEND};

static int take_pathlen(struct certopts *c, struct opts *o, const char *arg)
{
    c->ca_words |= 2;
    if (strcmp(arg, "any") == 0) {
        c->pathlen = -1;
        return 0;
    }
    return opt_number(o, "--pathlen", arg, 0, 100, &c->pathlen);
}

static int take_flag(struct certopts *c, int val)
{
    switch (val) {
    case OPT_CLIENT:
        c->client = 1;
        return 0;
    case OPT_MUST_STAPLE:
        return opt_push(&c->o, &c->ext, "tlsfeature=status_request");
    case OPT_MAKE_CA:
        c->want.ca = 1;
        return 0;
    case OPT_SELF:
        c->self = 1;
        return 0;
    case OPT_ANY_NAME:
        c->any_name = 1;
        c->ca_words |= 2;
        return 0;
    case OPT_P12:
        c->p12 = 1;
        return 0;
    default:
        c->files.force = 1;
        return 0;
    }
}

/* Options that are one text, and where it goes. */
static const char **text_of(struct certopts *c, int val)
{
    switch (val) {
    case OPT_SUBJECT:
        return &c->want.subject;
    case OPT_PURPOSE:
        return &c->want.purpose;
    case OPT_LIKE:
        return &c->like_file;
    case OPT_DIGEST:
        return &c->want.digest;
    case OPT_NOT_BEFORE:
        return &c->from;
    case OPT_NOT_AFTER:
        return &c->to;
    case OPT_ISSUER:
        return &c->ca;
    case OPT_CRL_URL:
        return &c->want.crl_url;
    case OPT_OCSP_URL:
        return &c->want.ocsp_url;
    case OPT_AIA_URL:
        return &c->want.aia_url;
    case OPT_SERIAL:
        return &c->want.serial;
    case OPT_OUT:
        return &c->files.prefix;
    default:
        return NULL;
    }
}

static int take_key(struct certopts *c, int val, const char *arg)
{
    int is_file = val == OPT_KEY_FILE;

    if (c->want.key != NULL)
        return err_usage(&c->o.out, c->o.command, "leave one of them out",
                         "--key and --key-type, or one of them twice");
    c->want.key = arg;
    if (is_file)
        c->files.what &= ~CERTOUT_KEY;
    return 0;
}

int certopts_take(void *own, struct opts *o, int val, const char *arg)
{
    struct certopts *c = own;
    const char **text = text_of(c, val);

    if (text != NULL) {
        *text = arg;
        return 0;
    }
    switch (val) {
    case OPT_KEY_TYPE:
    case OPT_KEY_FILE:
        return take_key(c, val, arg);
    case OPT_EXT:
        return opt_push(o, &c->ext, arg);
    case OPT_PATHLEN:
        return take_pathlen(c, o, arg);
    case OPT_PERMITTED:
        c->want.permitted = arg;
        c->ca_words |= 2;
        return 0;
    case OPT_DAYS:
        return opt_number(o, "--days", arg, 1, 36500, &c->days);
    case OPT_KEY_PASS:
        return opt_take_pass(o, "--key-pass", arg,
                             (c->files.what & CERTOUT_KEY) != 0, &c->key_pass);
    case OPT_NEW_PASS:
        return opt_take_pass(o, "--new-pass", arg, 1, &c->new_pass);
    default:
        return take_flag(c, val);
    }
}

static int contradiction(const struct certopts *c, const char *fix,
                         const char *what)
{
    return err_usage(&c->o.out, c->o.command, fix, "%s", what);
}

static int check(const struct certopts *c)
{
    const char *out = "leave one of them out";

    if (c->self && c->ca != NULL)
        return contradiction(c, out, "--self-signed and --ca together");
    if (c->client && c->want.purpose != NULL)
        return contradiction(c, "--purpose client,... says the same",
                             "--client and --purpose together");
    if (c->client && c->want.ca)
        return contradiction(c, out, "--client and --make-ca together");
    if (c->days != 0 && c->to != NULL)
        return contradiction(c, out, "--days and --not-after together");
    if (c->any_name && c->want.permitted != NULL)
        return contradiction(c, out, "--any-name and --permitted together");
    if (c->ca_words != 0 && !c->want.ca)
        return contradiction(c, "add --make-ca, or leave them out",
                             "--permitted, --any-name and --pathlen are for a "
                             "CA alone");
    if (c->p12 && c->new_pass == NULL)
        return contradiction(c,
                             "--new-pass file:FILE, env:NAME, fd:N or prompt",
                             "--p12 needs a password for PREFIX.p12");
    if (!c->p12 && c->new_pass != NULL)
        return contradiction(c, "--p12, or --key-pass to encrypt PREFIX.key",
                             "--new-pass without --p12");
    return 0;
}

static int settle_names(struct certopts *c)
{
    int rc = 0;

    if (c->want.ca && c->o.args.n > 1)
        return err_usage(&c->o.out, c->o.command,
                         "write it in quotes, as one word: 'My CA'",
                         "a CA has one name, here are %zu", c->o.args.n);
    if (c->want.ca && c->want.subject == NULL && c->o.args.n == 1) {
        certname_subject(c->cn, sizeof(c->cn), c->o.args.v[0]);
        c->want.subject = c->cn;
        return 0;
    }
    for (size_t i = 0; rc == 0 && i < c->o.args.n; i++) {
        const char *san = NULL;

        rc = certname_take(&c->o, c->o.args.v[i], &san);
        if (rc == 0)
            rc = opt_push(&c->o, &c->sans, san);
    }
    if (rc == 0 && c->o.args.n == 0 && c->want.subject == NULL &&
        c->like_file == NULL)
        rc = err_usage(&c->o.out, c->o.command,
                       "name the host it is for; --subject alone does for a "
                       "client or a CA, --like FILE takes the names of FILE",
                       "no NAME is given");
    return rc;
}

static int settle_time(struct certopts *c)
{
    int rc = 0;

    if (c->from != NULL)
        rc = certname_time(&c->o, "--not-before", c->from, 0,
                           &c->want.not_before);
    if (rc == 0 && c->to != NULL)
        rc = certname_time(&c->o, "--not-after", c->to, 1, &c->want.not_after);
    c->want.days = (int)c->days;
    return rc;
}

/* What the files are called: the first name, or what comes nearest. */
static int settle_files(struct certopts *c)
{
    const char *name = "certificate", *cn = NULL;
    char part[200];

    if (c->o.args.n > 0)
        name = c->o.args.v[0];
    else if (c->want.subject != NULL)
        cn = strstr(c->want.subject, "CN=");
    else if (c->like != NULL)
        name = certfield(c->like, TLSOCK_CERT_CN);
    if (cn != NULL) {
        snprintf(part, sizeof(part), "%.*s", (int)strcspn(cn + 3, ",+"),
                 cn + 3);
        name = part;
    }
    if (name == NULL || name[0] == '\0')
        name = "certificate";
    if (strncmp(name, "DNS:", 4) == 0 || strncmp(name, "URI:", 4) == 0)
        name += 4;
    else if (strncmp(name, "EMAIL:", 6) == 0)
        name += 6;
    else if (strncmp(name, "IP:", 3) == 0)
        name += 3;
    c->files.out = &c->o.out;
    c->files.command = c->o.command;
    c->files.p12_pass = c->new_pass;
    if (c->p12)
        c->files.what |= CERTOUT_P12;
    if ((c->files.what & CERTOUT_KEY) != 0)
        c->files.key_pass = c->key_pass;
    else
        c->want.pass = c->key_pass;
    return certout_choose(&c->files, name);
}

int certopts_settle(struct certopts *c)
{
    tlsock_error err = {0};
    int rc = check(c);

    if (rc == 0)
        rc = settle_names(c);
    if (rc == 0)
        rc = settle_time(c);
    if (rc == 0 && c->like_file != NULL) {
        c->like = tlsock_cert_load(c->like_file, NULL, NULL, &err);
        if (c->like == NULL)
            rc = err_report(&c->o.out, c->like_file, &err, 1);
    }
    if (rc == 0)
        rc = settle_files(c);
    c->want.size = sizeof(c->want);
    c->want.sans = c->sans.v;
    c->want.n_sans = c->sans.n;
    c->want.ext = c->ext.v;
    c->want.n_ext = c->ext.n;
    c->want.like = c->like;
    if (c->want.ca)
        c->want.pathlen = (int)c->pathlen;
    if (c->client)
        c->want.purpose = "client";
    return rc;
}

void certopts_hint(tlsock_error *err)
{
    if (err->code == TLSOCK_E_NO_NAME)
        snprintf(err->hint, sizeof(err->hint),
                 "name the host too, such as app.test; --client makes one that "
                 "is for a client alone");
}

void certopts_free(struct certopts *c)
{
    tlsock_cert_unref(c->like);
    free(c->sans.v);
    free(c->ext.v);
    opt_free(&c->o);
}
