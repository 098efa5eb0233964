/* cert convert - certificates and keys from one form into another. */
#include "certfield.h"
#include "commands.h"
#include "convert.h"
#include "errors.h"
#include "source.h"
#include "tofile.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_INPUTS 100

enum {
    OPT_TO = OPT_OWN,
    OPT_OUT,
    OPT_PARTS,
    OPT_NEW_PASS,
    OPT_DECRYPT,
    OPT_FORCE
};

struct convert {
    struct opts o;
    const char *to, *out, *parts_text, *key, *new_pass;
    int decrypt, force, form;
    unsigned parts;
    struct source in[MOST_INPUTS + 1]; /* the last for --key */
    size_t n_in;
    const struct source *key_in; /* where the key is, or NULL */
    char *pem;                   /* "pem:" and all certificates */
    int certs;
    struct tofile file;
};

static struct poptOption own_options[] = {
    {"to", '\0', POPT_ARG_STRING, NULL, OPT_TO,
     "the new form (default: by the suffix of --out)",
     "pem|der|p12|p7b|pkcs8|traditional"},
    {"out", '\0', POPT_ARG_STRING, NULL, OPT_OUT,
     "the file to write; - is standard output", "FILE|-"},
    {"parts", '\0', POPT_ARG_STRING, NULL, OPT_PARTS,
     "what of it (default: all; DER holds one)", "cert,chain,key"},
    {"key", '\0', POPT_ARG_STRING, NULL, OPT_KEY,
     "the private key that goes with it", "FILE"},
    {"pass", '\0', POPT_ARG_STRING, NULL, OPT_PASS,
     "where the password of what is read is", "file:FILE|env:NAME|fd:N|prompt"},
    {"new-pass", '\0', POPT_ARG_STRING, NULL, OPT_NEW_PASS,
     "where the password of what is written is (default: the old one)",
     "file:FILE|env:NAME|fd:N|prompt"},
    {"decrypt", '\0', POPT_ARG_NONE, NULL, OPT_DECRYPT,
     "write an encrypted key without a password", NULL},
    {"force", '\0', POPT_ARG_NONE, NULL, OPT_FORCE, "replace an existing file",
     NULL},
    POPT_TABLEEND};

static struct poptOption table[] = {OPT_GROUP(own_options, "Convert:"),
                                    OPT_GROUP(opt_output, "Output:"),
                                    POPT_TABLEEND};

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct convert *w = own;

    switch (val) {
    case OPT_TO:
        w->to = arg;
        return 0;
    case OPT_OUT:
        w->out = arg;
        return 0;
    case OPT_PARTS:
        w->parts_text = arg;
        return 0;
    case OPT_NEW_PASS:
        return opt_take_pass(o, "--new-pass", arg, 1, &w->new_pass);
    case OPT_DECRYPT:
        w->decrypt = 1;
        return 0;
    default:
        w->force = 1;
        return 0;
    }
}

static const struct opt_spec spec = {
    .command = "cert convert",
    .usage = "[options] FILE... --out FILE",
    .about = "Writes certificates, keys, signing requests and revocation lists "
             "in another form: PEM, DER, PKCS#12, PKCS#7, and keys as PKCS#8 "
             "or in the traditional form. Several files become one. A key "
             "keeps its password unless --new-pass or --decrypt is given.",
    .after = "  tlsock cert convert app.pem --key app.key --new-pass env:PW "
             "--out app.p12\n"
             "  tlsock cert convert app.p12 --pass env:PW --out app.pem\n"
             "  tlsock cert convert app.der --out app.pem\n"
             "  tlsock cert convert old.key --to traditional --out rsa.key\n",
    .table = table,
    .take = take,
    .min_args = 1,
    .max_args = MOST_INPUTS};

static int choose_form(struct convert *w)
{
    if (w->out == NULL)
        return err_usage(&w->o.out, "cert convert",
                         "--out FILE, or --out - for standard output",
                         "nothing says where to write");
    w->form =
        w->to != NULL ? convert_form(w->to) : convert_form_of_file(w->out);
    if (w->form == TO_UNKNOWN)
        return err_usage(&w->o.out, "cert convert",
                         "--to pem, der, p12, p7b, pkcs8 or traditional",
                         w->to != NULL ? "--to \"%s\" is no form"
                                       : "the suffix of \"%s\" names no form",
                         w->to != NULL ? w->to : w->out);
    if (strcmp(w->out, "-") != 0)
        return 0;
    if (w->o.out.json)
        return err_usage(&w->o.out, "cert convert", "--out FILE",
                         "--json and --out - both want standard output");
    if ((w->form == TO_DER || w->form == TO_P12) && isatty(STDOUT_FILENO))
        return err_usage(&w->o.out, "cert convert", "--out FILE, or a pipe",
                         "this form is no text: not for a terminal");
    return 0;
}

static int choose_parts(struct convert *w)
{
    static const char *const words[] = {"cert", "chain", "key"};
    const char *p = w->parts_text;

    while (p != NULL && *p != '\0') {
        size_t len = strcspn(p, ","), i;

        for (i = 0; i < 3; i++)
            if (strlen(words[i]) == len && strncmp(p, words[i], len) == 0)
                break;
        if (i == 3)
            return err_usage(&w->o.out, "cert convert",
                             "--parts cert, chain, key, separated by commas",
                             "--parts \"%s\"", w->parts_text);
        w->parts |= 1u << i;
        p += len + (p[len] == ',');
    }
    return 0;
}

/* PEM of one more source behind those that are there. */
static int add_certs(struct convert *w, const tlsock_cert *c)
{
    const unsigned parts = TLSOCK_PART_CERT | TLSOCK_PART_CHAIN;

    if (w->pem == NULL)
        w->pem = strdup("pem:");
    if (w->pem != NULL)
        w->pem = certfield_pem(w->pem, c, parts);
    if (w->pem == NULL)
        return err_plain(&w->o.out, "cert convert", EXIT_INTERNAL, "nomem", "",
                         "out of memory");
    w->certs += 1 + tlsock_cert_chain_len(c);
    return 0;
}

static int open_one(struct convert *w, const char *target, int key_only)
{
    struct source *s = &w->in[w->n_in];
    int rc = source_open(&w->o, target, s);

    w->n_in++;
    if (rc != 0)
        return rc;
    if (s->cert != NULL && !key_only)
        rc = add_certs(w, s->cert);
    if ((s->kind & TLSOCK_KIND_KEY) != 0 || tlsock_cert_has_key(s->cert)) {
        if (w->key_in == NULL)
            w->key_in = s;
    } else if (key_only || s->cert == NULL) {
        if (key_only || (s->kind & (TLSOCK_KIND_CSR | TLSOCK_KIND_CRL)) == 0 ||
            w->o.args.n > 1)
            rc = err_plain(&w->o.out, s->target, EXIT_OWN, "own-file",
                           key_only ? "--key names a private key"
                                    : "convert requests and lists one by one",
                           "this is %s", source_kind_name(s->kind));
    }
    return rc;
}

static int is_sealed(const struct source *s)
{
    return s != NULL &&
           (s->kind & (TLSOCK_KIND_ENCRYPTED | TLSOCK_KIND_PKCS12)) != 0;
}

/* What is asked for, or what is there and the form can hold. */
static int settle_parts(struct convert *w)
{
    unsigned there = 0;

    if (w->certs > 0)
        there |= TLSOCK_PART_CERT;
    if (w->certs > 1)
        there |= TLSOCK_PART_CHAIN;
    if (w->key_in != NULL)
        there |= TLSOCK_PART_KEY;
    if ((w->parts & ~there) != 0)
        return err_plain(
            &w->o.out, w->o.args.v[0], EXIT_OWN, "own-file",
            "name the file it is in, or leave it out of --parts",
            "there is no %s",
            (w->parts & ~there & TLSOCK_PART_KEY) != 0    ? "private key"
            : (w->parts & ~there & TLSOCK_PART_CERT) != 0 ? "certificate"
                                                          : "chain");
    if (w->parts != 0)
        return 0;
    w->parts = there;
    if (w->form == TO_TRADITIONAL)
        w->parts &= TLSOCK_PART_KEY;
    else if (w->form == TO_DER && w->certs > 0)
        w->parts = TLSOCK_PART_CERT;
    else if (w->form == TO_P7B)
        w->parts &= TLSOCK_PART_CERT | TLSOCK_PART_CHAIN;
    return 0;
}

static int settle_form(struct convert *w)
{
    unsigned p = w->parts;

    if (w->form == TO_DER && (p & (p - 1)) != 0)
        return err_usage(&w->o.out, "cert convert", "--parts cert, or --to pem",
                         "DER holds exactly one part");
    if (p == 0 || (w->form == TO_TRADITIONAL && p != TLSOCK_PART_KEY) ||
        (w->form == TO_P7B && (p & TLSOCK_PART_CERT) == 0) ||
        (w->form == TO_P7B && (p & TLSOCK_PART_KEY) != 0) ||
        (w->form == TO_P12 && (p & TLSOCK_PART_CERT) == 0))
        return err_usage(&w->o.out, "cert convert",
                         "p12 and p7b need a certificate, traditional a key",
                         "this form cannot hold what there is");
    return 0;
}

/* A key that was protected stays so unless somebody says otherwise. */
static int settle_password(struct convert *w)
{
    const char *old = opt_pass(&w->o);

    if (w->decrypt && w->new_pass != NULL)
        return err_usage(&w->o.out, "cert convert", "leave one of them out",
                         "--decrypt and --new-pass together");
    if (w->form == TO_P12 &&
        (w->decrypt || (w->new_pass == NULL && old == NULL)))
        return err_usage(&w->o.out, "cert convert",
                         "--new-pass file:FILE, env:NAME, fd:N or prompt",
                         "PKCS#12 needs a password");
    if (w->new_pass == NULL && !w->decrypt &&
        (w->form == TO_P12 || is_sealed(w->key_in)))
        w->new_pass = old;
    if ((w->parts & TLSOCK_PART_KEY) == 0 && w->form != TO_P12)
        w->new_pass = NULL;
    if (w->form == TO_TRADITIONAL && w->new_pass != NULL)
        return err_usage(&w->o.out, "cert convert",
                         "--decrypt writes it readable for anybody who has "
                         "the file; --to pem keeps the password",
                         "the traditional form has no password");
    return 0;
}

static unsigned save_format(const struct convert *w)
{
    return w->form == TO_DER           ? TLSOCK_FORMAT_DER
           : w->form == TO_P12         ? TLSOCK_FORMAT_PKCS12
           : w->form == TO_TRADITIONAL ? TLSOCK_FORMAT_TRADITIONAL
                                       : TLSOCK_FORMAT_PEM;
}

static int save_key(struct convert *w)
{
    tlsock_error err = {0};

    if (tlsock_key_save(w->key_in->uri, w->key_in->pass, save_format(w),
                        w->file.path, w->new_pass, &err) < 0)
        return err_report(&w->o.out, w->key_in->target, &err, 1);
    return 0;
}

static int save_certs(struct convert *w)
{
    int with_key = (w->parts & TLSOCK_PART_KEY) != 0;
    tlsock_error err = {0};
    tlsock_cert *c;
    int rc = 0;

    c = tlsock_cert_load(w->pem, with_key ? w->key_in->uri : NULL,
                         with_key ? w->key_in->pass : NULL, &err);
    if (c == NULL && with_key && err.code == TLSOCK_E_KEY_MISMATCH)
        return err_plain(&w->o.out, w->o.args.v[0], EXIT_OWN,
                         tlsock_errslug(err.code), err.hint,
                         "the key in %s does not belong to the certificate "
                         "in %s",
                         w->key_in->target, w->o.args.v[0]);
    if (c == NULL)
        return err_report(&w->o.out, w->o.args.v[0], &err, 1);
    if (tlsock_cert_save(c, w->parts, save_format(w), w->file.path, w->new_pass,
                         &err) < 0)
        rc = err_report(&w->o.out, w->out, &err, 1);
    tlsock_cert_unref(c);
    return rc;
}

/* What has no secrets and no parts. */
static int save_raw(struct convert *w)
{
    const struct source *s = &w->in[0];
    size_t len = 0;
    char *data;
    int rc;

    if (w->form == TO_P7B)
        data = convert_bundle(w->pem + 4, &len);
    else
        data = convert_wrap(s->data, s->len,
                            s->kind & (TLSOCK_KIND_CSR | TLSOCK_KIND_CRL),
                            w->form, &len);
    rc = data != NULL ? tofile_write(&w->file, data, len)
                      : err_plain(&w->o.out, s->target, EXIT_OWN, "own-file",
                                  "copy the file again from where it came",
                                  "it is damaged");
    free(data);
    return rc;
}

static const char *form_name(const struct convert *w)
{
    static const char *const names[] = {"",        "PEM",    "DER",
                                        "PKCS#12", "PKCS#7", "traditional"};

    return names[w->form];
}

static int report(const struct convert *w, int raw)
{
    int key = (w->parts & TLSOCK_PART_KEY) != 0, more = w->certs - 1;
    json_t *obj, *parts;
    char text[4096];

    if (w->o.out.json) {
        obj = json_object();
        parts = json_array();
        if ((w->parts & TLSOCK_PART_CERT) != 0)
            json_array_append_new(parts, json_string("cert"));
        if ((w->parts & TLSOCK_PART_CHAIN) != 0)
            json_array_append_new(parts, json_string("chain"));
        if (key)
            json_array_append_new(parts, json_string("key"));
        json_object_set_new(obj, "schema",
                            json_string("tlsock.cert-convert/1"));
        json_object_set_new(obj, "out", out_json_text(w->out));
        json_object_set_new(obj, "form", json_string(form_name(w)));
        json_object_set_new(obj, "parts", parts);
        json_object_set_new(obj, "encrypted",
                            json_boolean(w->new_pass != NULL));
        return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
    }
    if (w->o.out.quiet || strcmp(w->out, "-") == 0)
        return EXIT_GOOD;
    printf("wrote  %s   %s:", out_clean(text, sizeof(text), w->out),
           form_name(w));
    if (raw && w->form != TO_P7B)
        printf(" %s", source_kind_name(w->in[0].kind));
    if ((w->parts & TLSOCK_PART_CERT) != 0)
        printf(" certificate");
    if ((w->parts & TLSOCK_PART_CHAIN) != 0)
        printf(", %d that go%s with it", more, more == 1 ? "es" : "");
    if (key)
        printf("%sprivate key, mode 0600, %s",
               (w->parts & TLSOCK_PART_CERT) != 0 ? ", " : " ",
               w->new_pass != NULL ? "encrypted" : "NOT encrypted");
    putchar('\n');
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

static int write_it(struct convert *w)
{
    int raw = w->certs == 0 && w->key_in == NULL, rc;

    if (raw && w->form != TO_PEM && w->form != TO_DER)
        return err_usage(&w->o.out, "cert convert", "--to pem or --to der",
                         "%s has no such form",
                         source_kind_name(w->in[0].kind));
    rc = raw ? 0 : settle_parts(w);
    if (rc == 0 && !raw)
        rc = settle_form(w);
    if (rc == 0 && !raw)
        rc = settle_password(w);
    if (rc != 0)
        return rc;
    rc = tofile_begin(&w->file, &w->o.out, w->out, w->force);
    if (rc != 0)
        return rc;
    if (raw || w->form == TO_P7B)
        rc = save_raw(w);
    else
        rc = w->parts == TLSOCK_PART_KEY ? save_key(w) : save_certs(w);
    rc = tofile_end(&w->file, rc);
    return rc != 0 ? rc : report(w, raw);
}

static int run(struct convert *w)
{
    int rc = choose_form(w);

    if (rc == 0)
        rc = choose_parts(w);
    if (rc == 0 && w->o.n_idents > 0 && w->o.idents[0].key != NULL)
        rc = open_one(w, w->o.idents[0].key, 1);
    for (size_t i = 0; rc == 0 && i < w->o.args.n; i++)
        rc = open_one(w, w->o.args.v[i], 0);
    return rc == 0 ? write_it(w) : rc;
}

int cmd_cert_convert(int argc, const char **argv)
{
    struct convert *w = calloc(1, sizeof(*w));
    int rc;

    if (w == NULL)
        return EXIT_INTERNAL;
    rc = opt_parse(&w->o, &spec, w, argc, argv);
    if (rc == -1)
        rc = run(w);
    for (size_t i = 0; i < w->n_in; i++)
        source_close(&w->in[i]);
    free(w->pem);
    opt_free(&w->o);
    free(w);
    return rc;
}
