/* connect - one verified session, or several, or none with the reason. */
#include "commands.h"
#include "errors.h"
#include "facts.h"
#include "opt.h"
#include "pump.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <tlsock/info.h>
#include <unistd.h>

#define OPT_REPEAT OPT_OWN
#define REFUSAL_MS 300 /* how long a refusal of our certificate may take */
#define CLOSE_MS 500   /* and the peer's goodbye */

struct connect {
    struct opts o;
    long repeat;
    tlsock_config *config;
    const char *target;
};

static struct poptOption options[] = {
    {"repeat", '\0', POPT_ARG_STRING, NULL, OPT_REPEAT,
     "connect N times, to see sessions resumed; carries no data", "N"},
    POPT_TABLEEND};

static struct poptOption table[] = {
    OPT_GROUP(options, "Connect:"),       OPT_GROUP(opt_trust, "Trust:"),
    OPT_GROUP(opt_identity, "Identity:"), OPT_GROUP(opt_protocol, "Protocol:"),
    OPT_GROUP(opt_network, "Network:"),   OPT_GROUP(opt_settings, "Settings:"),
    OPT_GROUP(opt_output, "Output:"),     POPT_TABLEEND};

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct connect *c = own;

    (void)val;
    return opt_number(o, "--repeat", arg, 1, 100000, &c->repeat);
}

static const struct opt_spec spec = {
    .command = "connect",
    .usage = "[options] TARGET",
    .about =
        "Connects, verifies chain, name, time and stapled revocation, then "
        "sends stdin and writes what comes to stdout. TARGET: host:port, "
        "host:service, [v6]:port, unix:PATH or a URL such as "
        "https://example.com. With --json no data is carried: the session "
        "is described on stdout and closed.",
    .after = "  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | tlsock connect "
             "https://example.com\n"
             "  tlsock connect --ca +ca.pem app.test:8443\n"
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

        if (n == TLSOCK_E_CLIENT_CERT_REQUIRED || n == TLSOCK_E_ALERT)
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
            facts_print(&c->o.out, c->target, s);
        return;
    }
    obj = json_object();
    json_object_set_new(obj, "schema", json_string("tlsock.connect/1"));
    json_object_set_new(obj, "target", out_json_text(c->target));
    facts_json(obj, s);
    out_json_print(obj);
}

static int carry(const struct connect *c, tlsock *s)
{
    struct pump_result result;
    int rc = pump_run(s, &result);

    if (rc == PUMP_NO_STDOUT)
        return EXIT_SIGNAL + SIGPIPE;
    if (rc == PUMP_NO_STDIN)
        return err_plain(&c->o.out, c->target, EXIT_OWN, "system", "",
                         "stdin or stdout: %s", strerror(result.errnum));
    if (rc < 0)
        return err_report(&c->o.out, c->target, &result.err, 0);
    return EXIT_GOOD;
}

/* One session on a handle that is there: gives the exit code. */
static int session(const struct connect *c, tlsock *s, int with_data)
{
    int loud = c->o.out.verbose || isatty(STDERR_FILENO);
    int rc = handshake(s);

    if (rc == 0 && (!with_data || (loud && !c->o.out.quiet)))
        rc = refused(s);
    if (rc < 0)
        return err_report(&c->o.out, c->target, tlsock_last_error(s), 0);
    if (with_data) {
        if (loud)
            print_session(c, s);
        if (loud && !c->o.out.quiet) {
            out_label(&c->o.out, stderr, OUT_GREEN, "ready");
            fprintf(stderr, "%s\n",
                    isatty(STDIN_FILENO) ? "Ctrl-D ends the sending side"
                                         : "sending stdin");
        }
        return carry(c, s);
    }
    print_session(c, s);
    if (say_goodbye(s) < 0)
        return err_report(&c->o.out, c->target, tlsock_last_error(s), 0);
    return EXIT_GOOD;
}

static int connect_once(const struct connect *c, int with_data)
{
    tlsock_error err = {0};
    tlsock *s;
    int rc;

    s = tlsock_connect(c->target, c->config,
                       TLSOCK_OPTS(.nonblocking = 1, .name = c->o.name,
                                   .sni = c->o.sni, .family = c->o.family,
                                   .timeout_ms = c->o.timeout_ms),
                       &err);
    if (s == NULL)
        return err_report(&c->o.out, c->target, &err, 0);
    rc = session(c, s, with_data);
    tlsock_close(s);
    return rc;
}

static int run(struct connect *c)
{
    int with_data = !c->o.out.json && c->repeat == 0, rc = EXIT_GOOD;

    c->target = c->o.args.v[0];
    c->config = opt_make_config(&c->o, &rc);
    if (c->config == NULL)
        return rc;
    if (c->o.insecure)
        fprintf(stderr, "tlsock: WARNING: --insecure: nobody checks who the "
                        "peer is; anybody on the way can read and change "
                        "everything\n");
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
