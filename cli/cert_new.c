/* cert new - a key and a certificate, right without any option but a name. */
#include "certout.h"
#include "commands.h"
#include "errors.h"
#include "local.h"
#include "opt.h"

#include <stdlib.h>
#include <string.h>

enum {
    OPT_OUT = OPT_OWN,
    OPT_KEY_TYPE,
    OPT_DAYS,
    OPT_ISSUER,
    OPT_SELF,
    OPT_CLIENT,
    OPT_FORCE
};

struct new
{
    struct opts o;
    const char *key_type, *issuer;
    int self, client;
    long days;
    const char **sans; /* n_sans of o.args */
    struct certout files;
    char ca_dir[LOCAL_PATH];
};

static struct poptOption options[] = {
    {"out", '\0', POPT_ARG_STRING, NULL, OPT_OUT,
     "write PREFIX.pem and PREFIX.key (default: the first name)", "PREFIX"},
    {"key-type", '\0', POPT_ARG_STRING, NULL, OPT_KEY_TYPE,
     "kind of the new key", "ec:P-256|ec:P-384|ec:P-521|rsa:3072|ed25519"},
    {"days", '\0', POPT_ARG_STRING, NULL, OPT_DAYS, "lifetime (default: 90)",
     "N"},
    {"ca", '\0', POPT_ARG_STRING, NULL, OPT_ISSUER,
     "who signs it (default: the local CA, if there is one)", "DIR|FILE"},
    {"self-signed", '\0', POPT_ARG_NONE, NULL, OPT_SELF,
     "no CA signs it, even if there is one", NULL},
    {"client", '\0', POPT_ARG_NONE, NULL, OPT_CLIENT,
     "for a client, not for a server", NULL},
    {"pass", '\0', POPT_ARG_STRING, NULL, OPT_PASS,
     "where the password of the CA's key is", "file:FILE|env:NAME|fd:N|prompt"},
    {"force", '\0', POPT_ARG_NONE, NULL, OPT_FORCE, "replace existing files",
     NULL},
    POPT_TABLEEND};

static struct poptOption table[] = {OPT_GROUP(options, "Certificate:"),
                                    OPT_GROUP(opt_output, "Output:"),
                                    POPT_TABLEEND};

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct new *w = own;

    switch (val) {
    case OPT_OUT:
        w->files.prefix = arg;
        return 0;
    case OPT_KEY_TYPE:
        w->key_type = arg;
        return 0;
    case OPT_DAYS:
        return opt_number(o, "--days", arg, 1, 36500, &w->days);
    case OPT_ISSUER:
        w->issuer = arg;
        return 0;
    case OPT_SELF:
        w->self = 1;
        return 0;
    case OPT_CLIENT:
        w->client = 1;
        return 0;
    default:
        w->files.force = 1;
        return 0;
    }
}

static const struct opt_spec spec = {
    .command = "cert new",
    .usage = "[options] NAME...",
    .about = "Makes a private key and a certificate for these host names and "
             "addresses. NAME.pem holds the certificate and what a server "
             "must send with it, NAME.key the key (mode 0600). Existing "
             "files are never replaced without --force.",
    .after = "  tlsock cert new app.test '*.app.test' 127.0.0.1\n"
             "  tlsock cert new --client alice@app.test\n",
    .table = table,
    .take = take,
    .min_args = 1,
    .max_args = 100};

/* The library tells names and addresses apart; mail and URIs are marked. */
static int choose_names(struct new *w)
{
    w->sans = calloc(w->o.args.n, sizeof(*w->sans));
    if (w->sans == NULL)
        return EXIT_INTERNAL;
    for (size_t i = 0; i < w->o.args.n; i++) {
        const char *name = w->o.args.v[i];
        const char *kind = strstr(name, "://") != NULL ? "URI:"
                           : strchr(name, '@') != NULL ? "EMAIL:"
                                                       : NULL;
        size_t size = strlen(name) + 8;
        char *marked;

        w->sans[i] = name;
        if (name[0] == '\0')
            return err_usage(&w->o.out, "cert new", NULL, "an empty NAME");
        if (kind == NULL || strncmp(name, kind, strlen(kind)) == 0)
            continue;
        marked = malloc(size);
        if (marked == NULL || opt_push(&w->o, &w->o.pool, marked) != 0) {
            free(marked);
            return EXIT_INTERNAL;
        }
        snprintf(marked, size, "%s%s", kind, name);
        w->sans[i] = marked;
    }
    return 0;
}

static int find_issuer(struct new *w, tlsock_cert **ca)
{
    const char *pass = w->o.n_idents > 0 ? w->o.idents[0].pass : NULL;
    tlsock_error err = {0};

    if (w->self && w->issuer != NULL)
        return err_usage(&w->o.out, "cert new", "leave one of them out",
                         "--self-signed and --ca together");
    if (!w->self && w->issuer == NULL && local_dir(w->ca_dir) == 0 &&
        local_exists(w->ca_dir))
        w->issuer = w->ca_dir;
    if (w->issuer == NULL)
        return 0;
    *ca = local_load(w->issuer, pass, &err);
    return *ca != NULL ? 0 : err_report(&w->o.out, w->issuer, &err, 1);
}

static int make(struct new *w, const tlsock_cert *ca, tlsock_cert **made)
{
    tlsock_error err = {0};

    *made = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.sans = w->sans, .n_sans = w->o.args.n,
                         .key = w->key_type, .issuer = ca,
                         .purpose = w->client ? "client" : NULL,
                         .days = (int)w->days),
        &err);
    if (*made == NULL)
        return err_report(&w->o.out, w->o.args.v[0], &err, 1);
    return certout_save(&w->files, *made);
}

static int report_json(const struct new *w, const tlsock_cert *ca,
                       const tlsock_cert *made)
{
    json_t *obj = json_object();
    json_t *names = json_array();

    for (size_t i = 0; i < w->o.args.n; i++)
        json_array_append_new(names, out_json_text(w->o.args.v[i]));
    json_object_set_new(obj, "schema", json_string("tlsock.cert-new/1"));
    json_object_set_new(obj, "certificate",
                        out_json_text(w->files.path[CERTOUT_AT_CERT]));
    json_object_set_new(obj, "key",
                        out_json_text(w->files.path[CERTOUT_AT_KEY]));
    json_object_set_new(obj, "names", names);
    json_object_set_new(obj, "self_signed", json_boolean(ca == NULL));
    json_object_set_new(
        obj, "issuer",
        out_json_text(tlsock_cert_field(made, TLSOCK_CERT_ISSUER)));
    json_object_set_new(
        obj, "not_after",
        out_json_text(tlsock_cert_field(made, TLSOCK_CERT_NOT_AFTER)));
    json_object_set_new(
        obj, "pin", out_json_text(tlsock_cert_field(made, TLSOCK_CERT_PIN)));
    return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

static int report(const struct new *w, const tlsock_cert *ca,
                  const tlsock_cert *made)
{
    char text[300];

    if (w->o.out.json)
        return report_json(w, ca, made);
    if (w->o.out.quiet)
        return EXIT_GOOD;
    printf("created  %s   certificate, %s, %.10s to ",
           w->files.path[CERTOUT_AT_CERT],
           tlsock_cert_field(made, TLSOCK_CERT_KEY_TYPE),
           tlsock_cert_field(made, TLSOCK_CERT_NOT_BEFORE));
    printf("%.10s (%ld days)\n", tlsock_cert_field(made, TLSOCK_CERT_NOT_AFTER),
           w->days);
    printf("created  %s   private key, mode 0600, not encrypted\n",
           w->files.path[CERTOUT_AT_KEY]);
    printf("names   ");
    for (size_t i = 0; i < w->o.args.n; i++)
        printf(" %s", out_clean(text, sizeof(text), w->o.args.v[i]));
    if (ca != NULL)
        printf("\nissuer   %s\n", tlsock_cert_field(ca, TLSOCK_CERT_CN));
    else
        printf("\nissuer   self-signed (there is no local CA: tlsock ca "
               "init); clients: --pin %s\n",
               tlsock_cert_field(made, TLSOCK_CERT_PIN));
    if (!w->client)
        printf("use      tlsock serve :8443 --cert %s --key %s\n",
               w->files.path[CERTOUT_AT_CERT], w->files.path[CERTOUT_AT_KEY]);
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

static int run(struct new *w)
{
    tlsock_cert *ca = NULL, *made = NULL;
    int rc = choose_names(w);

    w->files.out = &w->o.out;
    w->files.command = "cert new";
    w->files.what = CERTOUT_CERT | CERTOUT_KEY;
    if (rc == 0)
        rc = certout_choose(&w->files, w->o.args.v[0]);
    if (rc == 0)
        rc = find_issuer(w, &ca);
    if (rc == 0)
        rc = certout_reserve(&w->files);
    if (rc == 0)
        rc = make(w, ca, &made);
    if (rc == 0)
        rc = report(w, ca, made);
    certout_undo(&w->files);
    tlsock_cert_unref(made);
    tlsock_cert_unref(ca);
    free(w->sans);
    return rc;
}

int cmd_cert_new(int argc, const char **argv)
{
    struct new w = {.days = 90};
    int rc = opt_parse(&w.o, &spec, &w, argc, argv);

    if (rc == -1)
        rc = run(&w);
    opt_free(&w.o);
    return rc;
}
