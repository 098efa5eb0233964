/* cert lint - what standards and browsers have against a certificate. */
#include "certfield.h"
#include "commands.h"
#include "errors.h"
#include "source.h"

#include <string.h>

#define EXIT_FINDINGS 1

enum { OPT_FAIL_ON = OPT_OWN };

static const char *const severities[] = {"note", "warning", "error"};

struct linting {
    struct opts o;
    int fail_on; /* TLSOCK_LINT_* */
    const char *target;
    const tlsock_cert *cert;
    int found[3]; /* by severity */
    json_t *list; /* of findings, for --json */
    int failed;   /* out of memory */
};

static struct poptOption options[] = {
    {"fail-on", '\0', POPT_ARG_STRING, NULL, OPT_FAIL_ON,
     "exit with 1 if there is such a finding, or a worse one (default: error)",
     "error|warning|note"},
    POPT_TABLEEND};

static struct poptOption table[] = {
    OPT_GROUP(options, "Lint:"),        OPT_GROUP(opt_source, "Source:"),
    OPT_GROUP(opt_network, "Network:"), OPT_GROUP(opt_evidence, "Evidence:"),
    OPT_GROUP(opt_output, "Output:"),   POPT_TABLEEND};

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct linting *w = own;

    (void)val;
    for (int i = 0; i < 3; i++)
        if (strcmp(arg, severities[i]) == 0) {
            w->fail_on = i;
            return 0;
        }
    return err_usage(&o->out, o->command, "error, warning or note",
                     "--fail-on: there is no \"%s\"", arg);
}

static const struct opt_spec spec = {
    .command = "cert lint",
    .usage = "[options] FILE|HOST:PORT|URL|-",
    .about = "Looks for everything in a certificate and its chain that RFC "
             "5280, its updates and the rules of browsers forbid or advise "
             "against, and says how to mend it. Whom to trust is another "
             "question: tlsock cert verify.",
    .after = "  tlsock cert lint app.test.pem\n"
             "  tlsock cert lint --fail-on warning example.com:443\n"
             "  openssl x509 -in x.pem | tlsock cert lint -\n",
    .one = "findings (see --fail-on)",
    .table = table,
    .take = take,
    .min_args = 1,
    .max_args = 1};

static int count(const tlsock_lint *f, void *arg)
{
    struct linting *w = arg;

    w->found[f->severity]++;
    return 0;
}

static int add_json(const tlsock_lint *f, void *arg)
{
    struct linting *w = arg;
    json_t *obj = json_object();

    json_object_set_new(obj, "severity", json_string(severities[f->severity]));
    json_object_set_new(obj, "code", json_string(f->code));
    json_object_set_new(obj, "certificate", json_integer(f->index));
    json_object_set_new(obj, "message", out_json_text(f->message));
    json_object_set_new(obj, "fix", out_json_text(f->hint));
    json_object_set_new(obj, "source", out_json_text(f->source));
    w->failed = w->failed || json_array_append_new(w->list, obj) != 0;
    return 0;
}

/* "0 app.test", "2 Example Root" */
static void who(const struct linting *w, int index, char *text, size_t size)
{
    tlsock_cert *at = index > 0 ? certfield_chain(w->cert, index - 1) : NULL;
    const tlsock_cert *c = index > 0 ? at : w->cert;
    const char *name = c != NULL ? certfield(c, TLSOCK_CERT_CN) : NULL;

    if (name == NULL || name[0] == '\0')
        name = c != NULL ? certfield(c, TLSOCK_CERT_SANS) : NULL;
    if (c != NULL && name != NULL && name[0] == '\0')
        name = certfield(c, TLSOCK_CERT_SUBJECT);
    snprintf(text, size, "%d %.100s", index, name != NULL ? name : "");
    tlsock_cert_unref(at);
}

static int print(const tlsock_lint *f, void *arg)
{
    static const char *const labels[] = {"note", "WARN", "ERROR"};
    static const char *const colors[] = {"0", OUT_YELLOW, OUT_RED};
    struct linting *w = arg;
    char text[512], name[128];

    printf("\n");
    if (out_colored(&w->o.out, stdout))
        printf("\033[%sm%-5s\033[0m ", colors[f->severity],
               labels[f->severity]);
    else
        printf("%-5s ", labels[f->severity]);
    printf("%s  %s\n", f->code, out_clean(text, sizeof(text), f->message));
    if (tlsock_cert_chain_len(w->cert) > 0) {
        who(w, f->index, name, sizeof(name));
        printf("      in    %s\n", out_clean(text, sizeof(text), name));
    }
    printf("      fix   %s\n      says  %s\n", f->hint, f->source);
    return 0;
}

static void print_count(int n, const char *what, int *before)
{
    if (n == 0)
        return;
    printf("%s%d %s%s", *before ? ", " : "  ", n, what, n == 1 ? "" : "s");
    *before = 1;
}

/* "app.test.pem  NOT OK  1 error, 2 notes  (2 certificates)" */
static void print_verdict(const struct linting *w, int bad)
{
    char text[300];
    int n = 1 + tlsock_cert_chain_len(w->cert), before = 0;
    const char *verdict = bad ? "NOT OK" : "ok";

    printf("%s  ", out_clean(text, sizeof(text), w->target));
    if (out_colored(&w->o.out, stdout))
        printf("\033[%sm%s\033[0m", bad ? OUT_RED : OUT_GREEN, verdict);
    else
        printf("%s", verdict);
    for (int i = TLSOCK_LINT_ERROR; i >= TLSOCK_LINT_NOTE; i--)
        print_count(w->found[i], severities[i], &before);
    printf("%s  (%d certificate%s)\n", before ? "" : "  nothing found", n,
           n == 1 ? "" : "s");
}

static int report_json(struct linting *w, int bad)
{
    json_t *obj = json_object();

    json_object_set_new(obj, "schema", json_string("tlsock.cert-lint/1"));
    json_object_set_new(obj, "target", out_json_text(w->target));
    json_object_set_new(obj, "ok", json_boolean(!bad));
    json_object_set_new(obj, "fail_on", json_string(severities[w->fail_on]));
    json_object_set_new(obj, "certificates",
                        json_integer(1 + tlsock_cert_chain_len(w->cert)));
    json_object_set_new(obj, "errors",
                        json_integer(w->found[TLSOCK_LINT_ERROR]));
    json_object_set_new(obj, "warnings",
                        json_integer(w->found[TLSOCK_LINT_WARNING]));
    json_object_set_new(obj, "notes", json_integer(w->found[TLSOCK_LINT_NOTE]));
    json_object_set(obj, "findings", w->list);
    return out_json_print(obj) == 0 && !w->failed ? EXIT_GOOD : EXIT_INTERNAL;
}

static int run(struct linting *w)
{
    tlsock_error err = {0};
    int bad = 0, rc;

    rc = tlsock_cert_lint(w->cert, count, w, &err);
    if (rc >= 0 && w->o.out.json)
        rc = tlsock_cert_lint(w->cert, add_json, w, &err);
    if (rc < 0)
        return err_report(&w->o.out, w->target, &err, 1);
    for (int i = w->fail_on; i <= TLSOCK_LINT_ERROR; i++)
        bad = bad || w->found[i] > 0;
    if (w->o.out.json) {
        rc = report_json(w, bad);
    } else if (!w->o.out.quiet) {
        print_verdict(w, bad);
        rc = tlsock_cert_lint(w->cert, print, w, &err);
        if (rc < 0)
            return err_report(&w->o.out, w->target, &err, 1);
    }
    if (fflush(stdout) != 0 || (w->o.out.json && rc != 0))
        return EXIT_INTERNAL;
    return bad ? EXIT_FINDINGS : EXIT_GOOD;
}

int cmd_cert_lint(int argc, const char **argv)
{
    struct linting w = {.fail_on = TLSOCK_LINT_ERROR};
    int rc = opt_parse(&w.o, &spec, &w, argc, argv);
    tlsock_cert *c;

    if (rc == -1) {
        w.target = w.o.args.v[0];
        c = source_load(&w.o, w.target, &rc);
        w.cert = c;
        w.list = json_array();
        if (c != NULL)
            rc = run(&w);
        json_decref(w.list);
        tlsock_cert_unref(c);
    }
    opt_free(&w.o);
    return rc;
}
