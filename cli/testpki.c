/* testpki - a directory full of certificates for tests. */
#include "testpki.h"

#include "commands.h"
#include "errors.h"
#include "local.h"
#include "opt.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <time.h>

enum { OPT_DOMAIN = OPT_OWN, OPT_DAYS, OPT_FORCE };

struct line {
    struct opts o;
    const char *domain;
    long days;
    int force;
};

static struct poptOption options[] = {
    {"domain", '\0', POPT_ARG_STRING, NULL, OPT_DOMAIN,
     "the domain of all names (default: test)", "NAME"},
    {"days", '\0', POPT_ARG_STRING, NULL, OPT_DAYS,
     "lifetime of what is not expired (default: 90)", "N"},
    {"force", '\0', POPT_ARG_NONE, NULL, OPT_FORCE,
     "write into a directory that is not empty", NULL},
    POPT_TABLEEND};

static struct poptOption table[] = {OPT_GROUP(options, "Zoo:"),
                                    OPT_GROUP(opt_output, "Output:"),
                                    POPT_TABLEEND};

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct line *w = own;

    switch (val) {
    case OPT_DOMAIN:
        w->domain = arg;
        return 0;
    case OPT_DAYS: /* the CAs live as long */
        return opt_number(o, "--days", arg, 1, 2500, &w->days);
    default:
        w->force = 1;
        return 0;
    }
}

static const struct opt_spec spec = {
    .command = "testpki",
    .usage = "[options] DIR",
    .about = "Makes a zoo of certificates for tests: CAs, good ones in every "
             "format, and one with each fault. README.txt and index.json in "
             "DIR tell what each is for and what a verifier must say.",
    .after = "  tlsock testpki zoo\n"
             "  tlsock serve :8443 --cert zoo/expired.pem --key "
             "zoo/expired.key\n"
             "  tlsock connect --ca zoo/root.pem --name app.test "
             "localhost:8443\n",
    .table = table,
    .take = take,
    .min_args = 1,
    .max_args = 1};

/* It becomes part of names, texts and certificates: nothing but a domain. */
static int check_domain(const struct line *w)
{
    const char *p = w->domain;
    size_t label = 0, len = strlen(p);
    char shown[120];
    int ok = len <= 100;

    for (; ok && *p != '\0'; p++) {
        ok = isalnum((unsigned char)*p) ||
             (label > 0 && (*p == '-' || *p == '.'));
        label = *p == '.' ? 0 : label + 1;
        ok = ok && label <= 63;
    }
    if (ok && len > 0 && isalnum((unsigned char)p[-1]) &&
        strspn(w->domain, "0123456789.") != len)
        return 0;
    return err_usage(&w->o.out, "testpki",
                     "a domain in plain letters, such as test or lab.example",
                     "--domain \"%s\" is no domain",
                     out_clean(shown, sizeof(shown), w->domain));
}

static int is_empty(const char *dir)
{
    DIR *d = opendir(dir);
    int n = 0;

    if (d == NULL)
        return 1;
    while (n < 3 && readdir(d) != NULL)
        n++;
    closedir(d);
    return n < 3; /* . and .. */
}

static int make_dir(const struct line *w, const char *dir)
{
    int errnum;

    if (strlen(dir) + 1 + ZOO_LONGEST >= LOCAL_PATH)
        return err_usage(&w->o.out, "testpki", NULL,
                         "the path of DIR is too long");
    errnum = local_make_dir(dir);
    if (errnum != 0)
        return err_plain(&w->o.out, dir, EXIT_OWN, "own-file",
                         "name a directory that you may write to", "%s: %s",
                         dir, strerror(errnum));
    if (!w->force && !is_empty(dir))
        return err_plain(&w->o.out, dir, EXIT_OWN, "own-file",
                         "name a new directory; --force replaces files of "
                         "the same name",
                         "%s is not empty", dir);
    return 0;
}

static int report(const struct zoo *z)
{
    char text[LOCAL_PATH];
    json_t *obj;

    if (z->out->json) {
        obj = json_object();
        json_object_set_new(obj, "schema", json_string("tlsock.testpki-new/1"));
        json_object_set_new(obj, "directory", out_json_text(z->dir));
        json_object_set_new(obj, "domain", out_json_text(z->domain));
        json_object_set_new(obj, "files", json_integer((json_int_t)z->files));
        json_object_set_new(
            obj, "entries",
            json_integer((json_int_t)(zoo_n_rows + zoo_n_forms)));
        return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
    }
    if (!z->out->quiet) {
        out_clean(text, sizeof(text), z->dir);
        printf("created  %s   %zu files: %zu certificates, %zu formats\n", text,
               z->files, zoo_n_rows, zoo_n_forms);
        printf("read     %s/README.txt, or %s/index.json for programs\n", text,
               text);
        printf("trust    --ca %s/root.pem, in tests alone\n", text);
    }
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

static int run(const struct line *w)
{
    struct zoo z = {.out = &w->o.out,
                    .dir = w->o.args.v[0],
                    .domain = w->domain,
                    .days = w->days,
                    .now = time(NULL)};
    int rc = check_domain(w);

    if (rc == 0)
        rc = make_dir(w, z.dir);
    if (rc == 0)
        rc = zoo_make(&z);
    if (rc == 0)
        rc = zoo_form(&z);
    if (rc == 0)
        rc = zoo_index(&z);
    if (rc == 0)
        rc = report(&z);
    for (size_t i = 0; i < zoo_n_rows; i++) {
        tlsock_cert_unref(z.made[i].c);
        X509_free(z.made[i].x);
        EVP_PKEY_free(z.made[i].key);
    }
    return rc;
}

int cmd_testpki(int argc, const char **argv)
{
    struct line w = {.domain = "test", .days = 90};
    int rc = opt_parse(&w.o, &spec, &w, argc, argv);

    if (rc == -1)
        rc = run(&w);
    opt_free(&w.o);
    return rc;
}
