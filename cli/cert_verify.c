/* cert verify - is it good: chain, name, purpose, time, revocation; and by
 * which path. The library's tlsock_verify() decides, as in a handshake. */
#include "certfield.h"
#include "commands.h"
#include "errors.h"
#include "source.h"

#include <stdlib.h>
#include <string.h>
#include <tlsock/config.h>

enum { OPT_UNTRUSTED = OPT_OWN, OPT_PURPOSE, OPT_TIME, OPT_DEPTH };

struct verify {
    struct opts o;
    struct strs untrusted;
    const char *time;
    int purpose;
    long depth;
    tlsock_config *config;
    char host[256];
};

static struct poptOption own_options[] = {
    {"untrusted", '\0', POPT_ARG_STRING, NULL, OPT_UNTRUSTED,
     "intermediates that may be needed; may be repeated", "FILE"},
    {"purpose", '\0', POPT_ARG_STRING, NULL, OPT_PURPOSE,
     "what it is to be good for (default: server)", "server|client|any"},
    {"time", '\0', POPT_ARG_STRING, NULL, OPT_TIME, "as of when (default: now)",
     "2026-01-31T12:00:00Z|SECONDS"},
    {"depth", '\0', POPT_ARG_STRING, NULL, OPT_DEPTH,
     "most intermediates; -1: none", "N"},
    {"pass", '\0', POPT_ARG_STRING, NULL, OPT_PASS,
     "where the file's password is", "file:FILE|env:NAME|fd:N|prompt"},
    POPT_TABLEEND};

static struct poptOption table[] = {
    OPT_GROUP(own_options, "Verify:"),  OPT_GROUP(opt_trust, "Trust:"),
    OPT_GROUP(opt_network, "Network:"), OPT_GROUP(opt_evidence, "Evidence:"),
    OPT_GROUP(opt_output, "Output:"),   POPT_TABLEEND};

static const char *const purposes[] = {"server", "client", "any"};

static int take_purpose(struct verify *w, const char *arg)
{
    for (int i = 0; i < 3; i++) {
        if (strcmp(arg, purposes[i]) == 0) {
            w->purpose = i; /* TLSOCK_PURPOSE_* */
            return 0;
        }
    }
    return err_usage(&w->o.out, "cert verify", "--purpose server|client|any",
                     "--purpose \"%s\" is not known", arg);
}

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct verify *w = own;

    switch (val) {
    case OPT_UNTRUSTED:
        return opt_push(o, &w->untrusted, arg);
    case OPT_PURPOSE:
        return take_purpose(w, arg);
    case OPT_TIME:
        w->time = arg;
        return 0;
    default:
        return opt_number(o, "--depth", arg, -1, 32, &w->depth);
    }
}

static const struct opt_spec spec = {
    .command = "cert verify",
    .usage = "[options] FILE|-|HOST[:PORT]|URL...",
    .about = "Verifies a certificate and what is with it, as a connection "
             "would: chain to a trusted root, by any path there is, name, "
             "purpose, time, strength, and revocation if --revocation or --crl "
             "asks for it. A "
             "server is verified for its own name, a file for --name.",
    .after = "  tlsock cert verify --name app.test app.test.pem\n"
             "  tlsock cert verify --ca ca.pem --crl ca.crl app.test.pem\n"
             "  tlsock cert verify example.com\n",
    .table = table,
    .take = take,
    .min_args = 1,
    .max_args = 1000};

/* The certificate, and --untrusted behind it. */
static int with_untrusted(struct verify *w, tlsock_cert **c)
{
    const unsigned parts = TLSOCK_PART_CERT | TLSOCK_PART_CHAIN;
    char *text = w->untrusted.n > 0 ? certfield_pem(NULL, *c, parts) : NULL;
    tlsock_error err = {0};
    int rc = 0;

    if (w->untrusted.n == 0)
        return 0;
    for (size_t i = 0; i < w->untrusted.n && text != NULL && rc == 0; i++) {
        tlsock_cert *more = source_load(&w->o, w->untrusted.v[i], &rc);

        if (more != NULL)
            text = certfield_pem(text, more, parts);
        tlsock_cert_unref(more);
    }
    if (rc == 0) {
        tlsock_cert_unref(*c);
        *c = text != NULL ? tlsock_cert_parse(text, strlen(text), NULL, &err)
                          : NULL;
        if (text == NULL)
            rc = err_plain(&w->o.out, "cert verify", EXIT_INTERNAL, "nomem", "",
                           "out of memory");
        else if (*c == NULL) /* too many of them */
            rc = err_report(&w->o.out, "--untrusted", &err, 1);
    }
    free(text);
    return rc;
}

/* What was asked about revocation, in the words of the option. */
static const char *asked(const struct verify *w)
{
    const char *what = w->o.crls.n > 0 ? "crl" : "off";

    for (size_t i = 0; i + 2 < w->o.sets.n; i += 3)
        if (strcmp(w->o.sets.v[i], "revocation") == 0)
            what = w->o.sets.v[i + 1];
    return what;
}

static int is_soft(const struct verify *w)
{
    for (size_t i = 0; i + 2 < w->o.sets.n; i += 3)
        if (strcmp(w->o.sets.v[i], "revocation.fail") == 0)
            return strcmp(w->o.sets.v[i + 1], "soft") == 0;
    return 0;
}

/* Who has said that it is not revoked; NULL: nobody for sure. Not if something
 * else than a chain was the reason to accept. */
static const char *who_spoke(const struct verify *w, const tlsock_cert *path)
{
    static const char *const by[][2] = {{"crl", "lists"},
                                        {"ocsp", "responder"},
                                        {"full", "lists or responders"}};

    if (is_soft(w) || w->o.insecure || w->o.accept != NULL ||
        tlsock_cert_chain_len(path) == 0)
        return NULL;
    for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++)
        if (strcmp(asked(w), by[i][0]) == 0)
            return by[i][1];
    return NULL;
}

/* The same in a sentence. */
static void say_revoked(const struct verify *w, const tlsock_cert *path,
                        char *text, size_t size)
{
    const char *who = who_spoke(w, path);

    if (who != NULL)
        snprintf(text, size, "no, say%s the %s",
                 who[strlen(who) - 1] == 's' ? "" : "s", who);
    else if (is_soft(w))
        snprintf(text, size,
                 "not known: soft accepts without an answer, "
                 "--revocation hard does not");
    else
        snprintf(text, size, "not checked%s",
                 strcmp(asked(w), "off") == 0 && w->o.crls.n == 0
                     ? ": --crl FILE or --revocation hard"
                     : "");
}

static json_t *path_json(const tlsock_cert *path)
{
    json_t *list = json_array();

    json_array_append_new(list,
                          out_json_text(certfield(path, TLSOCK_CERT_SUBJECT)));
    for (int i = 0; i < tlsock_cert_chain_len(path); i++) {
        tlsock_cert *at = certfield_chain(path, i);

        json_array_append_new(
            list, out_json_text(certfield(at, TLSOCK_CERT_SUBJECT)));
        tlsock_cert_unref(at);
    }
    return list;
}

static int say_json(const struct verify *w, const char *target,
                    const char *name, const tlsock_cert *path)
{
    json_t *obj = json_object();

    json_object_set_new(obj, "schema", json_string("tlsock.cert-verify/1"));
    json_object_set_new(obj, "target", out_json_text(target));
    json_object_set_new(obj, "good", json_true());
    opt_insecure_json(&w->o, obj);
    json_object_set_new(obj, "exception",
                        json_boolean(w->o.insecure || w->o.accept != NULL));
    json_object_set_new(obj, "name", out_json_text(name));
    json_object_set_new(obj, "purpose", json_string(purposes[w->purpose]));
    json_object_set_new(obj, "revocation_checked",
                        json_boolean(who_spoke(w, path) != NULL));
    json_object_set_new(obj, "path", path_json(path));
    return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

/* What people call it: its CN, or all of its subject. */
static const char *short_name(const tlsock_cert *c)
{
    const char *cn = certfield(c, TLSOCK_CERT_CN);

    if (cn != NULL && cn[0] != '\0')
        return cn;
    cn = certfield(c, TLSOCK_CERT_SUBJECT);
    return cn != NULL && cn[0] != '\0' ? cn : "(no subject)";
}

static void line(const struct out *o, const char *label, const char *text)
{
    out_label(o, stdout, "1", label);
    printf("%s\n", text);
}

static int say(const struct verify *w, const char *target, const char *name,
               const tlsock_cert *path)
{
    const struct out *o = &w->o.out;
    int exception = w->o.insecure || w->o.accept != NULL;
    char text[300];

    if (o->json)
        return say_json(w, target, name, path);
    if (o->quiet)
        return EXIT_GOOD;
    out_label(o, stdout, exception ? OUT_YELLOW : OUT_GREEN,
              exception ? "accepted" : "good");
    printf("%s%s\n", out_clean(text, sizeof(text), target),
           exception ? ", with the exception you made" : "");
    line(o, "name",
         name != NULL ? out_clean(text, sizeof(text), name)
                      : "not asked for: --name NAME");
    line(o, "purpose", purposes[w->purpose]);
    snprintf(text, sizeof(text), "%.10s",
             certfield(path, TLSOCK_CERT_NOT_AFTER));
    line(o, "expires", text);
    say_revoked(w, path, text, sizeof(text));
    line(o, "revoked", text);
    out_label(o, stdout, "1", "path");
    printf("%s", short_name(path));
    for (int i = 0; i < tlsock_cert_chain_len(path); i++) {
        tlsock_cert *at = certfield_chain(path, i);

        printf(" < %s", short_name(at));
        tlsock_cert_unref(at);
    }
    printf("%s\n", tlsock_cert_chain_len(path) > 0 ? " (trusted)"
                   : w->o.pins.n > 0               ? " (by pin)"
                                                   : "");
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

static int verify_one(struct verify *w, const char *target)
{
    const char *name = w->o.verify_name != NULL ? w->o.verify_name : w->o.name;
    tlsock_cert *c, *path = NULL;
    tlsock_error err = {0};
    int rc = 0;

    if (name == NULL && source_is_server(target) &&
        source_host(target, w->host))
        name = w->host;
    c = source_load(&w->o, target, &rc);
    if (c != NULL)
        rc = with_untrusted(w, &c);
    if (c != NULL && rc == 0) {
        rc = tlsock_verify_path(c, w->config,
                                TLSOCK_VERIFY_OPTS(.name = name, .scheme = NULL,
                                                   .purpose = w->purpose,
                                                   .depth = (int)w->depth),
                                &path, &err);
        rc = rc < 0 ? err_report(&w->o.out, target, &err, 0)
                    : say(w, target, name, path);
    }
    tlsock_cert_unref(path);
    tlsock_cert_unref(c);
    return rc;
}

static int run(struct verify *w)
{
    int rc = 0, worst = 0;

    w->config = opt_make_file_config(&w->o, &rc);
    if (w->config == NULL)
        return rc;
    if (w->time != NULL &&
        tlsock_config_set(w->config, "verify.time", w->time) < 0)
        return err_report(&w->o.out, "--time", tlsock_config_error(w->config),
                          1);
    for (size_t i = 0; i < w->o.args.n; i++) {
        rc = verify_one(w, w->o.args.v[i]);
        worst = worst != 0 ? worst : rc;
    }
    return worst;
}

int cmd_cert_verify(int argc, const char **argv)
{
    struct verify w = {.purpose = TLSOCK_PURPOSE_SERVER};
    int rc = opt_parse(&w.o, &spec, &w, argc, argv);

    if (rc == -1)
        rc = run(&w);
    tlsock_config_unref(w.config);
    free(w.untrusted.v);
    opt_free(&w.o);
    return rc;
}
