/* ca init - a CA for this machine and its tests, that may sign little. */
#include "commands.h"
#include "errors.h"
#include "local.h"
#include "opt.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { OPT_DIR = OPT_OWN, OPT_CA_NAME, OPT_PERMITTED, OPT_ANY, OPT_DAYS };

struct ca {
    struct opts o;
    const char *dir, *name, *permitted;
    int any;
    long days;
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
    {"days", '\0', POPT_ARG_STRING, NULL, OPT_DAYS, "lifetime (default: 3650)",
     "N"},
    POPT_TABLEEND};

static struct poptOption table[] = {
    OPT_GROUP(options, "CA:"), OPT_GROUP(opt_output, "Output:"), POPT_TABLEEND};

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
    default:
        return opt_number(o, "--days", arg, 1, 36500, &c->days);
    }
}

static const struct opt_spec spec = {
    .command = "ca init",
    .usage = "[options]",
    .about = "Makes a local CA: ca.pem and ca.key in its own directory. It "
             "may sign only .test, .localhost, .internal and private "
             "addresses, unless told otherwise. An existing CA is never "
             "replaced.",
    .after = "  tlsock ca init\n"
             "  tlsock cert new app.test && tlsock serve :8443 --cert "
             "app.test.pem --key app.test.key\n",
    .table = table,
    .take = take};

static int system_error(const struct ca *c, const char *path, int errnum)
{
    return err_plain(&c->o.out, path, EXIT_OWN, "own-file",
                     "--dir DIR chooses another place", "%s: %s", path,
                     strerror(errnum));
}

static int choose_paths(struct ca *c)
{
    if (c->dir == NULL && local_dir(c->where) < 0)
        return err_plain(&c->o.out, "ca init", EXIT_OWN, "own-file",
                         "--dir DIR, or set HOME",
                         "no home directory to keep the CA in");
    if (c->dir != NULL && (size_t)snprintf(c->where, sizeof(c->where), "%s",
                                           c->dir) >= sizeof(c->where))
        return err_usage(&c->o.out, "ca init", NULL, "--dir: too long");
    if (local_path(c->cert, c->where, "ca.pem") < 0 ||
        local_path(c->key, c->where, "ca.key") < 0)
        return err_usage(&c->o.out, "ca init", NULL, "--dir: too long");
    return 0;
}

/* Both names are taken before anything is made, so that two runs at once do
 * not mix their halves. */
static int reserve(const struct ca *c)
{
    int errnum = local_make_dir(c->where);

    if (errnum != 0)
        return system_error(c, c->where, errnum);
    if (local_exists(c->where))
        errnum = EEXIST;
    if (errnum == 0)
        errnum = local_reserve(c->key, 0);
    if (errnum == EEXIST)
        return err_plain(&c->o.out, c->where, EXIT_OWN, "own-file",
                         "use it as it is, or --dir DIR for another one",
                         "there is a CA already in %s", c->where);
    if (errnum != 0)
        return system_error(c, c->key, errnum);
    return 0;
}

static int make(const struct ca *c, tlsock_cert **made, tlsock_error *err)
{
    char subject[300];
    const char *name = c->name != NULL ? c->name : "tlsock local CA";
    size_t used = 3;

    memcpy(subject, "CN=", 4);
    for (; *name != '\0' && used < sizeof(subject) - 3; name++) {
        if (strchr(",+\"\\<>;=/#", *name) != NULL)
            subject[used++] = '\\';
        subject[used++] = *name;
    }
    subject[used] = '\0';
    *made = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.subject = subject, .ca = 1, .pathlen = 0,
                         .days = (int)c->days,
                         .permitted = c->any                 ? NULL
                                      : c->permitted != NULL ? c->permitted
                                                             : local_permitted),
        err);
    if (*made == NULL)
        return err->code;
    if (tlsock_cert_save(*made, TLSOCK_PART_KEY, TLSOCK_FORMAT_PEM, c->key,
                         NULL, err) < 0)
        return err->code;
    return tlsock_cert_save(*made, TLSOCK_PART_CERT, TLSOCK_FORMAT_PEM, c->cert,
                            NULL, err);
}

static int report(const struct ca *c, const tlsock_cert *made)
{
    const struct out *o = &c->o.out;
    json_t *obj;

    if (o->json) {
        obj = json_object();
        json_object_set_new(obj, "schema", json_string("tlsock.ca-init/1"));
        json_object_set_new(obj, "certificate", out_json_text(c->cert));
        json_object_set_new(obj, "key", out_json_text(c->key));
        json_object_set_new(obj, "permitted",
                            c->any ? json_null()
                                   : out_json_text(c->permitted != NULL
                                                       ? c->permitted
                                                       : local_permitted));
        json_object_set_new(
            obj, "not_after",
            out_json_text(tlsock_cert_field(made, TLSOCK_CERT_NOT_AFTER)));
        return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
    }
    if (o->quiet)
        return EXIT_GOOD;
    printf("created  %s   CA certificate, %s, to %.10s\n", c->cert,
           tlsock_cert_field(made, TLSOCK_CERT_KEY_TYPE),
           tlsock_cert_field(made, TLSOCK_CERT_NOT_AFTER));
    printf("created  %s   private key, mode 0600, not encrypted\n", c->key);
    if (c->any)
        printf("signs    EVERY NAME: whoever gets the key can be anybody to "
               "those who trust it\n");
    else if (c->permitted != NULL)
        printf("signs    only %s\n", c->permitted);
    else
        printf("signs    only .test .localhost .internal and private "
               "addresses\n");
    printf("use      tlsock cert new app.test%s%s\n",
           c->dir != NULL ? " --ca " : "", c->dir != NULL ? c->where : "");
    printf("trust    tlsock connect --ca +%s app.test:8443\n", c->cert);
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

static int run(struct ca *c)
{
    tlsock_cert *made = NULL;
    tlsock_error err = {0};
    int rc;

    if (c->any && c->permitted != NULL)
        return err_usage(&c->o.out, "ca init", "leave one of them out",
                         "--any-name and --permitted together");
    rc = choose_paths(c);
    if (rc == 0)
        rc = reserve(c);
    if (rc != 0)
        return rc;
    if (make(c, &made, &err) < 0) {
        unlink(c->key);
        rc = err_report(&c->o.out, "ca init", &err, 1);
    } else {
        rc = report(c, made);
    }
    tlsock_cert_unref(made);
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
