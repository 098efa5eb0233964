/* connect - one verified session, or several, or none with the reason. */
#include "commands.h"
#include "confine.h"
#include "early.h"
#include "errors.h"
#include "facts.h"
#include "opt.h"
#include "pump.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <tlsock/info.h>
#include <unistd.h>

#define REFUSAL_MS 300 /* how long a refusal of our certificate may take */
#define CLOSE_MS 500   /* and the peer's goodbye */

enum { OPT_REPEAT = OPT_OWN, OPT_DOWNGRADE, OPT_HALF_CLOSE };

struct connect {
    struct opts o;
    struct pump_opts pump;
    long repeat;
    tlsock_config *config;
    const char *target;
};

static struct poptOption options[] = {
    {"repeat", '\0', POPT_ARG_STRING, NULL, OPT_REPEAT,
     "connect N times, to see sessions resumed; carries no data", "N"},
    {"session", '\0', POPT_ARG_STRING, NULL, OPT_SESSION,
     "keep sessions in this file, to be resumed by the next call", "FILE"},
    {"early-data", '\0', POPT_ARG_NONE, NULL, OPT_EARLY_DATA,
     "send what stdin begins with before the handshake, if a session allows "
     "it: whoever records it can send it again",
     NULL},
    {"half-close", '\0', POPT_ARG_STRING, NULL, OPT_HALF_CLOSE,
     "when to tell the peer that stdin has ended", "quiet|now|never"},
    {"downgrade-after", '\0', POPT_ARG_STRING, NULL, OPT_DOWNGRADE,
     "end TLS when a line from the peer has this text (FTPS CCC)", "TEXT"},
    POPT_TABLEEND};

static struct poptOption table[] = {
    OPT_GROUP(options, "Connect:"),
    OPT_GROUP(opt_trust, "Trust:"),
    OPT_GROUP(opt_identity, "Identity:"),
    OPT_GROUP(opt_protocol, "Protocol:"),
    OPT_GROUP(opt_network, "Network:"),
    OPT_GROUP(opt_settings, "Settings:"),
    OPT_GROUP(opt_evidence, "Evidence:"),
    OPT_GROUP(opt_confine_calls, "Confinement:"),
    OPT_GROUP(opt_output, "Output:"),
    POPT_TABLEEND};

static int take_half_close(struct connect *c, const struct opts *o,
                           const char *arg)
{
    static const char *const words[] = {"quiet", "now", "never"};

    for (int i = 0; i < 3; i++) {
        if (strcmp(arg, words[i]) != 0)
            continue;
        c->pump.half_close = i; /* PUMP_QUIET, PUMP_NOW, PUMP_NEVER */
        return 0;
    }
    return err_usage(&o->out, o->command, "--half-close quiet, now or never",
                     "--half-close \"%s\"", arg);
}

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct connect *c = own;

    if (val == OPT_DOWNGRADE) {
        c->pump.downgrade_after = arg;
        return 0;
    }
    if (val == OPT_HALF_CLOSE) {
        return take_half_close(c, o, arg);
    }
    return opt_number(o, "--repeat", arg, 1, 100000, &c->repeat);
}

static const struct opt_spec spec = {
    .command = "connect",
    .usage = "[options] TARGET",
    .about =
        "Connects, verifies chain, name, time and stapled revocation, then "
        "sends stdin and writes what comes to stdout. TARGET: host:port, "
        "host:service, [v6]:port, unix:PATH or a URL such as "
        "https://example.com, or smtp://example.com for STARTTLS. With --json "
        "no data is carried: the session "
        "is described on stdout and closed.",
    .after = "  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | tlsock connect "
             "https://example.com\n"
             "  tlsock connect --ca +ca.pem app.test:8443\n"
             "  printf 'QUIT\\r\\n' | tlsock connect smtp://mx.example.com\n"
             "  tlsock connect --json example.com:443\n",
    .with_table = 1,
    .table = table,
    .take = take,
    .min_args = 1,
    .max_args = 1};

/* Wait until the connection may be read, for so long at most. */
static int wait_readable(tlsock *s, int ms)
{
    tlsock_pollitem item = {.s = s, .fd = -1, .events = POLLIN};

    return tlsock_poll(&item, 1, ms);
}

static int handshake(tlsock *s)
{
    int rc = tlsock_handshake(s);

    while (rc == TLSOCK_AGAIN) {
        tlsock_pollitem item = {.s = s, .fd = -1, .events = POLLIN | POLLOUT};

        rc = tlsock_poll(&item, 1, -1);
        if (rc >= 0)
            rc = tlsock_handshake(s);
    }
    return rc;
}

/* In TLS 1.3 the server judges our certificate, or its absence, after we
 * think that all is done: give it a moment before saying "connected". The
 * first thing it sends, a ticket or data, says that it is content. The byte
 * looked at stays to be read. */
static int refused(tlsock *s)
{
    struct pollfd socket = {tlsock_fd(s), POLLIN, 0};
    char byte;
    ssize_t n;

    if (tlsock_info_int(s, TLSOCK_INFO_VERSION) < 0x0304 ||
        (tlsock_pending(s) == 0 && poll(&socket, 1, REFUSAL_MS) <= 0))
        return 0;
    n = tlsock_peek(s, &byte, 1);
    return n < 0 && n != TLSOCK_AGAIN && n != TLSOCK_E_TRUNCATED &&
                   n != TLSOCK_E_RESET
               ? (int)n
               : 0;
}

/* Say goodbye and hear the peer's, so that session tickets are taken in. */
static int say_goodbye(tlsock *s)
{
    char buf[4096];

    if (tlsock_shutdown(s, SHUT_WR) < 0)
        return 0;
    tlsock_set_deadline(s, CLOSE_MS);
    while (wait_readable(s, CLOSE_MS) > 0) {
        ssize_t n = tlsock_read(s, buf, sizeof(buf));

        if (n == TLSOCK_E_CLIENT_CERT_REQUIRED ||
            n == TLSOCK_E_CLIENT_CERT_DENIED || n == TLSOCK_E_ALERT)
            return (int)n;
        if (n == 0 || (n < 0 && n != TLSOCK_AGAIN))
            break;
    }
    return 0;
}

static void print_session(const struct connect *c, const tlsock *s)
{
    json_t *obj;

    if (!c->o.out.json) {
        if (!c->o.out.quiet)
            facts_print(&c->o.out, c->target, s, c->o.proxy);
        return;
    }
    obj = json_object();
    json_object_set_new(obj, "schema", json_string("tlsock.connect/1"));
    json_object_set_new(obj, "target", out_json_text(c->target));
    facts_json(obj, s, c->o.proxy);
    out_json_print(obj);
}

static int no_stdin(const struct connect *c, int errnum)
{
    return err_plain(&c->o.out, c->target, EXIT_OWN, "system", "",
                     "stdin or stdout: %s", strerror(errnum));
}

static int carry(const struct connect *c, tlsock *s, const struct early *e)
{
    struct pump_opts how = c->pump;
    struct pump_result result;
    int rc;

    if (e != NULL)
        how.first = early_left(e, s, &how.first_len);
    rc = pump_run(s, &how, &result);
    if (rc == PUMP_NO_STDOUT)
        return EXIT_SIGNAL + SIGPIPE;
    if (rc == PUMP_NO_STDIN)
        return no_stdin(c, result.errnum);
    if (rc < 0)
        return err_report(&c->o.out, c->target, &result.err, 0);
    return EXIT_GOOD;
}

/* Not even -q keeps this back. */
static void warn_plain(const struct connect *c, const char *why)
{
    char text[256];

    snprintf(text, sizeof(text),
             "not encrypted: %s; anybody on the way can read and change "
             "everything",
             why);
    out_warning(&c->o.out, text);
}

static void on_plain(void *arg)
{
    warn_plain(arg, "the peer said the word of --downgrade-after, and TLS has "
                    "ended");
}

static int failed(const struct connect *c, const tlsock *s, int rc)
{
    tlsock_error err = err_of_call(s, rc);

    return err_report(&c->o.out, c->target, &err, 0);
}

/* One session on a handle that is there: gives the exit code. */
static int session(const struct connect *c, tlsock *s, int with_data,
                   const struct early *e)
{
    int loud = c->o.out.verbose || isatty(STDERR_FILENO);
    int rc = handshake(s);

    if (rc == 0 && (!with_data || (loud && !c->o.out.quiet)))
        rc = refused(s);
    if (rc < 0)
        return failed(c, s, rc);
    if (facts_plain(s))
        warn_plain(c, "the server has no TLS for us, and starttls = "
                      "opportunistic goes on without");
    if (!c->o.insecure) /* that has been said */
        facts_warn(&c->o.out, s);
    if (with_data) {
        if (loud)
            print_session(c, s);
        if (loud && !c->o.out.quiet) {
            out_label(&c->o.out, stderr, OUT_GREEN, "ready");
            fprintf(stderr, "%s\n",
                    isatty(STDIN_FILENO) ? "Ctrl-D ends the sending side"
                                         : "sending stdin");
        }
        return carry(c, s, e);
    }
    print_session(c, s);
    rc = say_goodbye(s);
    return rc < 0 ? failed(c, s, rc) : EXIT_GOOD;
}

static int connect_once(const struct connect *c, int with_data)
{
    tlsock_error err = {0};
    tlsock *s;
    int rc;

    s = opt_connect(&c->o, c->config, 1, &err);
    if (s == NULL)
        return err_report(&c->o.out, c->target, &err, 0);
    rc = session(c, s, with_data, NULL);
    tlsock_close(s);
    return rc;
}

static int connect_early(const struct connect *c)
{
    struct early e = {.len = 0};
    tlsock_error err = {0};
    tlsock *s = opt_connect(&c->o, c->config, 1, &err);
    int rc;

    if (s == NULL)
        return err_report(&c->o.out, c->target, &err, 0);
    rc = early_send(&e, s);
    if (rc == 0)
        rc = session(c, s, 1, &e);
    else
        rc = rc > 0 ? no_stdin(c, errno) : failed(c, s, rc);
    tlsock_close(s);
    return rc;
}

static int run(struct connect *c)
{
    int with_data = !c->o.out.json && c->repeat == 0, rc = EXIT_GOOD;

    c->target = c->o.args.v[0];
    if (!with_data && c->pump.downgrade_after != NULL)
        return err_usage(&c->o.out, "connect", "leave one of them out",
                         "--downgrade-after needs data, which --json and "
                         "--repeat do not carry");
    if (!with_data && c->o.early_data)
        return err_usage(&c->o.out, "connect", "leave one of them out",
                         "--early-data is of stdin, which --json and --repeat "
                         "do not carry");
    rc = opt_dial(&c->o, c->target);
    if (rc != 0)
        return rc;
    c->pump.on_plain = on_plain;
    c->pump.arg = c;
    c->config = opt_make_config(&c->o, &rc);
    if (c->config == NULL)
        return rc;
    rc = confine_client(&c->o);
    if (rc == 0 && c->o.early_data)
        rc = connect_early(c);
    else
        for (long i = 0; i < (c->repeat > 0 ? c->repeat : 1) && rc == 0; i++)
            rc = connect_once(c, with_data);
    tlsock_config_unref(c->config);
    return rc;
}

int cmd_connect(int argc, const char **argv)
{
    struct connect c = {.repeat = 0};
    int rc = opt_parse(&c.o, &spec, &c, argc, argv);

    if (rc == -1)
        rc = run(&c);
    opt_free(&c.o);
    return rc;
}
