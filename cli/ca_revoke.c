/* ca revoke - takes a certificate back, and makes a CRL that says so. */
#include "ca_opts.h"
#include "certfield.h"
#include "commands.h"
#include "errors.h"
#include "local.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { OPT_REASON = OPT_OWN };
enum { CANDIDATES = 8 };

struct revoke {
    struct opts o;
    int reason;
    struct cadb *db;
};

static struct poptOption options[] = {
    CA_OPT_DIR,
    CA_OPT_PASS,
    {"reason", '\0', POPT_ARG_STRING, NULL, OPT_REASON,
     "why: keyCompromise, superseded, cessationOfOperation, "
     "affiliationChanged, privilegeWithdrawn, cACompromise or aACompromise "
     "(default: unspecified)",
     "REASON"},
    POPT_TABLEEND};

static struct poptOption table[] = {OPT_GROUP(options, "Revocation:"),
                                    OPT_GROUP(opt_output, "Output:"),
                                    POPT_TABLEEND};

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct revoke *r = own;

    (void)val;
    r->reason = cadb_reason_of(arg);
    if (r->reason >= 0)
        return 0;
    return err_usage(&o->out, o->command,
                     "keyCompromise, superseded, cessationOfOperation, "
                     "affiliationChanged, privilegeWithdrawn, cACompromise, "
                     "aACompromise or unspecified",
                     "--reason \"%s\" is none", arg);
}

static const struct opt_spec spec = {
    .command = "ca revoke",
    .usage = "[options] SERIAL|FILE|NAME...",
    .about = "Revokes certificates of the CA, named by serial, by a file that "
             "holds one, or by a name that only one valid certificate has, "
             "and makes a new CRL at once. There is no way back.",
    .after = "  tlsock ca revoke app.test.pem --reason keyCompromise\n"
             "  tlsock ca revoke app.test\n",
    .table = table,
    .take = take,
    .min_args = 1,
    .max_args = 1000};

/* Is it one of "DNS:a, IP:b"? With or without the kind. */
static int has_name(const char *sans, const char *name)
{
    size_t want = strlen(name);

    while (*sans != '\0') {
        size_t len = strcspn(sans, ",");
        const char *colon = memchr(sans, ':', len);
        size_t kind = colon != NULL ? (size_t)(colon + 1 - sans) : 0;

        if ((len == want && strncasecmp(sans, name, want) == 0) ||
            (len - kind == want && strncasecmp(sans + kind, name, want) == 0))
            return 1;
        sans += len;
        sans += strspn(sans, ", ");
    }
    return 0;
}

static int is_named(const struct cadb_entry *e, const char *name)
{
    return has_name(e->sans, name) || strcasecmp(e->subject, name) == 0 ||
           (strncmp(e->subject, "CN=", 3) == 0 &&
            strcasecmp(e->subject + 3, name) == 0);
}

static int ambiguous(const struct revoke *r, const char *name,
                     const struct cadb_entry *const *found, size_t n)
{
    char list[1024] = "", end[32];
    size_t used = 0;

    for (size_t i = 0; i < n && i < CANDIDATES; i++) {
        cadb_time_text(found[i]->expires, end);
        used += (size_t)snprintf(list + used, sizeof(list) - used,
                                 "%s%s (to %.10s)", i > 0 ? ", " : "",
                                 found[i]->serial, end);
    }
    return err_plain(&r->o.out, name, EXIT_USAGE, "ambiguous", list,
                     "%zu valid certificates are for \"%s\": revoke by "
                     "serial",
                     n, name);
}

static int by_name(const struct revoke *r, const char *name,
                   const struct cadb_entry **entry)
{
    const struct cadb_entry *found[CANDIDATES] = {NULL}, *revoked = NULL;
    int64_t now = (int64_t)time(NULL);
    size_t n = 0;

    for (size_t i = 0; i < cadb_count(r->db); i++) {
        const struct cadb_entry *e = cadb_at(r->db, i);

        if (!is_named(e, name) || e->expires < now)
            continue;
        if (e->revoked) {
            revoked = e;
            continue;
        }
        if (n < CANDIDATES)
            found[n] = e;
        n++;
    }
    *entry = n > 0 ? found[0] : revoked;
    if (n > 1)
        return ambiguous(r, name, found, n);
    if (*entry != NULL)
        return 0;
    return err_plain(&r->o.out, name, EXIT_OWN, "own-file",
                     "tlsock ca list shows what it issued, with serials",
                     "\"%s\" is no serial, no file, and no name in a valid "
                     "certificate of this CA",
                     name);
}

static int by_file(const struct revoke *r, const char *file,
                   const struct cadb_entry **entry)
{
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_load(file, NULL, NULL, &err);
    const char *serial;
    int rc;

    if (c == NULL)
        return err_report(&r->o.out, file, &err, 1);
    /* one from before there was an index comes into it now. Which CA it is of
     * is asked in any case: another may have used the serial too */
    rc = cadb_signed(r->db, c, &err);
    if (rc == 0)
        rc = cadb_adopt(r->db, c, &err);
    if (rc != 0) {
        rc = err_report(&r->o.out, file, &err, 1);
    } else {
        serial = certfield(c, TLSOCK_CERT_SERIAL);
        *entry = serial != NULL ? cadb_find(r->db, serial) : NULL;
        rc = *entry != NULL ? 0 : EXIT_INTERNAL;
    }
    tlsock_cert_unref(c);
    return rc;
}

static int find(const struct revoke *r, const char *what,
                const struct cadb_entry **entry)
{
    *entry = cadb_find(r->db, what);
    if (*entry != NULL)
        return 0;
    return access(what, F_OK) == 0 ? by_file(r, what, entry)
                                   : by_name(r, what, entry);
}

static void say(const struct revoke *r, const struct cadb_entry *e, int before)
{
    char name[300], when[32];

    if (r->o.out.json || r->o.out.quiet)
        return;
    cadb_time_text(e->revoked_at, when);
    printf("%s  %s  %s  (%s%.10s, %s)\n", before ? "was    " : "revoked",
           e->serial, ca_entry_name(e, name, sizeof(name)),
           before ? "revoked already: " : "", when,
           cadb_reason_name(e->reason));
}

/* All are found before any is revoked. */
static int revoke_all(struct revoke *r, const struct cadb_entry **list)
{
    tlsock_error err = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < r->o.args.n; i++)
        rc = find(r, r->o.args.v[i], &list[i]);
    for (size_t i = 0; rc == 0 && i < r->o.args.n; i++) {
        int before = list[i]->revoked;

        if (cadb_revoke(r->db, list[i]->serial, r->reason, &err) != 0)
            rc = err_report(&r->o.out, r->o.args.v[i], &err, 1);
        else
            say(r, list[i], before);
    }
    return rc;
}

static int report_json(const struct revoke *r, const struct cadb_entry **list)
{
    json_t *obj = json_object(), *rows = json_array();

    for (size_t i = 0; i < r->o.args.n; i++)
        json_array_append_new(rows, ca_entry_json(list[i]));
    json_object_set_new(obj, "schema", json_string("tlsock.ca-revoke/1"));
    json_object_set_new(obj, "certificates", rows);
    json_object_set_new(obj, "crl", ca_crl_json(r->db));
    return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

static int run(struct revoke *r)
{
    const struct cadb_entry **list = calloc(r->o.args.n, sizeof(*list));
    int rc = list != NULL ? ca_open(&r->db, &r->o, 1) : EXIT_INTERNAL;

    if (rc == 0)
        rc = revoke_all(r, list);
    if (rc == 0)
        rc = ca_make_crl(r->db, &r->o, 0);
    if (rc == 0 && r->o.out.json)
        rc = report_json(r, list);
    else if (rc == 0 && !r->o.out.quiet)
        ca_print_crl(r->db);
    cadb_close(r->db);
    free(list);
    return rc == 0 && fflush(stdout) != 0 ? EXIT_INTERNAL : rc;
}

int cmd_ca_revoke(int argc, const char **argv)
{
    struct revoke r = {.reason = 0};
    int rc = opt_parse(&r.o, &spec, &r, argc, argv);

    if (rc == -1)
        rc = run(&r);
    opt_free(&r.o);
    return rc;
}
