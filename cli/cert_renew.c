/* cert renew - a new certificate for the same names, in the place of the old.
 */
#include "ca_opts.h"
#include "certfield.h"
#include "certopts.h"
#include "commands.h"
#include "errors.h"
#include "renewfile.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXIT_DUE 1
#define DAY 86400

enum {
    OPT_CERT_KEY = OPT_OWN,
    OPT_KEY_PASS,
    OPT_NEW_KEY,
    OPT_DAYS,
    OPT_IF_DUE,
    OPT_CHECK
};

struct renew {
    struct opts o;
    const char *key, *key_pass;
    int new_key, check, any_due;
    long days;
    long due;    /* -1: always */
    int percent; /* due is of the lifetime, not days */
    int open;    /* the signer */
    struct signer by;
};

/* One of the files. */
struct one {
    const char *name;
    struct renewfile files;
    tlsock_cert *old, *made;
    int64_t from, to, now;
    int self, new_key;
};

static struct poptOption options[] = {
    {"ca", '\0', POPT_ARG_STRING, NULL, OPT_CA,
     "who signs it (default: the local CA)", "DIR|FILE"},
    {"pass", '\0', POPT_ARG_STRING, NULL, OPT_PASS,
     "where the password of the CA's key is", "file:FILE|env:NAME|fd:N|prompt"},
    {"key", '\0', POPT_ARG_STRING, NULL, OPT_CERT_KEY,
     "the certificate's key, if it is not beside or in the file", "FILE"},
    {"key-pass", '\0', POPT_ARG_STRING, NULL, OPT_KEY_PASS,
     "where its password is; encrypts a new key too",
     "file:FILE|env:NAME|fd:N|prompt"},
    {"new-key", '\0', POPT_ARG_NONE, NULL, OPT_NEW_KEY,
     "make a new key too (default: keep the key, and pins with it)", NULL},
    {"days", '\0', POPT_ARG_STRING, NULL, OPT_DAYS,
     "lifetime (default: as before)", "N"},
    POPT_TABLEEND};

static struct poptOption when[] = {
    {"if-due", '\0', POPT_ARG_STRING, NULL, OPT_IF_DUE,
     "only if it ends within N days, or N% of its lifetime are left", "N|N%"},
    {"check", '\0', POPT_ARG_NONE, NULL, OPT_CHECK,
     "change nothing: exit 1 if one is due (default: 33% left)", NULL},
    POPT_TABLEEND};

static struct poptOption table[] = {
    OPT_GROUP(options, "Renewal:"), OPT_GROUP(when, "When:"),
    OPT_GROUP(opt_output, "Output:"), POPT_TABLEEND};

static int take_due(struct renew *r, const char *arg)
{
    size_t len = strlen(arg);
    char *number = opt_keep(&r->o, arg, len);

    if (number == NULL)
        return EXIT_INTERNAL;
    r->percent = len > 1 && number[len - 1] == '%';
    if (r->percent)
        number[len - 1] = '\0';
    return opt_number(&r->o, "--if-due", number, 0, r->percent ? 100 : 36500,
                      &r->due);
}

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct renew *r = own;

    switch (val) {
    case OPT_CERT_KEY:
        r->key = arg;
        return 0;
    case OPT_KEY_PASS:
        return opt_take_pass(o, "--key-pass", arg, 0, &r->key_pass);
    case OPT_NEW_KEY:
        r->new_key = 1;
        return 0;
    case OPT_DAYS:
        return opt_number(o, "--days", arg, 1, 36500, &r->days);
    case OPT_IF_DUE:
        return take_due(r, arg);
    default:
        r->check = 1;
        return 0;
    }
}

static const struct opt_spec spec = {
    .command = "cert renew",
    .usage = "[options] FILE...",
    .about = "Replaces certificates by new ones for the same names and uses, "
             "signed by the CA that issued them (one that signed itself signs "
             "itself again). FILE is replaced in one step; its key stays, "
             "unless --new-key.",
    .after = "  tlsock cert renew app.test.pem\n"
             "  tlsock cert renew --if-due 33% /etc/app/*.pem\n"
             "  tlsock cert renew --check app.test.pem || echo due\n",
    .one = "one is due (--check)",
    .table = table,
    .take = take,
    .min_args = 1,
    .max_args = 1000};

static int is_due(const struct renew *r, const struct one *c)
{
    int64_t left = c->to - c->now;

    if (r->due < 0)
        return 1;
    if (r->percent)
        return left * 100 <= (c->to - c->from) * r->due;
    return left <= (int64_t)r->due * DAY;
}

static int tell_json(const struct one *c, const char *result)
{
    const tlsock_cert *now = c->made != NULL ? c->made : c->old;
    json_t *obj = json_object();

    json_object_set_new(obj, "schema", json_string("tlsock.cert-renew/1"));
    json_object_set_new(obj, "target", out_json_text(c->name));
    json_object_set_new(obj, "result", json_string(result));
    certname_field(obj, "subject", now, TLSOCK_CERT_SUBJECT);
    certname_field(obj, "serial", now, TLSOCK_CERT_SERIAL);
    certname_field(obj, "not_after", now, TLSOCK_CERT_NOT_AFTER);
    if (c->made != NULL) {
        json_object_set_new(obj, "certificate", out_json_text(c->files.cert));
        json_object_set_new(obj, "key", out_json_text(c->files.key));
        json_object_set_new(obj, "new_key", json_boolean(c->new_key));
    }
    return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

/* result: "due", "not-due", "renewed", "finished" */
static int tell(const struct renew *r, const struct one *c, const char *result)
{
    char name[512], key[LOCAL_PATH];
    int64_t left = c->to - c->now;

    if (r->o.out.json)
        return tell_json(c, result);
    if (r->o.out.quiet)
        return EXIT_GOOD;
    out_clean(name, sizeof(name), c->name);
    if (c->made != NULL)
        printf("%s  %s   to %.10s, %s%s\n",
               strcmp(result, "finished") == 0 ? "finished" : "renewed ", name,
               certfield(c->made, TLSOCK_CERT_NOT_AFTER),
               c->new_key ? "new key in " : "same key",
               c->new_key ? out_clean(key, sizeof(key), c->files.key) : "");
    else if (left < 0)
        printf("%-8s  %s   expired %lld days ago\n", result, name,
               (long long)(-left / DAY));
    else
        printf("%-8s  %s   expires in %lld days\n", result, name,
               (long long)(left / DAY));
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

TLSOCK_PRINTF(4, 5)
static int fail(const struct renew *r, const struct one *c, const char *fix,
                const char *format, ...)
{
    char cause[sizeof(((tlsock_error *)0)->message) + 64];
    va_list ap;

    va_start(ap, format);
    vsnprintf(cause, sizeof(cause), format, ap);
    va_end(ap);
    return err_plain(&r->o.out, c->name, EXIT_OWN, "own-file", fix, "%s",
                     cause);
}

static int open_signer(struct renew *r, const struct one *c)
{
    int rc;

    if (r->open)
        return 0;
    rc = ca_open_signer(&r->by, &r->o.out, opt_ca(&r->o), opt_pass(&r->o));
    r->open = rc == 0 && r->by.where != NULL;
    if (rc != 0 || r->open)
        return rc;
    return fail(r, c, "--ca DIR|FILE names the CA that issued it",
                "there is no local CA to renew it");
}

/* A key that somebody else may have is not certified again. */
static int check_revoked(const struct renew *r, const struct one *c)
{
    const char *serial = certfield(c->old, TLSOCK_CERT_SERIAL);
    const struct cadb_entry *e =
        r->by.db != NULL && serial != NULL ? cadb_find(r->by.db, serial) : NULL;

    if (e == NULL || !e->revoked || c->new_key)
        return 0;
    return fail(r, c, "--new-key renews it with another key",
                "it was revoked (%s): its key gets no other certificate",
                cadb_reason_name(e->reason));
}

static int check_issuer(struct renew *r, const struct one *c)
{
    tlsock_error err = {0};
    int rc = open_signer(r, c);

    if (rc != 0)
        return rc;
    if (signer_signed(&r->by, c->old, &err) != 0) {
        return fail(r, c,
                    "--ca names the CA that issued it; if that is not yours, "
                    "send it a request: tlsock cert csr --like FILE",
                    "the CA did not issue it: %s", err.message);
    }
    /* one from before there was an index is still good: it may be revoked */
    if (r->by.db != NULL && cadb_adopt(r->by.db, c->old, &err) != 0)
        return err_report(&r->o.out, c->name, &err, 1);
    return check_revoked(r, c);
}

static int check(struct renew *r, struct one *c)
{
    const char *subject = certfield(c->old, TLSOCK_CERT_SUBJECT);
    const char *issuer = certfield(c->old, TLSOCK_CERT_ISSUER);
    const char *usage = certfield(c->old, TLSOCK_CERT_USAGE);

    if (subject == NULL || issuer == NULL || usage == NULL)
        return EXIT_INTERNAL;
    if (strstr(usage, "keyCertSign") != NULL)
        return fail(r, c,
                    "make another CA with tlsock ca init, and have it trusted "
                    "before this one ends",
                    "it is a CA: what it issued would not go along");
    c->self = strcmp(subject, issuer) == 0;
    if (c->self && r->o.ca.n > 0)
        return fail(r, c,
                    "leave --ca out; one that a CA signs is made by tlsock "
                    "cert new --like FILE --ca DIR",
                    "it signed itself, no CA issued it");
    c->new_key = r->new_key;
    if (!c->new_key && c->files.has == RENEWFILE_NO_KEY)
        return fail(r, c,
                    "--key FILE names its key, --new-key makes another; or let "
                    "who has the key run tlsock cert csr --like FILE",
                    "its private key is not here: neither in the file nor in "
                    "%s",
                    c->files.key);
    if (c->files.has == RENEWFILE_INSIDE && r->key_pass != NULL &&
        strncmp(r->key_pass, "fd:", 3) == 0)
        return fail(r, c, "--key-pass file:FILE or env:NAME",
                    "its key is in the same file: its password is needed "
                    "twice, %s can be read once",
                    "--key-pass prompt or fd:");
    return c->self ? 0 : check_issuer(r, c);
}

static int other_key(const struct renew *r, const struct one *c)
{
    return fail(r, c,
                "find it with tlsock cert match CERT *.key and name it with "
                "--key, or --new-key makes another",
                "the key in %s is not that of this certificate", c->files.key);
}

/* A certificate for whatever key lies there would break pins, and the server
 * that has the right one. A descriptor can be read but once: see make(). */
static int check_key(const struct renew *r, const struct one *c)
{
    tlsock_error err = {0};
    tlsock_cert *both;

    if (c->new_key ||
        (r->key_pass != NULL && strncmp(r->key_pass, "fd:", 3) == 0))
        return 0;
    both = tlsock_cert_load(c->files.cert, c->files.key, r->key_pass, &err);
    if (both == NULL && err.code == TLSOCK_E_KEY_MISMATCH)
        return other_key(r, c);
    if (both == NULL)
        return err_report(&r->o.out, c->name, &err, 1);
    tlsock_cert_unref(both);
    return 0;
}

static int same_key(const struct one *c)
{
    const char *old = certfield(c->old, TLSOCK_CERT_PIN),
               *made = certfield(c->made, TLSOCK_CERT_PIN);

    return old != NULL && made != NULL && strcmp(old, made) == 0;
}

static int make(struct renew *r, struct one *c)
{
    tlsock_error err = {0};
    tlsock_cert_opts *how =
        TLSOCK_CERT_OPTS(.like = c->old, .days = (int)r->days,
                         .key = c->new_key ? NULL : c->files.key,
                         .pass = c->new_key ? NULL : r->key_pass);

    c->made = c->self ? tlsock_cert_create(how, &err)
                      : signer_issue(&r->by, how, &err);
    if (c->made == NULL)
        return err_report(&r->o.out, c->name, &err, 1);
    if (!c->new_key && !same_key(c))
        return other_key(r, c);
    if (renewfile_save(&c->files, c->made, c->new_key, r->key_pass, &err) != 0)
        return err_report(&r->o.out, c->name, &err, 1);
    return 0;
}

static int load(const struct renew *r, struct one *c)
{
    tlsock_error err = {0};
    int inside = c->files.has == RENEWFILE_INSIDE;

    c->old = tlsock_cert_load(c->files.cert, NULL, inside ? r->key_pass : NULL,
                              &err);
    if (c->old == NULL)
        return err_report(&r->o.out, c->name, &err, 1);
    c->from = cadb_time_of(c->old, TLSOCK_CERT_NOT_BEFORE);
    c->to = cadb_time_of(c->old, TLSOCK_CERT_NOT_AFTER);
    return 0;
}

static int renew_one(struct renew *r, struct one *c)
{
    tlsock_error err = {0};
    int rc;

    if (renewfile_find(&c->files, c->name, r->key, &err) != 0)
        return err_report(&r->o.out, c->name, &err, 1);
    rc =
        r->check ? 0 : renewfile_finish(&c->files, r->key_pass, &c->made, &err);
    if (rc < 0)
        return err_report(&r->o.out, c->files.both, &err, 1);
    if (rc == 1) {
        c->new_key = 1;
        return tell(r, c, "finished");
    }
    rc = load(r, c);
    if (rc != 0)
        return rc;
    if (!is_due(r, c))
        return tell(r, c, "not-due");
    r->any_due = 1;
    if (r->check)
        return tell(r, c, "due");
    rc = check(r, c);
    if (rc == 0)
        rc = check_key(r, c);
    if (rc == 0)
        rc = make(r, c);
    return rc == 0 ? tell(r, c, "renewed") : rc;
}

/* The others are renewed although one cannot be. */
static int run(struct renew *r)
{
    int first = 0;

    if (r->key != NULL && r->o.args.n > 1)
        return err_usage(&r->o.out, r->o.command, "one run for each FILE",
                         "--key and several files");
    if (r->check && r->due < 0) {
        r->due = 33;
        r->percent = 1;
    }
    for (size_t i = 0; i < r->o.args.n; i++) {
        struct one c = {.name = r->o.args.v[i], .now = (int64_t)time(NULL)};
        int rc = renew_one(r, &c);

        tlsock_cert_unref(c.old);
        tlsock_cert_unref(c.made);
        first = first != 0 ? first : rc;
    }
    signer_close(&r->by);
    return first != 0 ? first : r->check && r->any_due ? EXIT_DUE : EXIT_GOOD;
}

int cmd_cert_renew(int argc, const char **argv)
{
    struct renew r = {.due = -1};
    int rc = opt_parse(&r.o, &spec, &r, argc, argv);

    if (rc == -1)
        rc = run(&r);
    opt_free(&r.o);
    return rc;
}
