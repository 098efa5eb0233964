/* intercept - a man in the middle whom the client trusts: how to come in, whom
 * to decrypt, what to keep. The loops are engine/intercept.c. */
#include "commands.h"
#include "errors.h"
#include "intercept_cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define TIMEOUT_MS 15000
#define HELLO_MS 10000
#define PASS_S 1800
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

static struct poptOption evidence[] = {
    {"log", '\0', POPT_ARG_STRING, NULL, OPT_LOG,
     "append a JSON object for each thing that happens", "FILE"},
    {"bodies", '\0', POPT_ARG_STRING, NULL, OPT_BODIES,
     "keep what each side sends, decrypted", "DIR"},
    {"exec", '\0', POPT_ARG_NONE, NULL, OPT_EXEC,
     "a program for each connection reads and changes it, given after --; no "
     "shell",
     NULL},
    POPT_TABLEEND};

static struct poptOption table[] = {OPT_GROUP(options, "Intercept:"),
                                    OPT_GROUP(rules, "Rules:"),
                                    OPT_GROUP(authority, "Authority:"),
                                    OPT_GROUP(evidence, "Evidence:"),
                                    OPT_GROUP(opt_trust, "Trust in servers:"),
                                    OPT_GROUP(opt_identity,
                                              "Identity towards servers:"),
                                    OPT_GROUP(opt_settings, "Settings:"),
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

static const struct opt_spec spec = {
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

    if (n > 0 && n <= 5 && colon != v->to && colon - v->to < 250 &&
        strspn(colon + 1, "0123456789") == n && atoi(colon + 1) > 0 &&
        atoi(colon + 1) < 65536)
        return 0;
    return err_usage(&v->o.out, "intercept",
                     "--to example.com:443 or --to [2001:db8::1]:443",
                     "--to \"%s\" is not HOST:PORT", v->to);
}

static int check_line(const struct icept *v)
{
    const struct out *o = &v->o.out;

    if (v->to != NULL && v->transparent)
        return err_usage(o, "intercept", "leave one of them out",
                         "--to and --transparent together: where would a "
                         "client be led?");
    if (v->exec != (v->argv != NULL))
        return err_usage(o, "intercept",
                         "tlsock intercept --exec -- ./change.py",
                         v->exec ? "--exec needs a program after --"
                                 : "a program after -- needs --exec");
    return v->to != NULL ? check_to(v) : 0;
}

/* Clients' side: whoever it is gets a certificate by its hello; the config's
 * own is never shown. */
static tlsock_config *make_down(struct icept *v, int *rc)
{
    static const char *const names[] = {"intercept.invalid"};
    tlsock_config *c = tlsock_config_new();
    tlsock_error err = {0};
    tlsock_cert *cert =
        tlsock_cert_create(TLSOCK_CERT_OPTS(.sans = names, .n_sans = 1), &err);

    if (c == NULL || cert == NULL || tlsock_config_add_cert(c, cert) < 0) {
        *rc = err_report(&v->o.out, "intercept",
                         cert == NULL || c == NULL ? &err
                                                   : tlsock_config_error(c),
                         1);
        tlsock_config_unref(c);
        c = NULL;
    }
    tlsock_cert_unref(cert);
    return c;
}

static int open_files(struct icept *v)
{
    if (v->log_path != NULL) {
        v->log_fd = open(v->log_path,
                         O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (v->log_fd < 0)
            return err_plain(&v->o.out, "--log", EXIT_OWN, "own-file",
                             "--log FILE in a directory you may write to",
                             "%s: %s", v->log_path, strerror(errno));
    }
    if (v->bodies_dir == NULL)
        return 0;
    v->bodies = bodies_new(v->bodies_dir);
    if (v->bodies != NULL)
        return 0;
    return err_plain(&v->o.out, "--bodies", EXIT_OWN, "own-file",
                     "--bodies DIR that you may write to", "%s: %s",
                     v->bodies_dir, strerror(errno));
}

static long cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > 256 ? 256 : n;
}

/* Two descriptors for each connection, and some. */
static void raise_limit(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
        r.rlim_cur = r.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &r);
    }
}

static int serve_on(struct icept *v, tlsock_config *up, tlsock_config *down,
                    tlsock_listener *l)
{
    struct intercept_opts o = {
        .listener = l,
        .threads = (int)(v->threads > 0 ? v->threads : cores()),
        .mode = v->to != NULL     ? INTERCEPT_TO
                : v->transparent ? INTERCEPT_TRANSPARENT
                                 : INTERCEPT_PROXY,
        .to = v->to,
        .sni_port = (int)v->sni_port,
        .rules = v->rules,
        .up = up,
        .down = down,
        .name = v->o.name,
        .timeout_ms = v->o.timeout_ms != 0 ? v->o.timeout_ms : TIMEOUT_MS,
        .hello_ms = v->hello_ms,
        .pass_s = v->pass_s,
        .most = (unsigned long)v->most,
        .argv = v->argv,
        .leaf = icept_leaf,
        .on_ready = icept_ready,
        .on_event = icept_event,
        .on_trouble = icept_trouble,
        .arg = v};
    int rc;

    if (v->bodies != NULL)
        o.taps[0] = (struct intercept_tap){bodies_open, bodies_data,
                                           bodies_close, v->bodies};
    v->listener = l;
    raise_limit();
    rc = intercept_run(&o);
    if (rc >= 0)
        return rc;
    return err_plain(&v->o.out, v->where, EXIT_INTERNAL, "system", "",
                     "the event loops cannot be made");
}

static int run(struct icept *v)
{
    tlsock_config *up = NULL, *down = NULL;
    tlsock_listener *l = NULL;
    tlsock_error err = {0};
    int rc = check_line(v);

    if (rc == 0)
        rc = icept_ca_open(v);
    if (rc == 0)
        rc = open_files(v);
    if (rc == 0)
        up = opt_make_config(&v->o, &rc);
    if (rc == 0)
        down = make_down(v, &rc);
    if (rc == 0) {
        l = tlsock_listen(v->target, down,
                          TLSOCK_OPTS(.nonblocking = 1, .plain = 1), &err);
        if (l == NULL) {
            opt_listen_hint(v->target, &err);
            rc = err_report(&v->o.out, v->target, &err,
                            err.code != TLSOCK_E_SYSTEM);
        }
    }
    if (rc == 0)
        rc = serve_on(v, up, down, l);
    tlsock_listener_free(l);
    tlsock_config_unref(down);
    tlsock_config_unref(up);
    return rc;
}

int cmd_intercept(int argc, const char **argv)
{
    struct icept v = {.target = ":8080",
                      .sni_port = 443,
                      .most = 10000,
                      .hello_ms = HELLO_MS,
                      .pass_s = PASS_S,
                      .log_fd = -1,
                      .rules = rules_new()};
    int rc = EXIT_INTERNAL, n = 1;

    /* the program's own options are not ours */
    while (n < argc && strcmp(argv[n], "--") != 0)
        n++;
    if (n + 1 < argc) {
        v.argv = (char *const *)(argv + n + 1);
        argc = n;
    }
    if (v.rules != NULL)
        rc = opt_parse(&v.o, &spec, &v, argc, argv);
    if (rc == -1)
        rc = run(&v);
    tlsock_intercept_free(v.mint);
    tlsock_cert_unref(v.ca);
    bodies_free(v.bodies);
    if (v.log_fd >= 0)
        close(v.log_fd);
    rules_free(v.rules);
    opt_free(&v.o);
    return rc;
}
