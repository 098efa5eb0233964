/* ca crl - a new list of what the CA revoked. */
#include "ca_opts.h"
#include "commands.h"
#include "errors.h"

enum { OPT_DAYS = OPT_OWN };

struct crl {
    struct opts o;
    long days;
};

static struct poptOption options[] = {
    CA_OPT_DIR,
    CA_OPT_PASS,
    {"days", '\0', POPT_ARG_STRING, NULL, OPT_DAYS,
     "until the next one is due, kept for those that follow (default: 7)", "N"},
    POPT_TABLEEND};

static struct poptOption table[] = {OPT_GROUP(options, "CRL:"),
                                    OPT_GROUP(opt_output, "Output:"),
                                    POPT_TABLEEND};

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct crl *c = own;

    (void)val;
    return opt_number(o, "--days", arg, 1, 3650, &c->days);
}

static const struct opt_spec spec = {
    .command = "ca crl",
    .usage = "[options]",
    .about = "Makes a new CRL, crl.der and crl.pem in the CA's directory, with "
             "the next number. Have it run by cron or a timer before the last "
             "one is overdue.",
    .after = "  tlsock ca crl\n"
             "  tlsock ca crl --days 30\n",
    .table = table,
    .take = take};

static int report(const struct crl *c, const struct cadb *db)
{
    json_t *obj;

    if (c->o.out.json) {
        obj = ca_crl_json(db);
        json_object_set_new(obj, "schema", json_string("tlsock.ca-crl/1"));
        return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
    }
    if (!c->o.out.quiet)
        ca_print_crl(db);
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

int cmd_ca_crl(int argc, const char **argv)
{
    struct crl c = {.days = 0};
    struct cadb *db = NULL;
    int rc = opt_parse(&c.o, &spec, &c, argc, argv);

    if (rc == -1) {
        rc = ca_open(&db, &c.o, 1);
        if (rc == 0)
            rc = ca_make_crl(db, &c.o, (int)c.days);
        if (rc == 0)
            rc = report(&c, db);
    }
    cadb_close(db);
    opt_free(&c.o);
    return rc;
}
