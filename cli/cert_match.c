/* cert match - which private key belongs to which certificate or request. */
#include "certfield.h"
#include "certtext.h"
#include "commands.h"
#include "errors.h"
#include "showother.h"
#include "source.h"

#include <stdlib.h>
#include <string.h>

#define EXIT_UNMATCHED 1

struct match {
    struct opts o;
    json_t *certs; /* [{"file","kind","subject","pin","keys":[FILE]}] */
    json_t *keys;  /* [{"file","key_type","pin","belongs_to":[FILE]}] */
    int failed;    /* exit code of the first file that could not be read */
};

static struct poptOption own_options[] = {
    {"pass", '\0', POPT_ARG_STRING, NULL, OPT_PASS,
     "where the password of the keys is", "file:FILE|env:NAME|fd:N|prompt"},
    POPT_TABLEEND};

static struct poptOption table[] = {
    OPT_GROUP(own_options, "Match:"), OPT_GROUP(opt_network, "Network:"),
    OPT_GROUP(opt_evidence, "Evidence:"), OPT_GROUP(opt_output, "Output:"),
    POPT_TABLEEND};

static const struct opt_spec spec = {
    .command = "cert match",
    .usage = "[options] FILE...",
    .about = "Tells which private key belongs to which certificate or signing "
             "request, of any number of files in any order; servers count as "
             "certificates. Exit: 0 if there is a key for each, 1 if not.",
    .after = "  tlsock cert match app.test.pem *.key\n"
             "  tlsock cert match --pass env:PW *.pem *.csr *.key *.p12\n",
    .one = "something has no match",
    .table = table,
    .min_args = 1,
    .max_args = 10000};

static void add_cert(struct match *m, const struct source *s, const char *kind,
                     const char *subject, const char *pin)
{
    json_t *row = json_object();

    json_object_set_new(row, "file", out_json_text(s->target));
    json_object_set_new(row, "kind", json_string(kind));
    json_object_set_new(row, "subject", out_json_text(subject));
    json_object_set_new(row, "pin", out_json_text(pin));
    json_object_set_new(row, "keys", json_array());
    json_array_append_new(m->certs, row);
}

static int add_request(struct match *m, const struct source *s)
{
    tlsock_error err = {0};
    tlsock_csr *r = tlsock_csr_load(s->uri, &err);

    if (r == NULL)
        return err_report(&m->o.out, s->target, &err, 1);
    add_cert(m, s, "request", certfield_csr(r, TLSOCK_CERT_SUBJECT),
             certfield_csr(r, TLSOCK_CERT_PIN));
    tlsock_csr_free(r);
    return 0;
}

/* A key that cannot be looked into is a row too: it may be the one. */
static int add_key(struct match *m, const struct source *s)
{
    json_t *row = json_object(), *key;
    tlsock_error err = {0};

    json_object_set_new(row, "file", out_json_text(s->target));
    key = show_key_json(s->uri, s->pass, &err);
    json_object_set_new(
        row, "key_type",
        out_json_text(key != NULL ? certtext_get(key, "key_type") : NULL));
    json_object_set_new(
        row, "pin",
        out_json_text(key != NULL ? certtext_get(key, "pin") : NULL));
    json_object_set_new(row, "belongs_to", json_array());
    if (key == NULL) {
        json_object_set_new(row, "error",
                            out_json_text(tlsock_errslug(err.code)));
        json_object_set_new(row, "cause", out_json_text(err.message));
    }
    json_array_append_new(m->keys, row);
    json_decref(key);
    return key != NULL || err.code == TLSOCK_E_PASSWORD
               ? 0
               : err_exit_code(&err, 1);
}

static int add(struct match *m, const char *target)
{
    const int keys = TLSOCK_KIND_KEY | TLSOCK_KIND_CSR;
    struct source s;
    int rc = source_open(&m->o, target, &s), of_p12;

    if (rc == 0 && s.cert != NULL)
        add_cert(m, &s, s.server ? "server" : "certificate",
                 certfield(s.cert, TLSOCK_CERT_SUBJECT),
                 certfield(s.cert, TLSOCK_CERT_PIN));
    if (rc == 0 && (s.kind & TLSOCK_KIND_CSR) != 0)
        rc = add_request(m, &s);
    of_p12 = (s.kind & TLSOCK_KIND_PKCS12) != 0 && tlsock_cert_has_key(s.cert);
    if (rc == 0 && ((s.kind & TLSOCK_KIND_KEY) != 0 || of_p12))
        rc = add_key(m, &s);
    if (rc == 0 && s.cert == NULL && (s.kind & keys) == 0)
        rc = err_plain(&m->o.out, s.target, EXIT_OWN, "own-file",
                       "name certificates, signing requests and private keys",
                       "this is %s", source_kind_name(s.kind));
    source_close(&s);
    return rc;
}

/* Each key into the rows of its certificates, and the other way round; the
 * pins are looked up, so that thousands of files take no longer than that. */
static void join(struct match *m)
{
    json_t *by_pin = json_object(), *row, *list;
    size_t i, k;

    json_array_foreach(m->certs, i, row)
    {
        const char *pin = certtext_get(row, "pin");

        list = json_object_get(by_pin, pin);
        if (list == NULL) {
            list = json_array();
            json_object_set_new(by_pin, pin, list);
        }
        json_array_append(list, row);
    }
    json_array_foreach(m->keys, i, row)
    {
        const char *pin = certtext_get(row, "pin");
        json_t *cert;

        if (pin[0] == '\0')
            continue;
        json_array_foreach(json_object_get(by_pin, pin), k, cert)
        {
            json_array_append(json_object_get(cert, "keys"),
                              json_object_get(row, "file"));
            json_array_append(json_object_get(row, "belongs_to"),
                              json_object_get(cert, "file"));
        }
    }
    json_decref(by_pin);
}

static int without_key(const struct match *m)
{
    json_t *row;
    size_t i;
    int n = 0;

    json_array_foreach(m->certs, i, row) n +=
        json_array_size(json_object_get(row, "keys")) == 0;
    return n;
}

static void files(const json_t *list, const char *between)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
        printf("%s%s", i > 0 ? between : "", json_string_value(one));
}

static int width(const struct match *m)
{
    json_t *row;
    size_t i, w = 0;

    json_array_foreach(m->certs, i, row) w =
        strlen(certtext_get(row, "file")) > w
            ? strlen(certtext_get(row, "file"))
            : w;
    json_array_foreach(m->keys, i, row) w =
        strlen(certtext_get(row, "file")) > w
            ? strlen(certtext_get(row, "file"))
            : w;
    return w < 40 ? (int)w : 40;
}

static void mark(const struct out *o, const char *color, const char *text)
{
    if (out_colored(o, stdout))
        printf("\033[%sm%s\033[0m", color, text);
    else
        fputs(text, stdout);
}

static void print_text(const struct match *m)
{
    const struct out *o = &m->o.out;
    int w = width(m);
    json_t *row;
    size_t i;

    json_array_foreach(m->certs, i, row)
    {
        const json_t *keys = json_object_get(row, "keys");

        printf("%-*s  %-11s  ", w, certtext_get(row, "file"),
               certtext_get(row, "kind"));
        if (json_array_size(keys) > 0) {
            mark(o, OUT_GREEN, "key  ");
            files(keys, ", ");
        } else {
            mark(o, OUT_RED, "NO KEY");
        }
        printf("  (%s)\n", certtext_get(row, "subject"));
    }
    json_array_foreach(m->keys, i, row)
    {
        const json_t *of = json_object_get(row, "belongs_to");

        if (json_array_size(of) > 0 && !o->verbose)
            continue;
        printf("%-*s  %-11s  ", w, certtext_get(row, "file"), "private key");
        if (json_array_size(of) > 0) {
            files(of, ", ");
        } else if (json_object_get(row, "error") != NULL) {
            mark(o, OUT_YELLOW, "not read: ");
            fputs(certtext_get(row, "cause"), stdout);
        } else {
            mark(o, OUT_YELLOW, "belongs to none of them");
            printf("  (%s)", certtext_get(row, "key_type"));
        }
        putchar('\n');
    }
}

static int report(struct match *m)
{
    int missing = without_key(m), rc = 0;
    json_t *obj;

    if (m->o.out.json) {
        obj = json_object();
        json_object_set_new(obj, "schema", json_string("tlsock.cert-match/1"));
        json_object_set_new(obj, "complete", json_boolean(missing == 0));
        json_object_set(obj, "certificates", m->certs);
        json_object_set(obj, "keys", m->keys);
        rc = out_json_print(obj);
    } else if (!m->o.out.quiet) {
        print_text(m);
    }
    if (rc != 0 || fflush(stdout) != 0)
        return EXIT_INTERNAL;
    if (m->failed != 0)
        return m->failed;
    return missing == 0 ? EXIT_GOOD : EXIT_UNMATCHED;
}

static int run(struct match *m)
{
    m->certs = json_array();
    m->keys = json_array();
    for (size_t i = 0; i < m->o.args.n; i++) {
        int rc = add(m, m->o.args.v[i]);

        m->failed = m->failed != 0 ? m->failed : rc;
    }
    if (out_lost()) /* there may have been more */
        return EXIT_INTERNAL;
    if (json_array_size(m->certs) == 0 && m->failed == 0)
        return err_usage(&m->o.out, "cert match",
                         "name at least one certificate or request",
                         "there are only private keys");
    join(m);
    return report(m);
}

int cmd_cert_match(int argc, const char **argv)
{
    struct match m = {.failed = 0};
    int rc = opt_parse(&m.o, &spec, &m, argc, argv);

    if (rc == -1)
        rc = run(&m);
    json_decref(m.certs);
    json_decref(m.keys);
    opt_free(&m.o);
    return rc;
}
