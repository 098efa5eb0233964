/* cert diff - what differs between two certificates, wherever they are. */
#include "certtext.h"
#include "commands.h"
#include "errors.h"
#include "facts.h"
#include "source.h"

#include <stdlib.h>
#include <string.h>

#define EXIT_DIFFERENT 1

struct diff {
    struct opts o;
    const char *names[2];
    json_t *certs[2];
    json_t *differences; /* [{"field":...}] */
    json_t *equal;       /* names of fields */
};

static struct poptOption table[] = {
    OPT_GROUP(opt_source, "Source:"), OPT_GROUP(opt_network, "Network:"),
    OPT_GROUP(opt_evidence, "Evidence:"), OPT_GROUP(opt_output, "Output:"),
    POPT_TABLEEND};

static const struct opt_spec spec = {
    .command = "cert diff",
    .usage = "[options] A B",
    .about = "Tells what differs between two certificates and what goes with "
             "them: files, servers, standard input (-). Nothing is verified. "
             "Exit: 0 the same, 1 different.",
    .after = "  tlsock cert diff old.pem new.pem\n"
             "  tlsock cert diff app.test.pem app.test:443\n",
    .one = "they differ",
    .table = table,
    .min_args = 2,
    .max_args = 2};

static void note(struct diff *d, const char *field, json_t *difference)
{
    if (difference == NULL) {
        json_array_append_new(d->equal, json_string(field));
        return;
    }
    json_object_set_new(difference, "field", json_string(field));
    json_array_append_new(d->differences, difference);
}

static json_t *member(const struct diff *d, int i, const char *key)
{
    return json_object_get(d->certs[i], key);
}

static void value(struct diff *d, const char *field, const char *key)
{
    json_t *a = member(d, 0, key), *b = member(d, 1, key), *found = NULL;

    if (!json_equal(a, b)) {
        found = json_object();
        json_object_set(found, "a", a);
        json_object_set(found, "b", b);
    }
    note(d, field, found);
}

/* Of texts in from, those that are not in the other list. */
static json_t *only_in(const json_t *from, const json_t *other)
{
    json_t *set = json_object(), *list = json_array(), *one;
    size_t i;

    json_array_foreach(other, i, one)
        json_object_set_new(set, json_string_value(one), json_true());
    json_array_foreach(from, i, one)
    {
        if (json_object_get(set, json_string_value(one)) == NULL)
            json_array_append(list, one);
    }
    json_decref(set);
    return list;
}

static void lists(struct diff *d, const char *field, const json_t *a,
                  const json_t *b)
{
    json_t *removed = only_in(a, b), *added = only_in(b, a), *found = NULL;

    if (json_array_size(removed) + json_array_size(added) > 0 ||
        !json_equal((json_t *)a, (json_t *)b)) {
        found = json_object();
        json_object_set(found, "removed", removed);
        json_object_set(found, "added", added);
        json_object_set_new(
            found, "order",
            json_boolean(json_array_size(removed) + json_array_size(added) ==
                         0));
    }
    json_decref(removed);
    json_decref(added);
    note(d, field, found);
}

static void list(struct diff *d, const char *field, const char *key)
{
    lists(d, field, member(d, 0, key), member(d, 1, key));
}

/* Their contents are fields of their own, or differ in any new certificate. */
static int told_elsewhere(const char *name)
{
    static const char *const names[] = {
        "subjectAltName",        "keyUsage",
        "extendedKeyUsage",      "basicConstraints",
        "authorityInfoAccess",   "subjectKeyIdentifier",
        "crlDistributionPoints", "authorityKeyIdentifier",
        "ct_precert_scts"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return 1;
    return 0;
}

static json_t *extension_texts(const json_t *cert)
{
    json_t *texts = json_array(), *one;
    size_t i;

    json_array_foreach(json_object_get(cert, "extensions"), i, one)
    {
        const char *name = certtext_get(one, "name"),
                   *data = certtext_get(one, "data");
        int known = name[0] != '\0';

        if (data[0] == '\0')
            data = certtext_get(one, "der");
        json_array_append_new(
            texts,
            json_sprintf("%s%s%s%s", known ? name : certtext_get(one, "oid"),
                         json_is_true(json_object_get(one, "critical"))
                             ? " (critical)"
                             : "",
                         told_elsewhere(name) ? "" : ": ",
                         told_elsewhere(name) ? "" : data));
    }
    return texts;
}

static json_t *chain_texts(const json_t *cert)
{
    json_t *texts = json_array(), *one;
    size_t i;

    json_array_foreach(json_object_get(cert, "chain"), i, one)
        json_array_append_new(texts,
                              json_sprintf("%s, until %.10s, %.23s...",
                                           certtext_get(one, "subject"),
                                           certtext_get(one, "not_after"),
                                           certtext_get(one, "sha256")));
    return texts;
}

static void made_lists(struct diff *d, const char *field,
                       json_t *(*make)(const json_t *cert))
{
    json_t *a = make(d->certs[0]), *b = make(d->certs[1]);

    lists(d, field, a, b);
    json_decref(a);
    json_decref(b);
}

static void compare(struct diff *d)
{
    static const char *const values[][2] = {
        {"subject", "subject"},
        {"issuer", "issuer"},
        {"serial", "serial"},
        {"not before", "not_before"},
        {"not after", "not_after"},
        {"kind of key", "key_type"},
        {"key", "pin"},
        {"signature", "signature"},
        {"version", "version"},
        {"basic constraints", "basic_constraints"},
        {"issuer's key id", "issuer_key_id"}};
    static const char *const texts[][2] = {{"names", "sans"},
                                           {"usage", "usage"},
                                           {"CRL addresses", "crl_urls"},
                                           {"OCSP addresses", "ocsp_urls"},
                                           {"issuer addresses", "aia_urls"}};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        value(d, values[i][0], values[i][1]);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        list(d, texts[i][0], texts[i][1]);
    made_lists(d, "extensions", extension_texts);
    value(d, "bytes", "sha256");
    made_lists(d, "chain", chain_texts);
}

static void change(const struct out *o, const json_t *v, char sign)
{
    const char *text = json_string_value(v);
    char *dumped = NULL;

    if (text == NULL)
        dumped = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL)
        text = dumped != NULL ? dumped : "";
    if (out_colored(o, stdout))
        printf("  \033[%sm%c %s\033[0m\n", sign == '-' ? OUT_RED : OUT_GREEN,
               sign, text[0] != '\0' ? text : "(none)");
    else
        printf("  %c %s\n", sign, text[0] != '\0' ? text : "(none)");
    free(dumped);
}

static void changes(const struct out *o, const json_t *values, char sign)
{
    const json_t *one;
    size_t i;

    json_array_foreach(values, i, one) change(o, one, sign);
}

static void print_text(const struct diff *d)
{
    const json_t *one;
    char text[512];
    size_t i;

    printf("- %s\n", out_clean(text, sizeof(text), d->names[0]));
    printf("+ %s\n", out_clean(text, sizeof(text), d->names[1]));
    json_array_foreach(d->differences, i, one)
    {
        printf("%s%s\n", certtext_get(one, "field"),
               json_is_true(json_object_get(one, "order"))
                   ? ": in another order"
                   : "");
        if (json_object_get(one, "a") != NULL) {
            change(&d->o.out, json_object_get(one, "a"), '-');
            change(&d->o.out, json_object_get(one, "b"), '+');
        }
        changes(&d->o.out, json_object_get(one, "removed"), '-');
        changes(&d->o.out, json_object_get(one, "added"), '+');
    }
    if (json_array_size(d->differences) == 0)
        printf("the same certificate, with the same chain\n");
    else if (json_array_size(d->equal) > 0)
        certtext_list(&d->o.out, "the same", d->equal);
}

static int print_json(const struct diff *d, int same)
{
    json_t *obj = json_object();
    int same_key = json_equal(member(d, 0, "pin"), member(d, 1, "pin"));

    json_object_set_new(obj, "schema", json_string("tlsock.cert-diff/1"));
    json_object_set_new(obj, "a", out_json_text(d->names[0]));
    json_object_set_new(obj, "b", out_json_text(d->names[1]));
    json_object_set_new(obj, "same", json_boolean(same));
    json_object_set_new(obj, "same_key", json_boolean(same_key));
    json_object_set(obj, "differences", d->differences);
    json_object_set(obj, "equal", d->equal);
    return out_json_print(obj);
}

static int run(struct diff *d)
{
    int rc = 0, same;

    for (int i = 0; i < 2; i++) {
        tlsock_cert *c;

        d->names[i] = d->o.args.v[i];
        c = source_load(&d->o, d->names[i], &rc);
        if (c == NULL)
            return rc;
        d->certs[i] = facts_cert_json(c);
        tlsock_cert_unref(c);
        if (!json_is_object(d->certs[i]))
            return err_plain(&d->o.out, d->names[i], EXIT_INTERNAL, "nomem", "",
                             "out of memory");
    }
    d->differences = json_array();
    d->equal = json_array();
    compare(d);
    same = json_array_size(d->differences) == 0;
    if (d->o.out.json)
        rc = print_json(d, same);
    else if (!d->o.out.quiet)
        print_text(d);
    if (rc != 0 || fflush(stdout) != 0)
        return EXIT_INTERNAL;
    return same ? EXIT_GOOD : EXIT_DIFFERENT;
}

int cmd_cert_diff(int argc, const char **argv)
{
    struct diff d = {.certs = {NULL, NULL}};
    int rc = opt_parse(&d.o, &spec, &d, argc, argv);

    if (rc == -1)
        rc = run(&d);
    json_decref(d.certs[0]);
    json_decref(d.certs[1]);
    json_decref(d.differences);
    json_decref(d.equal);
    opt_free(&d.o);
    return rc;
}
