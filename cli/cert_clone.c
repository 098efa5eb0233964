/* cert clone - a copy of a certificate that was seen, under one's own CA. */
#include "ca_opts.h"
#include "certfield.h"
#include "certopts.h"
#include "commands.h"
#include "errors.h"
#include "source.h"

#include <string.h>

enum { OPT_OUT = OPT_OWN, OPT_ISSUER, OPT_CA_PASS, OPT_FORCE };

struct cloning {
    struct opts o;
    struct certout files;
    struct signer signer;
    const char *ca, *ca_pass;
    tlsock_cert *seen, *made;
    int recorded;
};

static struct poptOption options[] = {
    {"ca", '\0', POPT_ARG_STRING, NULL, OPT_ISSUER,
     "who signs it (default: the local CA)", "DIR|FILE"},
    {"pass", '\0', POPT_ARG_STRING, NULL, OPT_CA_PASS,
     "where the password of the CA's key is", "file:FILE|env:NAME|fd:N|prompt"},
    {"out", '\0', POPT_ARG_STRING, NULL, OPT_OUT,
     "write PREFIX.pem and PREFIX.key (default: the first name)", "PREFIX"},
    {"force", '\0', POPT_ARG_NONE, NULL, OPT_FORCE, "replace existing files",
     NULL},
    POPT_TABLEEND};

/* --pass is of the CA's key, as in cert new. */
static struct poptOption source_options[] = {
    {"file-pass", '\0', POPT_ARG_STRING, NULL, OPT_PASS,
     "where the password of FILE is", "file:FILE|env:NAME|fd:N|prompt"},
    {"name", '\0', POPT_ARG_STRING, NULL, OPT_NAME,
     "name to ask a server for (SNI)", "NAME"},
    POPT_TABLEEND};

static struct poptOption table[] = {
    OPT_GROUP(options, "Clone:"),       OPT_GROUP(source_options, "Source:"),
    OPT_GROUP(opt_network, "Network:"), OPT_GROUP(opt_evidence, "Evidence:"),
    OPT_GROUP(opt_output, "Output:"),   POPT_TABLEEND};

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct cloning *w = own;

    switch (val) {
    case OPT_ISSUER:
        w->ca = arg;
        return 0;
    case OPT_CA_PASS:
        return opt_take_pass(o, "--pass", arg, 0, &w->ca_pass);
    case OPT_OUT:
        w->files.prefix = arg;
        return 0;
    default:
        w->files.force = 1;
        return 0;
    }
}

static const struct opt_spec spec = {
    .command = "cert clone",
    .usage = "[options] FILE|HOST:PORT|URL",
    .about = "Makes a copy of a certificate under a CA of your own: same "
             "subject, names, dates, purposes and kind of key, with a new key "
             "and serial number. Nothing that points to the real issuer is "
             "copied, and a copy is never a CA. The certificate is taken as it "
             "is: an expired one gives an expired copy. Existing files are "
             "never replaced without --force.",
    .after = "  tlsock cert clone www.example.com:443 --ca ./test-ca\n"
             "  tlsock cert clone seen.pem --out copy\n",
    .table = table,
    .take = take,
    .min_args = 1,
    .max_args = 1};

static const char *field(const tlsock_cert *c, int item)
{
    const char *text = certfield(c, item);

    return text != NULL ? text : "";
}

/* For the files: the first name without its kind, or the CN. */
static void first_name(char *out, size_t size, const tlsock_cert *c)
{
    const char *sans = field(c, TLSOCK_CERT_SANS);
    const char *colon = strchr(sans, ':');
    size_t len = strcspn(sans, ",");

    if (colon != NULL && colon < sans + len && colon + 1 < sans + len)
        snprintf(out, size, "%.*s", (int)(sans + len - colon - 1), colon + 1);
    else if (field(c, TLSOCK_CERT_CN)[0] != '\0')
        snprintf(out, size, "%s", field(c, TLSOCK_CERT_CN));
    else
        snprintf(out, size, "clone");
}

static int open_signer(struct cloning *w)
{
    int rc = ca_open_signer(&w->signer, &w->o.out, w->ca, w->ca_pass);

    if (rc != 0 || w->signer.where != NULL)
        return rc;
    return err_plain(&w->o.out, w->o.args.v[0], EXIT_OWN, "own-file",
                     "make one: tlsock ca init --any-name --dir DIR, then --ca "
                     "DIR",
                     "there is no local CA to sign the copy");
}

/* The local CA signs for local names alone, and a real name is what a copy is
 * mostly wanted for. */
static int refused(struct cloning *w, tlsock_error *err)
{
    if (err->code == TLSOCK_E_PURPOSE && err->presented[0] != '\0')
        snprintf(err->hint, sizeof(err->hint),
                 "name a CA that may sign for it: tlsock ca init --any-name "
                 "--dir DIR, then --ca DIR; trust that one on test machines "
                 "alone");
    return err_report(&w->o.out, w->o.args.v[0], err, 1);
}

/* The index takes what is valid now: of the others there is nothing to
 * revoke, or not yet. */
static int record(struct cloning *w, tlsock_error *err)
{
    int rc = w->signer.db != NULL ? cadb_adopt(w->signer.db, w->made, err)
                                  : TLSOCK_E_EXPIRED;

    w->recorded = rc == 0;
    if (rc == 0 || rc == TLSOCK_E_EXPIRED || rc == TLSOCK_E_NOT_YET_VALID)
        return 0;
    return err_report(&w->o.out, w->signer.where, err, 1);
}

static int make(struct cloning *w)
{
    char name[300];
    tlsock_error err = {0};
    int rc;

    first_name(name, sizeof(name), w->seen);
    rc = certout_choose(&w->files, name);
    if (rc == 0)
        rc = open_signer(w);
    if (rc == 0)
        rc = certout_reserve(&w->files);
    if (rc != 0)
        return rc;
    w->made = tlsock_cert_clone(w->seen, signer_ca(&w->signer), &err);
    if (w->made == NULL)
        return refused(w, &err);
    rc = record(w, &err);
    if (rc != 0)
        return rc;
    return certout_save(&w->files, w->made);
}

static int report_json(const struct cloning *w)
{
    json_t *obj = json_object();

    json_object_set_new(obj, "schema", json_string("tlsock.cert-clone/1"));
    json_object_set_new(obj, "target", out_json_text(w->o.args.v[0]));
    json_object_set_new(obj, "certificate",
                        out_json_text(w->files.path[CERTOUT_AT_CERT]));
    json_object_set_new(obj, "key",
                        out_json_text(w->files.path[CERTOUT_AT_KEY]));
    json_object_set_new(obj, "names",
                        certname_json(field(w->made, TLSOCK_CERT_SANS)));
    json_object_set_new(obj, "subject",
                        out_json_text(field(w->made, TLSOCK_CERT_SUBJECT)));
    json_object_set_new(obj, "issuer",
                        out_json_text(field(w->made, TLSOCK_CERT_ISSUER)));
    json_object_set_new(obj, "instead_of",
                        out_json_text(field(w->seen, TLSOCK_CERT_ISSUER)));
    json_object_set_new(obj, "serial",
                        out_json_text(field(w->made, TLSOCK_CERT_SERIAL)));
    json_object_set_new(obj, "key_type",
                        out_json_text(field(w->made, TLSOCK_CERT_KEY_TYPE)));
    json_object_set_new(obj, "not_before",
                        out_json_text(field(w->made, TLSOCK_CERT_NOT_BEFORE)));
    json_object_set_new(obj, "not_after",
                        out_json_text(field(w->made, TLSOCK_CERT_NOT_AFTER)));
    json_object_set_new(obj, "pin",
                        out_json_text(field(w->made, TLSOCK_CERT_PIN)));
    json_object_set_new(obj, "recorded", json_boolean(w->recorded));
    return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

/* Cut to the CA's own end, or passed already. */
static void print_notes(const struct cloning *w)
{
    const char *mine = field(w->made, TLSOCK_CERT_NOT_AFTER);
    char now[32];

    out_now(now);
    if (strcmp(mine, field(w->seen, TLSOCK_CERT_NOT_AFTER)) != 0)
        printf("note     ends with its CA; the one that was seen ends on "
               "%.10s\n",
               field(w->seen, TLSOCK_CERT_NOT_AFTER));
    if (w->signer.db != NULL && !w->recorded)
        printf("note     not valid now, and so not in the CA's index\n");
    if (strcmp(mine, now) < 0)
        printf("note     expired, as the one that was seen\n");
}

static int report(const struct cloning *w)
{
    char text[LOCAL_PATH];

    if (w->o.out.json)
        return report_json(w);
    if (w->o.out.quiet)
        return EXIT_GOOD;
    printf("created  %s   copy of a certificate, %s, %.10s to ",
           out_clean(text, sizeof(text), w->files.path[CERTOUT_AT_CERT]),
           field(w->made, TLSOCK_CERT_KEY_TYPE),
           field(w->made, TLSOCK_CERT_NOT_BEFORE));
    printf("%.10s\n", field(w->made, TLSOCK_CERT_NOT_AFTER));
    printf("created  %s   private key, mode 0600, not encrypted\n",
           out_clean(text, sizeof(text), w->files.path[CERTOUT_AT_KEY]));
    printf("subject  %s\n", field(w->made, TLSOCK_CERT_SUBJECT));
    if (field(w->made, TLSOCK_CERT_SANS)[0] != '\0')
        certname_print("names", field(w->made, TLSOCK_CERT_SANS));
    printf("issuer   %s\n", field(w->made, TLSOCK_CERT_ISSUER));
    printf("         instead of %s\n", field(w->seen, TLSOCK_CERT_ISSUER));
    print_notes(w);
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

int cmd_cert_clone(int argc, const char **argv)
{
    struct cloning w = {.files.what = CERTOUT_CERT | CERTOUT_KEY,
                        .files.command = "cert clone"};
    int rc = opt_parse(&w.o, &spec, &w, argc, argv);

    if (rc == -1) {
        w.files.out = &w.o.out;
        w.seen = source_load(&w.o, w.o.args.v[0], &rc);
        if (w.seen != NULL)
            rc = make(&w);
        if (w.seen != NULL && rc == 0)
            rc = report(&w);
        certout_undo(&w.files);
    }
    signer_close(&w.signer);
    tlsock_cert_unref(w.made);
    tlsock_cert_unref(w.seen);
    opt_free(&w.o);
    return rc;
}
