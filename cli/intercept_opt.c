/* What "tlsock intercept" can be asked for, and how its words are read. */
#include "errors.h"
#include "intercept_cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX 4194304

enum {
    OPT_LISTEN = OPT_OWN,
    OPT_TO,
    OPT_TRANSPARENT,
    OPT_SNI_PORT,
    OPT_INTERCEPT,
    OPT_PASS_RULE,
    OPT_DENY,
    OPT_RULES,
    OPT_PASS_FOR,
    OPT_CA_CERT,
    OPT_CA_KEY,
    OPT_CA_PASS,
    OPT_LOG,
    OPT_BODIES,
    OPT_HAR,
    OPT_HTML,
    OPT_FORCE,
    OPT_EXEC,
    OPT_MOST,
    OPT_HELLO_TIME,
    OPT_THREADS,
    OPT_PORT_FILE
};

static struct poptOption options[] = {
    {"listen", '\0', POPT_ARG_STRING, NULL, OPT_LISTEN,
     "where clients come in (default: :8080, loopback)", "TARGET"},
    {"to", '\0', POPT_ARG_STRING, NULL, OPT_TO,
     "lead every client to this server; no proxy then", "HOST:PORT"},
    {"transparent", '\0', POPT_ARG_NONE, NULL, OPT_TRANSPARENT,
     "lead clients where they wanted to go before a REDIRECT of the firewall",
     NULL},
    {"sni-port", '\0', POPT_ARG_STRING, NULL, OPT_SNI_PORT,
     "port of servers that clients name by SNI alone (443)", "PORT"},
    {"hello-time", '\0', POPT_ARG_STRING, NULL, OPT_HELLO_TIME,
     "for a client to say where it wants to go (10s)", "10s|2m"},
    {"timeout", '\0', POPT_ARG_STRING, NULL, OPT_TIMEOUT,
     "budget of connect and handshake with a server (15s)",
     "10s|500ms|2m|none"},
    {"max-connections", '\0', POPT_ARG_STRING, NULL, OPT_MOST,
     "at once; others wait (10000)", "N"},
    {"threads", '\0', POPT_ARG_STRING, NULL, OPT_THREADS,
     "loops (default: one for each core)", "N"},
    {"port-file", '\0', POPT_ARG_STRING, NULL, OPT_PORT_FILE,
     "write the port there when ready", "FILE"},
    POPT_TABLEEND};

static struct poptOption rules[] = {
    {"intercept", '\0', POPT_ARG_STRING, NULL, OPT_INTERCEPT,
     "decrypt these; the first rule that fits decides; several",
     "NAME|*.NAME|ADDRESS[/BITS]|from:ADDRESS[/BITS]|ja4:PRINT|*"},
    {"pass", '\0', POPT_ARG_STRING, NULL, OPT_PASS_RULE,
     "relay these untouched", "WHAT"},
    {"deny", '\0', POPT_ARG_STRING, NULL, OPT_DENY, "refuse these", "WHAT"},
    {"rules", '\0', POPT_ARG_STRING, NULL, OPT_RULES,
     "a file of such rules, one a line", "FILE"},
    {"pass-for", '\0', POPT_ARG_STRING, NULL, OPT_PASS_FOR,
     "who refuses our certificate twice is passed for so long (30m); 0: never",
     "30m|2h|0"},
    POPT_TABLEEND};

static struct poptOption authority[] = {
    {"ca-cert", '\0', POPT_ARG_STRING, NULL, OPT_CA_CERT,
     "the CA that signs (default: one of your own, made once)", "FILE"},
    {"ca-key", '\0', POPT_ARG_STRING, NULL, OPT_CA_KEY, "its private key",
     "FILE"},
    {"ca-pass", '\0', POPT_ARG_STRING, NULL, OPT_CA_PASS,
     "where that key's password is", "file:FILE|env:NAME|fd:N|prompt"},
    POPT_TABLEEND};

static struct poptOption record[] = {
    {"log", '\0', POPT_ARG_STRING, NULL, OPT_LOG,
     "append a JSON object for each thing that happens", "FILE"},
    {"bodies", '\0', POPT_ARG_STRING, NULL, OPT_BODIES,
     "keep what each side sends, decrypted", "DIR"},
    {"har", '\0', POPT_ARG_STRING, NULL, OPT_HAR,
     "HTTP requests and responses, as browsers' tools read them", "FILE"},
    {"html", '\0', POPT_ARG_STRING, NULL, OPT_HTML,
     "a page with the message sequence of each connection", "FILE"},
    {"force", '\0', POPT_ARG_NONE, NULL, OPT_FORCE, "replace these files",
     NULL},
    {"exec", '\0', POPT_ARG_NONE, NULL, OPT_EXEC,
     "a program for each connection reads and changes it, given after --; no "
     "shell",
     NULL},
    POPT_TABLEEND};

static struct poptOption table[] = {
    OPT_GROUP(options, "Intercept:"),
    OPT_GROUP(rules, "Rules:"),
    OPT_GROUP(authority, "Authority:"),
    OPT_GROUP(record, "What is kept:"),
    OPT_GROUP(opt_evidence, "Evidence:"),
    OPT_GROUP(opt_trust, "Trust in servers:"),
    OPT_GROUP(opt_identity, "Identity towards servers:"),
    OPT_GROUP(opt_settings, "Settings:"),
    OPT_GROUP(opt_confine, "Confinement:"),
    OPT_GROUP(opt_output, "Output:"),
    POPT_TABLEEND};

static int take_rule(struct icept *v, int verdict, const char *arg)
{
    const char *why;

    if (rules_add(v->rules, verdict, arg, &why) == 0)
        return 0;
    return err_usage(&v->o.out, "intercept",
                     "NAME, *.NAME, ADDRESS/BITS, from:ADDRESS/BITS, "
                     "ja4:PRINT or *",
                     "--%s \"%s\": %s", rules_word(verdict), arg, why);
}

static int read_rules(struct icept *v, const char *path)
{
    FILE *f = fopen(path, "rbe");
    char *text = f != NULL ? malloc(RULES_MAX) : NULL;
    const char *why = "";
    size_t n = 0;
    int line = 0, errnum = errno, bad;

    if (text != NULL) {
        n = fread(text, 1, RULES_MAX, f);
        errnum = ferror(f) ? EIO : n == RULES_MAX ? EFBIG : 0;
    }
    bad = text == NULL || errnum != 0;
    if (!bad)
        line = rules_parse(v->rules, text, n, &why);
    if (f != NULL)
        fclose(f);
    free(text);
    if (bad)
        return err_plain(&v->o.out, "--rules", EXIT_OWN, "own-file",
                         "--rules FILE of at most 4 MiB that can be read",
                         "%s: %s", path, strerror(errnum));
    if (line == 0)
        return 0;
    return err_plain(&v->o.out, "--rules", EXIT_OWN, "own-file",
                     "intercept WHAT, pass WHAT or deny WHAT on each line",
                     "%s:%d: %s", path, line, why);
}

/* Milliseconds of "30m"; "0" is 0. */
static int take_time(struct icept *v, const char *flag, const char *text,
                     int64_t *ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {
        {"ms", 1}, {"s", 1000}, {"", 1000}, {"m", 60000}, {"h", 3600000}};
    char *end = NULL;
    long n = strtol(text, &end, 10);

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (text[0] >= '0' && text[0] <= '9' && n <= 86400000 &&
            strcmp(end, units[i].unit) == 0 && n * units[i].ms <= 604800000) {
            *ms = n * units[i].ms;
            return 0;
        }
    }
    return err_usage(&v->o.out, "intercept", "10s, 500ms, 30m, 2h",
                     "%s \"%s\" is not a length of time up to a week", flag,
                     text);
}

static int take_hello_time(struct icept *v, const char *arg)
{
    int64_t ms = 0;
    int rc = take_time(v, "--hello-time", arg, &ms);

    if (rc == 0 && (ms < 1 || ms > 3600000))
        return err_usage(&v->o.out, "intercept", "--hello-time 10s",
                         "--hello-time \"%s\" is not between 1ms and 1h", arg);
    v->hello_ms = (int)ms;
    return rc;
}

static int take_text(struct icept *v, struct opts *o, int val, const char *arg)
{
    switch (val) {
    case OPT_LISTEN:
        v->target = arg;
        return 0;
    case OPT_TO:
        v->to = arg;
        return 0;
    case OPT_CA_CERT:
        v->ca_cert = arg;
        return 0;
    case OPT_CA_KEY:
        v->ca_key = arg;
        return 0;
    case OPT_CA_PASS:
        return opt_take_pass(o, "--ca-pass", arg, 0, &v->ca_pass);
    case OPT_LOG:
        v->log_path = arg;
        return 0;
    case OPT_BODIES:
        v->bodies_dir = arg;
        return 0;
    case OPT_HAR:
        v->har_path = arg;
        return 0;
    case OPT_HTML:
        v->html_path = arg;
        return 0;
    default:
        v->port_file = arg;
        return 0;
    }
}

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct icept *v = own;
    int64_t ms = 0;
    int rc;

    switch (val) {
    case OPT_TRANSPARENT:
        v->transparent = 1;
        return 0;
    case OPT_EXEC:
        v->exec = 1;
        return 0;
    case OPT_FORCE:
        v->force = 1;
        return 0;
    case OPT_INTERCEPT:
        return take_rule(v, RULE_INTERCEPT, arg);
    case OPT_PASS_RULE:
        return take_rule(v, RULE_PASS, arg);
    case OPT_DENY:
        return take_rule(v, RULE_DENY, arg);
    case OPT_RULES:
        return read_rules(v, arg);
    case OPT_PASS_FOR:
        rc = take_time(v, "--pass-for", arg, &ms);
        v->pass_s = (ms + 999) / 1000;
        return rc;
    case OPT_HELLO_TIME:
        return take_hello_time(v, arg);
    case OPT_SNI_PORT:
        return opt_number(o, "--sni-port", arg, 1, 65535, &v->sni_port);
    case OPT_MOST:
        return opt_number(o, "--max-connections", arg, 1, 1000000, &v->most);
    case OPT_THREADS:
        return opt_number(o, "--threads", arg, 1, 256, &v->threads);
    default:
        return take_text(v, o, val, arg);
    }
}

const struct opt_spec icept_spec = {
    .command = "intercept",
    .usage = "[options]",
    .about =
        "Decrypts what goes through it, for clients that trust its CA: as an "
        "HTTP or SOCKS5 proxy, by SNI, in front of one server, or behind a "
        "firewall's REDIRECT. Servers are verified as by connect; one that "
        "fails, fails towards the client as well. STARTTLS of SMTP, IMAP, "
        "POP3 and FTP is found by itself. Ends on SIGINT and SIGTERM.",
    .after = "  tlsock intercept --listen :8443\n"
             "  CA=~/.local/share/tlsock/intercept/ca.pem\n"
             "  curl -x http://127.0.0.1:8443 --cacert $CA "
             "https://example.com\n"
             "  tlsock intercept --pass '*.bank.example' --deny 10.0.0.0/8 "
             "--log tls.ndjson\n"
             "  tlsock intercept --to mail.example.com:25 --bodies mail\n",
    .with_table = 1,
    .table = table,
    .take = take};

static int check_to(const struct icept *v)
{
    const char *colon = strrchr(v->to, ':');
    size_t n = colon != NULL ? strlen(colon + 1) : 0;
    size_t host = colon != NULL ? (size_t)(colon - v->to) : 0;
    /* an address stands between brackets, and nothing else does */
    int is_host = strcspn(v->to, "[]:") == host;

    if (host > 2 && v->to[0] == '[' && colon[-1] == ']')
        is_host = strcspn(v->to + 1, "[]") == host - 2;
    if (n > 0 && n <= 5 && is_host && host > 0 && host < 250 &&
        strspn(colon + 1, "0123456789") == n && atoi(colon + 1) > 0 &&
        atoi(colon + 1) < 65536)
        return 0;
    return err_usage(&v->o.out, "intercept",
                     "--to example.com:443 or --to [2001:db8::1]:443",
                     "--to \"%s\" is not HOST:PORT", v->to);
}

static int is_stdout(const char *path)
{
    return path != NULL && strcmp(path, "-") == 0;
}

int icept_check_line(const struct icept *v)
{
    const struct out *o = &v->o.out;

    if (v->to != NULL && v->transparent)
        return err_usage(o, "intercept", "leave one of them out",
                         "--to and --transparent together: where would a "
                         "client be led?");
    if (is_stdout(v->har_path) || is_stdout(v->html_path))
        return err_usage(o, "intercept", "name a file",
                         "%s -: it is written more than once",
                         is_stdout(v->har_path) ? "--har" : "--html");
    if (v->exec != (v->argv != NULL))
        return err_usage(o, "intercept",
                         "tlsock intercept --exec -- ./change.py",
                         v->exec ? "--exec needs a program after --"
                                 : "a program after -- needs --exec");
    return v->to != NULL ? check_to(v) : 0;
}
