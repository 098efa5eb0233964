/* cert csr - a key and a request to have it certified. */
#include "certfield.h"
#include "certopts.h"
#include "commands.h"
#include "errors.h"

#include <string.h>

static struct poptOption table[] = {
    OPT_GROUP(certopts_what, "Request:"), OPT_GROUP(certopts_files, "Files:"),
    OPT_GROUP(opt_output, "Output:"), POPT_TABLEEND};

static const struct opt_spec spec = {
    .command = "cert csr",
    .usage = "[options] NAME...",
    .about = "Makes a private key and a signing request (PKCS#10) for these "
             "host names and addresses: NAME.csr goes to the CA, NAME.key "
             "(mode 0600) stays here. Existing files are never replaced "
             "without --force.",
    .after = "  tlsock cert csr www.example.com example.com\n"
             "  tlsock cert csr --like old.pem --key old.key\n"
             "  tlsock cert csr app.test && tlsock cert sign app.test.csr\n",
    .table = table,
    .take = certopts_take,
    .max_args = 1000};

static int report_json(const struct certopts *c, const tlsock_csr *r)
{
    const struct certout *f = &c->files;
    json_t *obj = json_object();

    json_object_set_new(obj, "schema", json_string("tlsock.cert-csr/1"));
    json_object_set_new(obj, "request", out_json_text(f->path[CERTOUT_AT_CSR]));
    json_object_set_new(obj, "key",
                        out_json_text((f->what & CERTOUT_KEY) != 0
                                          ? f->path[CERTOUT_AT_KEY]
                                          : c->want.key));
    json_object_set_new(obj, "names",
                        certname_json(certfield_csr(r, TLSOCK_CERT_SANS)));
    json_object_set_new(obj, "subject",
                        out_json_text(certfield_csr(r, TLSOCK_CERT_SUBJECT)));
    json_object_set_new(obj, "key_type",
                        out_json_text(certfield_csr(r, TLSOCK_CERT_KEY_TYPE)));
    json_object_set_new(obj, "pin",
                        out_json_text(certfield_csr(r, TLSOCK_CERT_PIN)));
    return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

static int report(const struct certopts *c, const tlsock_csr *r)
{
    const struct certout *f = &c->files;
    char text[LOCAL_PATH];

    if (c->o.out.json)
        return report_json(c, r);
    if (c->o.out.quiet)
        return EXIT_GOOD;
    printf("created  %s   signing request, %s: give it to the CA\n",
           out_clean(text, sizeof(text), f->path[CERTOUT_AT_CSR]),
           certfield_csr(r, TLSOCK_CERT_KEY_TYPE));
    if ((f->what & CERTOUT_KEY) != 0)
        printf("created  %s   private key, mode 0600, %sencrypted: keep it "
               "here\n",
               out_clean(text, sizeof(text), f->path[CERTOUT_AT_KEY]),
               f->key_pass != NULL ? "" : "not ");
    else
        printf("key      %s   as it was\n",
               out_clean(text, sizeof(text), c->want.key));
    printf("subject  %s\n", certfield_csr(r, TLSOCK_CERT_SUBJECT));
    if (certfield_csr(r, TLSOCK_CERT_SANS)[0] != '\0')
        certname_print("names", certfield_csr(r, TLSOCK_CERT_SANS));
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

static int make(struct certopts *c)
{
    tlsock_error err = {0};
    tlsock_csr *r = NULL;
    int rc = certout_reserve(&c->files);

    if (rc != 0)
        return rc;
    r = tlsock_csr_create(&c->want, &err);
    if (r == NULL) {
        certopts_hint(&err);
        rc = err_report(&c->o.out,
                        c->o.args.n > 0 ? c->o.args.v[0] : "cert csr", &err, 1);
    } else {
        rc = certout_save_csr(&c->files, r);
    }
    if (rc == 0)
        rc = report(c, r);
    tlsock_csr_free(r);
    return rc;
}

int cmd_cert_csr(int argc, const char **argv)
{
    struct certopts c = {.files.what = CERTOUT_CSR | CERTOUT_KEY};
    int rc = opt_parse(&c.o, &spec, &c, argc, argv);

    if (rc == -1) {
        rc = certopts_settle(&c);
        if (rc == 0)
            rc = make(&c);
        certout_undo(&c.files);
    }
    certopts_free(&c);
    return rc;
}
