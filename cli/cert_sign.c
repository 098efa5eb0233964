/* cert sign - answers a signing request, and says what became of its wishes. */
#include "asked.h"
#include "ca_opts.h"
#include "certfield.h"
#include "certopts.h"
#include "commands.h"
#include "errors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    OPT_OUT = OPT_OWN,
    OPT_DAYS,
    OPT_SAN,
    OPT_SUBJECT,
    OPT_PURPOSE,
    OPT_ALLOW,
    OPT_MAKE_CA,
    OPT_PATHLEN,
    OPT_PERMITTED,
    OPT_FORCE
};

struct sign {
    struct opts o;
    struct certout files;
    const char *subject, *purpose, *allow, *permitted;
    struct strs sans;
    int make_ca;
    long days, pathlen;
    struct signer by;
    char prefix[LOCAL_PATH];
};

static struct poptOption options[] = {
    {"ca", '\0', POPT_ARG_STRING, NULL, OPT_CA,
     "who signs it (default: the local CA)", "DIR|FILE"},
    {"pass", '\0', POPT_ARG_STRING, NULL, OPT_PASS,
     "where the password of the CA's key is", "file:FILE|env:NAME|fd:N|prompt"},
    {"out", '\0', POPT_ARG_STRING, NULL, OPT_OUT,
     "write PREFIX.pem (default: beside the request, ending in .pem)",
     "PREFIX"},
    {"force", '\0', POPT_ARG_NONE, NULL, OPT_FORCE, "replace an existing file",
     NULL},
    POPT_TABLEEND};

static struct poptOption content[] = {
    {"days", '\0', POPT_ARG_STRING, NULL, OPT_DAYS, "lifetime (default: 90)",
     "N"},
    {"name", '\0', POPT_ARG_STRING, NULL, OPT_SAN,
     "for this name instead of those it asks for; as often as needed", "NAME"},
    {"subject", '\0', POPT_ARG_STRING, NULL, OPT_SUBJECT,
     "this subject instead of its own", "CN=...,O=..."},
    {"purpose", '\0', POPT_ARG_STRING, NULL, OPT_PURPOSE,
     "what it is good for (default: server,client)", "LIST"},
    {"allow-ext", '\0', POPT_ARG_STRING, NULL, OPT_ALLOW,
     "also take over these extensions as the request has them", "LIST|all"},
    {"make-ca", '\0', POPT_ARG_NONE, NULL, OPT_MAKE_CA,
     "it becomes a CA, for the names in --permitted", NULL},
    {"pathlen", '\0', POPT_ARG_STRING, NULL, OPT_PATHLEN,
     "with --make-ca: how many CAs may be below it (default: 0)", "N"},
    {"permitted", '\0', POPT_ARG_STRING, NULL, OPT_PERMITTED,
     "with --make-ca: what it may sign (default: local names)", "LIST"},
    POPT_TABLEEND};

static struct poptOption table[] = {
    OPT_GROUP(options, "Signing:"), OPT_GROUP(content, "Certificate:"),
    OPT_GROUP(opt_output, "Output:"), POPT_TABLEEND};

static int take_san(struct sign *s, const char *arg)
{
    const char *san = NULL;
    int rc = certname_take(&s->o, arg, &san);

    return rc == 0 ? opt_push(&s->o, &s->sans, san) : rc;
}

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct sign *s = own;

    switch (val) {
    case OPT_OUT:
        s->files.prefix = arg;
        return 0;
    case OPT_DAYS:
        return opt_number(o, "--days", arg, 1, 36500, &s->days);
    case OPT_SAN:
        return take_san(s, arg);
    case OPT_SUBJECT:
        s->subject = arg;
        return 0;
    case OPT_PURPOSE:
        s->purpose = arg;
        return 0;
    case OPT_ALLOW:
        s->allow = arg;
        return 0;
    case OPT_MAKE_CA:
        s->make_ca = 1;
        return 0;
    case OPT_PATHLEN:
        return opt_number(o, "--pathlen", arg, 0, 100, &s->pathlen);
    case OPT_PERMITTED:
        s->permitted = arg;
        return 0;
    default:
        s->files.force = 1;
        return 0;
    }
}

static const struct opt_spec spec = {
    .command = "cert sign",
    .usage = "[options] CSR",
    .about = "Signs a request (PKCS#10, PEM or DER) with a CA, which records "
             "it. The request's names and subject are taken over, and its "
             "usages if they are harmless; nothing else unless --allow-ext "
             "names it. What was asked for and what came of it is shown.",
    .after = "  tlsock cert sign app.csr\n"
             "  tlsock cert sign app.csr --name app.test --days 30\n",
    .table = table,
    .take = take,
    .min_args = 1,
    .max_args = 1};

/* app.csr becomes app.pem; app.pem, which is the request, app-cert.pem. */
static void default_prefix(struct sign *s)
{
    static const char *const endings[] = {".csr", ".req", ".p10", ".der"};
    const char *csr = s->o.args.v[0];
    size_t len = strlen(csr);

    if (s->files.prefix != NULL)
        return;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        if (len > 4 && strcasecmp(csr + len - 4, endings[i]) == 0) {
            snprintf(s->prefix, sizeof(s->prefix), "%.*s", (int)len - 4, csr);
            s->files.prefix = s->prefix;
            return;
        }
    }
    if (len > 4 && strcasecmp(csr + len - 4, ".pem") == 0)
        len -= 4;
    snprintf(s->prefix, sizeof(s->prefix), "%.*s-cert", (int)len, csr);
    s->files.prefix = s->prefix;
}

static int settle(struct sign *s)
{
    if (!s->make_ca && (s->permitted != NULL || s->pathlen != 0))
        return err_usage(&s->o.out, s->o.command, "--make-ca, or leave it out",
                         "%s is for a CA alone",
                         s->permitted != NULL ? "--permitted" : "--pathlen");
    s->files.out = &s->o.out;
    s->files.command = s->o.command;
    s->files.what = CERTOUT_CERT;
    default_prefix(s);
    return certout_choose(&s->files, "cert");
}

static int open_ca(struct sign *s)
{
    int rc = ca_open_signer(&s->by, &s->o.out, opt_ca(&s->o), opt_pass(&s->o));

    if (rc != 0 || s->by.where != NULL)
        return rc;
    return err_plain(&s->o.out, s->o.command, EXIT_OWN, "own-file",
                     "tlsock ca init makes one; --ca DIR|FILE names another",
                     "there is no local CA to sign with");
}

static int make(struct sign *s, tlsock_cert **made)
{
    const char *permitted =
        s->permitted != NULL ? s->permitted : local_permitted;
    tlsock_error err = {0};

    *made = signer_issue(
        &s->by,
        TLSOCK_CERT_OPTS(.csr = s->o.args.v[0], .subject = s->subject,
                         .sans = s->sans.v, .n_sans = s->sans.n,
                         .days = (int)s->days, .purpose = s->purpose,
                         .csr_ext = s->allow, .ca = s->make_ca,
                         .pathlen = (int)s->pathlen,
                         .permitted = s->make_ca ? permitted : NULL),
        &err);
    return *made != NULL ? 0 : err_report(&s->o.out, s->o.args.v[0], &err, 1);
}

static int report_json(const struct sign *s, const struct asked *a,
                       const tlsock_cert *made)
{
    json_t *obj = json_object(), *rows = json_array(), *asked = json_object();

    for (size_t i = 0; i < a->n; i++) {
        json_t *row = json_object();

        json_object_set_new(row, "name", out_json_text(a->ext[i].name));
        json_object_set_new(row, "critical", json_boolean(a->ext[i].critical));
        json_object_set_new(row, "value", out_json_text(a->ext[i].text));
        json_object_set_new(row, "result",
                            json_string(asked_word(a->ext[i].fate)));
        json_array_append_new(rows, row);
    }
    json_object_set_new(asked, "subject", out_json_text(a->subject));
    json_object_set_new(asked, "subject_kept", json_boolean(a->subject_kept));
    json_object_set_new(asked, "extensions", rows);
    json_object_set_new(obj, "schema", json_string("tlsock.cert-sign/1"));
    json_object_set_new(obj, "request", out_json_text(s->o.args.v[0]));
    json_object_set_new(obj, "certificate",
                        out_json_text(s->files.path[CERTOUT_AT_CERT]));
    json_object_set_new(obj, "asked", asked);
    certname_field(obj, "subject", made, TLSOCK_CERT_SUBJECT);
    json_object_set_new(obj, "names",
                        certname_json(certfield(made, TLSOCK_CERT_SANS)));
    certname_field(obj, "usage", made, TLSOCK_CERT_USAGE);
    certname_field(obj, "serial", made, TLSOCK_CERT_SERIAL);
    certname_field(obj, "issuer", made, TLSOCK_CERT_ISSUER);
    certname_field(obj, "not_after", made, TLSOCK_CERT_NOT_AFTER);
    return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

static int report(const struct sign *s, const struct asked *a,
                  const tlsock_cert *made)
{
    char text[LOCAL_PATH];
    int dropped = 0;

    printf("created  %s   certificate, %s, to %.10s\n",
           out_clean(text, sizeof(text), s->files.path[CERTOUT_AT_CERT]),
           certfield(made, TLSOCK_CERT_KEY_TYPE),
           certfield(made, TLSOCK_CERT_NOT_AFTER));
    certname_print("names", certfield(made, TLSOCK_CERT_SANS));
    printf("subject  %s\n", certfield_text(made, TLSOCK_CERT_SUBJECT));
    printf("usage    %s\n", certfield_text(made, TLSOCK_CERT_USAGE));
    printf("issuer   %s\n", certfield_text(made, TLSOCK_CERT_ISSUER));
    if (!a->subject_kept && a->subject[0] != '\0')
        printf("changed  subject: asked for %s\n", a->subject);
    for (size_t i = 0; i < a->n; i++) {
        const struct asked_one *e = &a->ext[i];

        printf("%-8s %s%s: %s\n", asked_word(e->fate), e->name,
               e->critical ? ", critical" : "", e->text);
        dropped += e->fate != ASKED_KEPT;
    }
    if (dropped > 0 && s->allow == NULL)
        printf("         --allow-ext NAME takes an extension over as it is\n");
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

static int tell(const struct sign *s, const tlsock_cert *made)
{
    struct asked a;
    int rc = EXIT_GOOD;

    if (s->o.out.quiet && !s->o.out.json)
        return rc;
    errno = 0;
    if (asked_compare(&a, s->o.args.v[0], s->files.path[CERTOUT_AT_CERT]) < 0)
        rc = err_plain(&s->o.out, s->o.args.v[0],
                       errno == ENOMEM ? EXIT_INTERNAL : EXIT_OWN,
                       errno == ENOMEM ? "no-memory" : "own-file",
                       "the certificate is good; look at it with tlsock cert "
                       "show",
                       "the request cannot be compared with the certificate: "
                       "%s",
                       errno == ENOMEM ? "out of memory"
                       : errno != 0    ? strerror(errno)
                                       : "it is another one by now");
    else
        rc = s->o.out.json ? report_json(s, &a, made) : report(s, &a, made);
    asked_free(&a);
    return rc;
}

static int run(struct sign *s)
{
    tlsock_cert *made = NULL;
    int rc = settle(s);

    if (rc == 0)
        rc = certout_reserve(&s->files);
    if (rc == 0)
        rc = open_ca(s);
    if (rc == 0)
        rc = make(s, &made);
    signer_close(&s->by);
    if (rc == 0)
        rc = certout_save(&s->files, made);
    if (rc == 0)
        rc = tell(s, made);
    certout_undo(&s->files);
    tlsock_cert_unref(made);
    return rc;
}

int cmd_cert_sign(int argc, const char **argv)
{
    struct sign s = {.days = 0};
    int rc = opt_parse(&s.o, &spec, &s, argc, argv);

    if (rc == -1)
        rc = run(&s);
    free(s.sans.v);
    opt_free(&s.o);
    return rc;
}
