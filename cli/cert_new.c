/* cert new - a key and a certificate, right without any option but a name. */
#include "ca_opts.h"
#include "certfield.h"
#include "certopts.h"
#include "commands.h"
#include "errors.h"

#include <stdlib.h>
#include <string.h>

#define DAY 86400
#define APPLE_DAYS 825 /* the most for a server, whoever signed it */

struct making {
    struct certopts c;
    struct signer signer;
    tlsock_cert *made;
    char may[300]; /* what the issuer may sign; "": anything */
    char permitted[300];
};

static struct poptOption table[] = {
    OPT_GROUP(certopts_what, "Certificate:"), OPT_GROUP(certopts_new, "Issue:"),
    OPT_GROUP(certopts_files, "Files:"), OPT_GROUP(opt_output, "Output:"),
    POPT_TABLEEND};

static const struct opt_spec spec = {
    .command = "cert new",
    .usage = "[options] NAME...",
    .about = "Makes a private key and a certificate for these host names and "
             "addresses. NAME.pem holds the certificate and what a server "
             "must send with it, NAME.key the key (mode 0600). Existing "
             "files are never replaced without --force.",
    .after = "  tlsock cert new app.test '*.app.test' 127.0.0.1\n"
             "  tlsock cert new --client alice@app.test\n"
             "  tlsock cert new --make-ca --self-signed --permitted .lab.test "
             "'Lab CA'\n",
    .table = table,
    .take = certopts_take,
    .max_args = 1000};

static const char *ca_file(const struct making *m, char path[LOCAL_PATH])
{
    if (m->signer.db == NULL || local_path(path, m->signer.dir, "ca.pem") < 0)
        return m->signer.where;
    return path;
}

static int open_signer(struct making *m)
{
    const struct opts *o = &m->c.o;
    char path[LOCAL_PATH];
    int rc;

    if (m->c.self)
        return 0;
    rc = ca_open_signer(&m->signer, &o->out, m->c.ca, opt_pass(o));
    if (rc == 0 && m->signer.where != NULL)
        certopts_may_sign(m->may, sizeof(m->may), ca_file(m, path));
    return rc;
}

/* A CA is limited unless told otherwise: by its issuer, or as a local CA. */
static void limit(struct making *m)
{
    tlsock_cert_opts *want = &m->c.want;

    if (want->ca && want->permitted == NULL && !m->c.any_name &&
        m->may[0] == '\0')
        want->permitted = local_permitted;
}

/* The CA may not: how it could. */
static int refused(const struct making *m, tlsock_error *err)
{
    if (err->code == TLSOCK_E_PURPOSE && err->presented[0] != '\0' &&
        err->expected[0] != '\0')
        snprintf(err->hint, sizeof(err->hint),
                 "choose a name it may sign, or make a CA that may: tlsock ca "
                 "init --dir DIR --permitted LIST (or --any-name), then --ca "
                 "DIR");
    certopts_hint(err);
    return err_report(
        &m->c.o.out, m->c.o.args.n > 0 ? m->c.o.args.v[0] : "cert new", err, 1);
}

static int make(struct making *m)
{
    tlsock_error err = {0};
    int rc = certout_reserve(&m->c.files);

    if (rc != 0)
        return rc;
    limit(m);
    m->made = m->signer.where != NULL
                  ? signer_issue(&m->signer, &m->c.want, &err)
                  : tlsock_cert_create(&m->c.want, &err);
    if (m->made == NULL)
        return refused(m, &err);
    return certout_save(&m->c.files, m->made);
}

static const char *field(const struct making *m, int item)
{
    const char *text = certfield(m->made, item);

    return text != NULL ? text : "";
}

static long lifetime(const struct making *m)
{
    return (long)((cadb_time_of(m->made, TLSOCK_CERT_NOT_AFTER) -
                   cadb_time_of(m->made, TLSOCK_CERT_NOT_BEFORE) + DAY / 2) /
                  DAY);
}

/* What is allowed and yet may surprise; NULL: nothing. */
static const char *note(const struct making *m)
{
    if (m->c.want.ca || lifetime(m) <= APPLE_DAYS ||
        strstr(field(m, TLSOCK_CERT_USAGE), "serverAuth") == NULL)
        return NULL;
    return "Apple's systems refuse a server's certificate of more than 825 "
           "days, whoever signed it";
}

static int report_json(const struct making *m)
{
    const struct certout *f = &m->c.files;
    const char *warning = note(m);
    json_t *obj = json_object(), *notes = json_array();

    json_object_set_new(obj, "schema", json_string("tlsock.cert-new/1"));
    json_object_set_new(obj, "certificate",
                        out_json_text(f->path[CERTOUT_AT_CERT]));
    json_object_set_new(obj, "key",
                        out_json_text((f->what & CERTOUT_KEY) != 0
                                          ? f->path[CERTOUT_AT_KEY]
                                          : m->c.want.key));
    json_object_set_new(
        obj, "p12", out_json_text(m->c.p12 ? f->path[CERTOUT_AT_P12] : NULL));
    json_object_set_new(obj, "names",
                        certname_json(field(m, TLSOCK_CERT_SANS)));
    json_object_set_new(obj, "subject",
                        out_json_text(field(m, TLSOCK_CERT_SUBJECT)));
    json_object_set_new(obj, "self_signed",
                        json_boolean(m->signer.where == NULL));
    json_object_set_new(obj, "issuer",
                        out_json_text(field(m, TLSOCK_CERT_ISSUER)));
    json_object_set_new(obj, "serial",
                        out_json_text(field(m, TLSOCK_CERT_SERIAL)));
    json_object_set_new(obj, "key_type",
                        out_json_text(field(m, TLSOCK_CERT_KEY_TYPE)));
    json_object_set_new(obj, "not_before",
                        out_json_text(field(m, TLSOCK_CERT_NOT_BEFORE)));
    json_object_set_new(obj, "not_after",
                        out_json_text(field(m, TLSOCK_CERT_NOT_AFTER)));
    json_object_set_new(obj, "pin", out_json_text(field(m, TLSOCK_CERT_PIN)));
    json_object_set_new(obj, "recorded", json_boolean(m->signer.db != NULL));
    if (warning != NULL)
        json_array_append_new(notes, json_string(warning));
    json_object_set_new(obj, "notes", notes);
    return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

static void print_files(const struct making *m)
{
    const struct certout *f = &m->c.files;
    char text[LOCAL_PATH];

    printf("created  %s   %s, %s, %.10s to ",
           out_clean(text, sizeof(text), f->path[CERTOUT_AT_CERT]),
           m->c.want.ca ? "CA certificate" : "certificate",
           field(m, TLSOCK_CERT_KEY_TYPE), field(m, TLSOCK_CERT_NOT_BEFORE));
    printf("%.10s (%ld day%s)\n", field(m, TLSOCK_CERT_NOT_AFTER), lifetime(m),
           lifetime(m) == 1 ? "" : "s");
    if ((f->what & CERTOUT_KEY) != 0)
        printf("created  %s   private key, mode 0600, %sencrypted\n",
               out_clean(text, sizeof(text), f->path[CERTOUT_AT_KEY]),
               f->key_pass != NULL ? "" : "not ");
    else
        printf("key      %s   as it was\n",
               out_clean(text, sizeof(text), m->c.want.key));
    if (m->c.p12)
        printf("created  %s   both as PKCS#12, mode 0600, encrypted\n",
               out_clean(text, sizeof(text), f->path[CERTOUT_AT_P12]));
    if (field(m, TLSOCK_CERT_SANS)[0] != '\0')
        certname_print("names", field(m, TLSOCK_CERT_SANS));
    else
        printf("subject  %s\n", field(m, TLSOCK_CERT_SUBJECT));
}

static void print_issuer(const struct making *m)
{
    const struct certout *f = &m->c.files;
    char text[LOCAL_PATH];

    out_clean(text, sizeof(text), f->path[CERTOUT_AT_CERT]);
    if (m->signer.where == NULL) {
        printf("issuer   self-signed%s; clients: --pin %s\n",
               m->c.self ? "" : " (there is no local CA: tlsock ca init)",
               field(m, TLSOCK_CERT_PIN));
        return;
    }
    printf("issuer   %s",
           certfield_text(signer_ca(&m->signer), TLSOCK_CERT_CN));
    if (m->may[0] != '\0')
        printf(" (may only sign %s)", m->may);
    printf("\nrenew    tlsock cert renew %s", text);
    if (m->c.ca != NULL)
        printf(" --ca %s", out_clean(text, sizeof(text), m->c.ca));
    putchar('\n');
}

static int report(const struct making *m)
{
    if (m->c.o.out.json)
        return report_json(m);
    if (!m->c.o.out.quiet) {
        print_files(m);
        print_issuer(m);
        if (m->c.want.ca)
            printf("signs    %s\n", m->c.want.permitted == local_permitted
                                        ? "only .test .localhost .internal "
                                          "and private addresses"
                                    : m->c.want.permitted != NULL
                                        ? m->c.want.permitted
                                        : "what its issuer may sign");
        if (note(m) != NULL)
            printf("note     %s\n", note(m));
    }
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

int cmd_cert_new(int argc, const char **argv)
{
    struct making m = {.c.files.what = CERTOUT_CERT | CERTOUT_KEY};
    int rc = opt_parse(&m.c.o, &spec, &m.c, argc, argv);

    if (rc == -1) {
        rc = certopts_settle(&m.c);
        if (rc == 0)
            rc = open_signer(&m);
        if (rc == 0)
            rc = make(&m);
        if (rc == 0)
            rc = report(&m);
        certout_undo(&m.c.files);
    }
    signer_close(&m.signer);
    tlsock_cert_unref(m.made);
    certopts_free(&m.c);
    return rc;
}
