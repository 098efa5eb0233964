/* ca init - a CA for this machine and its tests, that may sign little. */
#include "ca_opts.h"
#include "cadb.h"
#include "certfield.h"
#include "certopts.h"
#include "commands.h"
#include "errors.h"
#include "local.h"

#include <string.h>

enum {
    OPT_DIR = OPT_OWN,
    OPT_CA_NAME,
    OPT_PERMITTED,
    OPT_ANY,
    OPT_DAYS,
    OPT_KEY_TYPE,
    OPT_PATHLEN,
    OPT_ISSUER,
    OPT_ISSUER_PASS,
    OPT_KEY_PASS,
    OPT_CRL_DAYS,
    OPT_URL /* and those behind it, CADB_URLS in all */
};

struct ca {
    struct opts o;
    const char *dir, *name, *permitted, *key_type, *issuer, *issuer_pass, *pass;
    const char *url[CADB_URLS];
    int any;
    long days, pathlen, crl_days;
    char where[LOCAL_PATH], cert[LOCAL_PATH], key[LOCAL_PATH];
};

static struct poptOption options[] = {
    {"dir", '\0', POPT_ARG_STRING, NULL, OPT_DIR,
     "where it lives (default: $XDG_DATA_HOME/tlsock/ca)", "DIR"},
    {"name", '\0', POPT_ARG_STRING, NULL, OPT_CA_NAME,
     "its name (default: tlsock local CA)", "NAME"},
    {"permitted", '\0', POPT_ARG_STRING, NULL, OPT_PERMITTED,
     "names and networks it may sign, separated by commas", "LIST"},
    {"any-name", '\0', POPT_ARG_NONE, NULL, OPT_ANY,
     "let it sign every name: whoever has its key can be anybody", NULL},
    {"key-type", '\0', POPT_ARG_STRING, NULL, OPT_KEY_TYPE,
     "kind of its key (default: ec:P-256)",
     "ec:P-256|ec:P-384|ec:P-521|rsa:3072|ed25519"},
    {"days", '\0', POPT_ARG_STRING, NULL, OPT_DAYS, "lifetime (default: 3650)",
     "N"},
    {"pass", '\0', POPT_ARG_STRING, NULL, OPT_KEY_PASS,
     "encrypt its key with this password", "file:FILE|env:NAME|fd:N|prompt"},
    {"issuer", '\0', POPT_ARG_STRING, NULL, OPT_ISSUER,
     "a CA that signs this one (default: it signs itself)", "DIR|FILE"},
    {"issuer-pass", '\0', POPT_ARG_STRING, NULL, OPT_ISSUER_PASS,
     "where the password of the issuer's key is",
     "file:FILE|env:NAME|fd:N|prompt"},
    {"pathlen", '\0', POPT_ARG_STRING, NULL, OPT_PATHLEN,
     "how many CAs may be below it (default: 0)", "N"},
    POPT_TABLEEND};

static struct poptOption service[] = {
    {"crl-url", '\0', POPT_ARG_STRING, NULL, OPT_URL + CADB_URL_CRL,
     "where its CRL will be, in every certificate it issues", "URL"},
    {"ocsp-url", '\0', POPT_ARG_STRING, NULL, OPT_URL + CADB_URL_OCSP,
     "where its OCSP responder will be", "URL"},
    {"aia-url", '\0', POPT_ARG_STRING, NULL, OPT_URL + CADB_URL_AIA,
     "where its own certificate will be", "URL"},
    {"crl-days", '\0', POPT_ARG_STRING, NULL, OPT_CRL_DAYS,
     "days until the next CRL is due (default: 7)", "N"},
    POPT_TABLEEND};

static struct poptOption table[] = {
    OPT_GROUP(options, "CA:"), OPT_GROUP(service, "Revocation:"),
    OPT_GROUP(opt_output, "Output:"), POPT_TABLEEND};

/* What other programs could not follow is refused before it is in every
 * certificate. */
static int take_url(struct ca *c, int which, const char *arg)
{
    if (strncmp(arg, "http://", 7) != 0 || arg[7] == '\0')
        return err_usage(&c->o.out, "ca init", "http://HOST/PATH",
                         "\"%s\" is no http:// URL: https would need the "
                         "answer to fetch it",
                         arg);
    c->url[which] = arg;
    return 0;
}

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct ca *c = own;

    switch (val) {
    case OPT_DIR:
        c->dir = arg;
        return 0;
    case OPT_CA_NAME:
        c->name = arg;
        return 0;
    case OPT_PERMITTED:
        c->permitted = arg;
        return 0;
    case OPT_ANY:
        c->any = 1;
        return 0;
    case OPT_KEY_TYPE:
        c->key_type = arg;
        return 0;
    case OPT_ISSUER:
        c->issuer = arg;
        return 0;
    case OPT_ISSUER_PASS:
        return opt_take_pass(o, "--issuer-pass", arg, 0, &c->issuer_pass);
    case OPT_KEY_PASS:
        return opt_take_pass(o, "--pass", arg, 1, &c->pass);
    case OPT_PATHLEN:
        return opt_number(o, "--pathlen", arg, 0, 100, &c->pathlen);
    case OPT_CRL_DAYS:
        return opt_number(o, "--crl-days", arg, 1, 3650, &c->crl_days);
    case OPT_DAYS:
        return opt_number(o, "--days", arg, 1, 36500, &c->days);
    default:
        return take_url(c, val - OPT_URL, arg);
    }
}

static const struct opt_spec spec = {
    .command = "ca init",
    .usage = "[options]",
    .about = "Makes a CA: ca.pem and ca.key in its own directory. It may sign "
             "only .test, .localhost, .internal and private addresses, unless "
             "told otherwise. What it issues and revokes is kept in a file "
             "beside. An existing CA is never replaced.",
    .after = "  tlsock ca init\n"
             "  tlsock cert new app.test\n"
             "  tlsock serve :8443 --cert app.test.pem --key app.test.key\n"
             "  tlsock ca init --dir corp --name 'Corp Root' --pathlen 1 \\\n"
             "    --permitted .corp.example\n"
             "  tlsock ca init --dir tls --name 'Corp TLS' --issuer corp \\\n"
             "    --permitted .corp.example\n",
    .table = table,
    .take = take};

static int choose_paths(struct ca *c)
{
    size_t len;

    if (c->dir == NULL && local_dir(c->where) < 0)
        return err_plain(&c->o.out, "ca init", EXIT_OWN, "own-file",
                         "--dir DIR, or set HOME",
                         "no home directory to keep the CA in");
    if (c->dir != NULL && (size_t)snprintf(c->where, sizeof(c->where), "%s",
                                           c->dir) >= sizeof(c->where))
        return err_usage(&c->o.out, "ca init", NULL, "--dir: too long");
    len = strlen(c->where);
    while (len > 1 && c->where[len - 1] == '/')
        c->where[--len] = '\0';
    if (local_path(c->cert, c->where, "ca.pem") < 0 ||
        local_path(c->key, c->where, "ca.key") < 0)
        return err_usage(&c->o.out, "ca init", NULL, "--dir: too long");
    return 0;
}

static const char *permitted(const struct ca *c)
{
    if (c->any)
        return NULL;
    return c->permitted != NULL ? c->permitted : local_permitted;
}

static const char *name_of(const struct ca *c)
{
    return c->name != NULL ? c->name : "tlsock local CA";
}

static void subject_of(char *subject, size_t size, const char *name)
{
    size_t used = 3;

    memcpy(subject, "CN=", 4);
    for (; *name != '\0' && used < size - 3; name++) {
        if (strchr(",+\"\\<>;=/#", *name) != NULL)
            subject[used++] = '\\';
        subject[used++] = *name;
    }
    subject[used] = '\0';
}

static tlsock_cert *make(const struct ca *c, struct signer *s,
                         tlsock_error *err)
{
    char subject[300];
    struct cadb_init in = {
        .dir = c->where, .pass_uri = c->pass, .crl_days = (int)c->crl_days};
    tlsock_cert_opts *how;

    subject_of(subject, sizeof(subject), name_of(c));
    how = TLSOCK_CERT_OPTS(.subject = subject, .ca = 1,
                           .pathlen = (int)c->pathlen, .key = c->key_type,
                           .issuer = s->own, .days = (int)c->days,
                           .permitted = permitted(c));
    in.how = how;
    in.parent = s->db;
    memcpy(in.url, c->url, sizeof(in.url));
    return cadb_create(&in, err);
}

static int report_json(const struct ca *c, const tlsock_cert *made)
{
    static const char *const keys[CADB_URLS] = {"crl_url", "ocsp_url",
                                                "aia_url"};
    const char *end = certfield(made, TLSOCK_CERT_NOT_AFTER);
    json_t *obj = json_object();

    json_object_set_new(obj, "schema", json_string("tlsock.ca-init/1"));
    json_object_set_new(obj, "certificate", out_json_text(c->cert));
    json_object_set_new(obj, "key", out_json_text(c->key));
    json_object_set_new(obj, "encrypted", json_boolean(c->pass != NULL));
    json_object_set_new(obj, "permitted", out_json_text(permitted(c)));
    certname_field(obj, "subject", made, TLSOCK_CERT_SUBJECT);
    certname_field(obj, "issuer", made, TLSOCK_CERT_ISSUER);
    json_object_set_new(obj, "not_after", out_json_text(end));
    for (int i = 0; i < CADB_URLS; i++) {
        if (c->url[i] != NULL)
            json_object_set_new(obj, keys[i], out_json_text(c->url[i]));
    }
    return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

/* A name that the CA may sign, for an example of its use. */
static void some_name(const struct ca *c, char *name, size_t size)
{
    const char *list = c->permitted != NULL ? c->permitted : ".test";
    size_t len = strcspn(list, ",");

    if (memchr(list, '/', len) != NULL || memchr(list, ':', len) != NULL)
        snprintf(name, size, "NAME");
    else
        snprintf(name, size, "%s%.*s", *list == '.' ? "app" : "", (int)len,
                 list);
}

/* What comes next. Of one below another, the other is what clients trust. */
static void advise(const struct ca *c)
{
    char dir[LOCAL_PATH], cert[LOCAL_PATH], top[LOCAL_PATH], plain[300],
        name[400];
    const char *trusted = c->issuer != NULL ? c->issuer : c->where;
    int elsewhere = c->dir != NULL || c->issuer != NULL;

    some_name(c, plain, sizeof(plain));
    out_clean(name, sizeof(name), plain);
    out_clean(dir, sizeof(dir), c->where);
    out_clean(cert, sizeof(cert), c->cert);
    out_clean(top, sizeof(top), trusted);
    printf("use      tlsock cert new %s%s%s\n", name,
           c->dir != NULL ? " --ca " : "", c->dir != NULL ? dir : "");
    printf("trust    tlsock trust install%s%s (system, browsers, Java)\n",
           elsewhere ? " " : "", elsewhere ? top : "");
    if (c->issuer == NULL)
        printf("or once  tlsock connect --ca +%s %s:8443\n", cert, name);
}

static int report(const struct ca *c, const tlsock_cert *made)
{
    const struct out *o = &c->o.out;
    char text[512], cert[LOCAL_PATH], key[LOCAL_PATH];

    if (o->json)
        return report_json(c, made);
    if (o->quiet)
        return EXIT_GOOD;
    out_clean(cert, sizeof(cert), c->cert);
    out_clean(key, sizeof(key), c->key);
    printf("created  %s   CA certificate, %s, to %.10s\n", cert,
           certfield(made, TLSOCK_CERT_KEY_TYPE),
           certfield(made, TLSOCK_CERT_NOT_AFTER));
    printf("created  %s   private key, mode 0600, %sencrypted\n", key,
           c->pass != NULL ? "" : "not ");
    if (c->issuer != NULL)
        printf("issuer   %s\n", certfield_text(made, TLSOCK_CERT_ISSUER));
    if (c->any)
        printf("signs    EVERY NAME: whoever gets the key can be anybody to "
               "those who trust it\n");
    else if (c->permitted != NULL)
        printf("signs    only %s\n",
               out_clean(text, sizeof(text), c->permitted));
    else
        printf("signs    only .test .localhost .internal and private "
               "addresses\n");
    advise(c);
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

/* A CA is found by its name: one below another needs its own. */
static int open_issuer(const struct ca *c, struct signer *s)
{
    const char *theirs;
    int rc;

    if (c->issuer == NULL)
        return 0;
    rc = ca_open_signer(s, &c->o.out, c->issuer, c->issuer_pass);
    if (rc != 0)
        return rc;
    theirs = certfield(signer_ca(s), TLSOCK_CERT_CN);
    if (theirs == NULL)
        return EXIT_INTERNAL;
    if (strcmp(theirs, name_of(c)) != 0)
        return 0;
    return err_usage(&c->o.out, "ca init", "--name NAME",
                     "its issuer is called \"%s\" too", theirs);
}

static int create(struct ca *c, struct signer *s, tlsock_cert **made)
{
    tlsock_error err = {0};
    int errnum = 0, rc = open_issuer(c, s);

    if (rc != 0)
        return rc;
    errnum = local_make_dir(c->where);
    if (errnum != 0)
        return err_plain(&c->o.out, c->where, EXIT_OWN, "own-file",
                         "--dir DIR chooses another place", "%s: %s", c->where,
                         strerror(errnum));
    *made = make(c, s, &err);
    if (*made != NULL)
        return 0;
    if (err.code == TLSOCK_E_STATE)
        return err_plain(&c->o.out, c->where, EXIT_OWN, "own-file", err.hint,
                         "%s", err.message);
    return err_report(&c->o.out, "ca init", &err, 1);
}

static int run(struct ca *c)
{
    struct signer s = {.db = NULL};
    tlsock_cert *made = NULL;
    int rc;

    if (c->any && c->permitted != NULL)
        return err_usage(&c->o.out, "ca init", "leave one of them out",
                         "--any-name and --permitted together");
    if (c->issuer == NULL && c->issuer_pass != NULL)
        return err_usage(&c->o.out, "ca init", "--issuer DIR|FILE",
                         "--issuer-pass without --issuer");
    rc = choose_paths(c);
    if (rc == 0)
        rc = create(c, &s, &made);
    if (rc == 0)
        rc = report(c, made);
    tlsock_cert_unref(made);
    signer_close(&s);
    return rc;
}

int cmd_ca_init(int argc, const char **argv)
{
    struct ca c = {.dir = NULL};
    int rc = opt_parse(&c.o, &spec, &c, argc, argv);

    if (rc == -1)
        rc = run(&c);
    opt_free(&c.o);
    return rc;
}
