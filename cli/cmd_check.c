/* check - what is wrong with a server, whom that hurts, and how to mend it. */
#include "check.h"

#include "commands.h"
#include "confine.h"
#include "errors.h"
#include "evidence.h"
#include "peer.h"
#include "source.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <time.h>

#define EXIT_FINDINGS 1
#define TIMEOUT_MS 10000

enum {
    OPT_FAIL_ON = OPT_OWN,
    OPT_HTML,
    OPT_WRITE_CHAIN,
    OPT_POLICY,
    OPT_NO_AIA,
    OPT_FORCE
};

static struct poptOption options[] = {
    {"fail-on", '\0', POPT_ARG_STRING, NULL, OPT_FAIL_ON,
     "exit with 1 if there is such a finding, or a worse one (default: error)",
     "error|warning|note"},
    {"html", '\0', POPT_ARG_STRING, NULL, OPT_HTML,
     "write the result as one page, with pictures", "FILE"},
    {"write-chain", '\0', POPT_ARG_STRING, NULL, OPT_WRITE_CHAIN,
     "write the chain as the server should send it", "FILE"},
    {"force", '\0', POPT_ARG_NONE, NULL, OPT_FORCE, "replace these files",
     NULL},
    {"policy", '\0', POPT_ARG_STRING, NULL, OPT_POLICY,
     "have these rules obeyed, too: see tlsock-policy.conf(5)", "FILE"},
    {"no-aia", '\0', POPT_ARG_NONE, NULL, OPT_NO_AIA,
     "do not fetch what is missing from where certificates say", NULL},
    POPT_TABLEEND};

static struct poptOption table[] = {
    OPT_GROUP(options, "Check:"),
    OPT_GROUP(opt_trust, "Trust:"),
    OPT_GROUP(opt_identity, "Identity:"),
    OPT_GROUP(opt_protocol, "Protocol:"),
    OPT_GROUP(opt_network, "Network:"),
    OPT_GROUP(opt_settings, "Settings:"),
    OPT_GROUP(opt_evidence, "Evidence:"),
    OPT_GROUP(opt_confine_calls, "Confinement:"),
    OPT_GROUP(opt_output, "Output:"),
    POPT_TABLEEND};

static int take_fail_on(struct check *c, const struct opts *o, const char *arg)
{
    for (int level = CHECK_NOTE; level <= CHECK_ERROR; level++) {
        if (strcmp(arg, check_level_name((enum check_level)level)) != 0)
            continue;
        c->fail_on = level;
        return 0;
    }
    return err_usage(&o->out, o->command, "error, warning or note",
                     "--fail-on: there is no \"%s\"", arg);
}

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct check *c = own;

    switch (val) {
    case OPT_FAIL_ON:
        return take_fail_on(c, o, arg);
    case OPT_HTML:
        c->html = arg;
        return 0;
    case OPT_WRITE_CHAIN:
        c->write_chain = arg;
        return 0;
    case OPT_POLICY:
        c->policy = arg;
        return 0;
    case OPT_NO_AIA:
        c->no_aia = 1;
        return 0;
    default:
        c->force = 1;
        return 0;
    }
}

static const struct opt_spec spec = {
    .command = "check",
    .usage = "[options] TARGET...",
    .about =
        "Looks at a server from every side and says what is wrong, whom that "
        "hurts and how to mend it: chain, name, dates, revocation, versions, "
        "ciphers, key exchange, sessions, all addresses of the name. TARGET: "
        "host, host:port, [v6]:port, unix:PATH or a URL such as "
        "smtp://mx.example.com. Makes about 30 connections, one after the "
        "other.",
    .after = "  tlsock check example.com\n"
             "  tlsock check smtp://mx.example.com --dane\n"
             "  tlsock check example.com --write-chain fullchain.pem\n"
             "  tlsock check --json --fail-on warning example.com\n",
    .with_table = 1,
    .one = "findings (see --fail-on)",
    .table = table,
    .take = take,
    .min_args = 1,
    .max_args = 1000};

static int ready_config(struct check *c, tlsock_config **out,
                        const char *insecure)
{
    *out = tlsock_config_copy(c->strict);
    if (*out == NULL)
        return EXIT_INTERNAL;
    (void)tlsock_config_on(*out, TLSOCK_ON_LOG, NULL,
                           NULL); /* once is enough */
    if (insecure == NULL)
        return 0;
    if (tlsock_config_set(*out, "insecure", insecure) < 0)
        return err_report(&c->o.out, c->o.command, tlsock_config_error(*out),
                          1);
    (void)tlsock_config_set(*out, "?dane", "off");
    (void)tlsock_config_set(*out, "revocation", "staple");
    /* what is resumed shows neither staple nor wish for a certificate */
    (void)tlsock_config_set(*out, "session", "off");
    return 0;
}

static int ready(struct check *c)
{
    static const char why[] = "all: check looks first and judges then";
    tlsock_error err = {0};
    int rc = 0;

    if (c->o.insecure)
        return err_usage(&c->o.out, "check",
                         "leave it out: what is wrong is shown, and does not "
                         "stop the check",
                         "--insecure would leave nothing to check");
    if (c->o.args.n > 1 && (c->html != NULL || c->write_chain != NULL))
        return err_usage(&c->o.out, "check", "name one target",
                         "--html and --write-chain are for one target");
    if (c->policy != NULL && tlsock_policy_load(c->policy, &err) < 0)
        return err_report(&c->o.out, "--policy", &err, 1);
    if (c->o.timeout_ms == 0)
        c->o.timeout_ms = TIMEOUT_MS;
    c->strict = opt_make_config(&c->o, &rc);
    if (c->strict == NULL)
        return rc;
    rc = ready_config(c, &c->look, why);
    if (rc == 0) /* a name in the config would be asked for with the chain */
        rc = ready_config(c, &c->judge,
                          c->o.verify_name != NULL
                              ? "no-name: check judges names apart"
                              : NULL);
    c->plain = tlsock_config_new();
    c->unseen = tlsock_config_new();
    if (rc == 0 && (c->plain == NULL || c->unseen == NULL))
        return EXIT_INTERNAL;
    return rc == 0 ? evidence_watch(&c->o, c->plain) : rc;
}

/* The name that certificates have to be for. */
static const char *asked_name(const struct check *c)
{
    return c->o.verify_name != NULL ? c->o.verify_name
           : c->o.name != NULL      ? c->o.name
                                    : c->host;
}

/* All members are there, whatever could be found out, in this order. */
static void blank(json_t *doc)
{
    static const char *const keys[] = {
        "schema",    "target",       "server",       "name",
        "starttls",  "time",         "ok",           "fail_on",
        "errors",    "warnings",     "notes",        "findings",
        "addresses", "chain",        "protocols",    "ciphers",
        "groups",    "post_quantum", "dh_bits",      "client_certificate",
        "stapled",   "revocation",   "resumption",   "without_sni",
        "alpn",      "dane",         "certificates", "connections",
        "elapsed_ms"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        json_object_set_new(doc, keys[i], json_null());
}

/* Of HOST:PORT or a URL with one: a number, or the name of a service. */
static void find_port(struct check *c)
{
    const char *at = strstr(c->whole, "://"), *end;
    struct servent *service;

    c->port[0] = '\0';
    at = strstr(at != NULL ? at + 3 : c->whole, c->host);
    at = at != NULL && c->host[0] != '\0' ? at + strlen(c->host) : "";
    at += *at == ']';
    if (*at != ':')
        return;
    end = at + 1 + strcspn(at + 1, "/?#");
    snprintf(c->port, sizeof(c->port), "%.*s", (int)(end - at - 1), at + 1);
    service = strspn(c->port, "0123456789") != strlen(c->port)
                  ? getservbyname(c->port, "tcp")
                  : NULL;
    if (service != NULL)
        snprintf(c->port, sizeof(c->port), "%d",
                 ntohs((uint16_t)service->s_port));
}

static int begin(struct check *c, const char *target)
{
    c->target = target;
    c->whole = peer_target(&c->o, target);
    if (c->whole == NULL)
        return EXIT_INTERNAL;
    if (!source_host(c->whole, c->host))
        c->host[0] = '\0';
    find_port(c);
    snprintf(c->name, sizeof(c->name), "%s", asked_name(c));
    c->doc = json_object();
    c->findings = json_array();
    blank(c->doc);
    json_object_set_new(c->doc, "schema", json_string("tlsock.check/1"));
    json_object_set_new(c->doc, "target", out_json_text(target));
    json_object_set_new(c->doc, "addresses", json_array());
    json_object_set_new(c->doc, "chain", json_array());
    json_object_set_new(c->doc, "certificates", json_array());
    json_object_set_new(c->doc, "ciphers", json_object());
    c->probe =
        (struct probe){.name = c->name[0] != '\0' ? c->name : "localhost",
                       .starttls_arg = c->o.starttls_arg,
                       .timeout_ms = c->o.timeout_ms,
                       .config = c->plain,
                       .unseen = c->unseen};
    return check_resolve(c);
}

static void finish(struct check *c, int64_t ms)
{
    char server[400], now[32];
    int v6 = strchr(c->host, ':') != NULL;

    if (c->host[0] != '\0')
        snprintf(server, sizeof(server), "%s%s%s%s%s%s%s", v6 ? "[" : "",
                 c->host, v6 ? "]" : "", c->port[0] != '\0' ? ":" : "", c->port,
                 c->starttls[0] != '\0' ? " STARTTLS " : "", c->starttls);
    else
        snprintf(server, sizeof(server), "%s", c->target);
    out_now(now);
    check_sort(c);
    json_object_set_new(c->doc, "server", out_json_text(server));
    json_object_set_new(c->doc, "name",
                        out_json_text(c->name[0] != '\0' ? c->name : NULL));
    json_object_set_new(
        c->doc, "starttls",
        out_json_text(c->starttls[0] != '\0' ? c->starttls : NULL));
    json_object_set_new(c->doc, "time", json_string(now));
    json_object_set_new(c->doc, "ok", json_boolean(!check_bad(c)));
    json_object_set_new(
        c->doc, "fail_on",
        json_string(check_level_name((enum check_level)c->fail_on)));
    json_object_set_new(c->doc, "errors", json_integer(c->found[CHECK_ERROR]));
    json_object_set_new(c->doc, "warnings", json_integer(c->found[CHECK_WARN]));
    json_object_set_new(c->doc, "notes", json_integer(c->found[CHECK_NOTE]));
    json_object_set_new(c->doc, "connections",
                        json_integer(c->connections + c->probe.connections));
    json_object_set_new(c->doc, "elapsed_ms", json_integer(ms));
    json_object_set(c->doc, "findings", c->findings);
}

static int report(struct check *c)
{
    int rc = 0, more;

    if (c->write_chain != NULL)
        rc = check_write_chain(c);
    if (c->html != NULL) {
        more = check_write_html(c);
        rc = rc != 0 ? rc : more;
    }
    if (c->o.out.json) {
        if (out_json_print(json_incref(c->doc)) != 0)
            rc = EXIT_INTERNAL;
    } else {
        check_print_text(c);
        if (fflush(stdout) != 0)
            rc = EXIT_INTERNAL;
    }
    if (rc != 0)
        return rc;
    return c->policy_refused ? EXIT_POLICY
           : check_bad(c)    ? EXIT_FINDINGS
                             : EXIT_GOOD;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void take_port(struct check *c)
{
    const char *colon = strrchr(c->main->text, ':');

    if (c->o.proxy == NULL && colon != NULL)
        snprintf(c->port, sizeof(c->port), "%s", colon + 1);
}

static int examine(struct check *c)
{
    int64_t began = now_ms();
    int rc = check_visit(c);

    if (rc != 0)
        return rc;
    if (c->port[0] == '\0') /* that of the URL's scheme */
        take_port(c);
    check_compare(c);
    check_cert(c);
    check_habits(c);
    check_protocols(c);
    check_suites(c);
    check_dane(c);
    finish(c, now_ms() - began);
    return report(c);
}

/* Nothing of one target is left for the next. */
static void end(struct check *c)
{
    for (size_t i = 0; i < c->n_at; i++)
        tlsock_cert_unref(c->at[i].sent);
    tlsock_cert_unref(c->full);
    tlsock_cert_unref(c->path);
    tlsock_config_unref(c->old);
    json_decref(c->doc);
    json_decref(c->findings);
}

static int run(struct check *c)
{
    int rc = ready(c), worst = 0;

    if (rc == 0)
        rc = confine_client(&c->o);
    for (size_t i = 0; rc == 0 && i < c->o.args.n; i++) {
        struct check one = *c;
        int code;

        if (i > 0 && !c->o.out.json && !c->o.out.quiet)
            putchar('\n');
        code = begin(&one, c->o.args.v[i]);
        if (code == 0)
            code = examine(&one);
        end(&one);
        one.o.sni = c->o.sni;
        c->o = one.o;
        worst = code > worst ? code : worst;
    }
    return rc != 0 ? rc : worst;
}

int cmd_check(int argc, const char **argv)
{
    struct check c = {.fail_on = CHECK_ERROR};
    int rc = opt_parse(&c.o, &spec, &c, argc, argv);

    if (rc == -1)
        rc = run(&c);
    tlsock_config_unref(c.strict);
    tlsock_config_unref(c.look);
    tlsock_config_unref(c.judge);
    tlsock_config_unref(c.plain);
    tlsock_config_unref(c.unseen);
    opt_free(&c.o);
    return rc;
}
