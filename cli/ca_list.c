/* ca list - what the CA issued, and whether its CRL is as it should be. */
#include "ca_opts.h"
#include "certopts.h"
#include "commands.h"
#include "errors.h"

#include <string.h>
#include <time.h>

enum { OPT_REVOKED = OPT_OWN, OPT_EXPIRED, OPT_EXPIRING };

struct list {
    struct opts o;
    int revoked, expired;
    long expiring; /* days; 0: not asked */
    int64_t now;
};

static struct poptOption options[] = {
    CA_OPT_DIR,
    {"revoked", '\0', POPT_ARG_NONE, NULL, OPT_REVOKED, "only what is revoked",
     NULL},
    {"expired", '\0', POPT_ARG_NONE, NULL, OPT_EXPIRED, "only what has expired",
     NULL},
    {"expiring", '\0', POPT_ARG_STRING, NULL, OPT_EXPIRING,
     "only what is valid and expires within N days", "N"},
    POPT_TABLEEND};

static struct poptOption table[] = {OPT_GROUP(options, "List:"),
                                    OPT_GROUP(opt_output, "Output:"),
                                    POPT_TABLEEND};

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct list *l = own;

    switch (val) {
    case OPT_REVOKED:
        l->revoked = 1;
        return 0;
    case OPT_EXPIRED:
        l->expired = 1;
        return 0;
    default:
        return opt_number(o, "--expiring", arg, 1, 36500, &l->expiring);
    }
}

static const struct opt_spec spec = {
    .command = "ca list",
    .usage = "[options]",
    .about = "Shows what the CA issued: status, serial, end, names. The CA's "
             "key is not needed. Several of --revoked, --expired and "
             "--expiring show what fits any of them.",
    .after = "  tlsock ca list\n"
             "  tlsock ca list --expiring 30 --json\n",
    .table = table,
    .take = take};

static int is_wanted(const struct list *l, const struct cadb_entry *e)
{
    int ended = e->expires < l->now;

    if (!l->revoked && !l->expired && l->expiring == 0)
        return 1;
    return (l->revoked && e->revoked) || (l->expired && ended) ||
           (l->expiring > 0 && !e->revoked && !ended &&
            e->expires <= l->now + (int64_t)l->expiring * 86400);
}

/* Why the CRL needs work, or NULL. */
static const char *crl_trouble(const struct list *l, const struct cadb *db)
{
    const struct cadb_crl_state *crl = cadb_crl_state(db);

    if (crl->outdated)
        return "the CRL does not show the last revocation";
    if (crl->due != 0 && crl->due < l->now)
        return "the CRL is overdue: clients may refuse every certificate";
    if (crl->made == 0 && cadb_url(db, CADB_URL_CRL)[0] != '\0')
        return "the certificates name a CRL, but none was made so far";
    return NULL;
}

static int show_json(const struct list *l, const struct cadb *db)
{
    const char *trouble = crl_trouble(l, db);
    json_t *obj = json_object(), *rows = json_array();

    json_object_set_new(obj, "schema", json_string("tlsock.ca-list/1"));
    json_object_set_new(obj, "dir", out_json_text(cadb_dir(db)));
    certname_field(obj, "subject", cadb_ca(db), TLSOCK_CERT_SUBJECT);
    certname_field(obj, "not_after", cadb_ca(db), TLSOCK_CERT_NOT_AFTER);
    json_object_set_new(obj, "crl", ca_crl_json(db));
    if (trouble != NULL)
        json_object_set_new(obj, "warning", json_string(trouble));
    for (size_t i = 0; i < cadb_count(db); i++) {
        if (is_wanted(l, cadb_at(db, i)))
            json_array_append_new(rows, ca_entry_json(cadb_at(db, i)));
    }
    json_object_set_new(obj, "certificates", rows);
    return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

static void show_row(const struct list *l, const struct cadb_entry *e)
{
    char names[512], end[32];
    int left = (int)((e->expires - l->now) / 86400);

    cadb_time_text(e->expires, end);
    out_clean(names, sizeof(names), e->sans[0] != '\0' ? e->sans : e->subject);
    if (e->revoked)
        out_label(&l->o.out, stdout, OUT_RED, "revoked");
    else if (e->expires < l->now)
        out_label(&l->o.out, stdout, OUT_YELLOW, "expired");
    else
        out_label(&l->o.out, stdout, left < 14 ? OUT_YELLOW : OUT_GREEN,
                  "valid");
    printf("%s  to %.10s  %s", e->serial, end, names);
    if (e->revoked) {
        cadb_time_text(e->revoked_at, end);
        printf("  (%.10s, %s)", end, cadb_reason_name(e->reason));
    }
    putchar('\n');
}

static int show(const struct list *l, const struct cadb *db)
{
    const char *trouble = crl_trouble(l, db);
    char text[512];
    size_t shown = 0;

    for (size_t i = 0; i < cadb_count(db); i++) {
        if (!is_wanted(l, cadb_at(db, i)))
            continue;
        shown++;
        show_row(l, cadb_at(db, i));
    }
    if (shown == 0 && !l->o.out.quiet)
        printf("%s\n", cadb_count(db) == 0
                           ? "this CA issued nothing so far"
                           : "none of its certificates is like that");
    if (trouble != NULL) {
        fprintf(stderr, "tlsock: %s: warning: %s\n",
                out_clean(text, sizeof(text), cadb_dir(db)), trouble);
        fprintf(stderr, "  fix:   tlsock ca crl%s%s\n",
                l->o.ca.n > 0 ? " --dir " : "", l->o.ca.n > 0 ? text : "");
    }
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

int cmd_ca_list(int argc, const char **argv)
{
    struct list l = {.now = (int64_t)time(NULL)};
    struct cadb *db = NULL;
    int rc = opt_parse(&l.o, &spec, &l, argc, argv);

    if (rc == -1) {
        rc = ca_open(&db, &l.o, 0);
        if (rc == 0)
            rc = l.o.out.json ? show_json(&l, db) : show(&l, db);
    }
    cadb_close(db);
    opt_free(&l.o);
    return rc;
}
