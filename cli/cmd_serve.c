/* serve - a TLS server for many clients at once: what to answer with, and
 * what is said about each client. The loop is engine/listen.c. */
#include "commands.h"
#include "errors.h"
#include "facts.h"
#include "listen.h"
#include "local.h"
#include "opt.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <tlsock/info.h>
#include <unistd.h>

#define REPLY_MAX 67108864 /* a fixed reply is kept in memory */

enum {
    OPT_ECHO = OPT_OWN,
    OPT_EXEC,
    OPT_REPLY,
    OPT_CLIENT_AUTH,
    OPT_SHOW_CLIENT,
    OPT_ONCE,
    OPT_COUNT,
    OPT_PORT_FILE
};

struct serve {
    struct opts o;
    const char *reply_path, *client_auth, *port_file, *target;
    int echo, exec, show_client;
    long count;
    char *const *argv; /* what follows -- */
    char *reply;
    size_t reply_len;
    const tlsock_listener *listener;
    char where[300], identity[400];
    int exit_code; /* of the first connection that failed */
};

static struct poptOption options[] = {
    {"echo", '\0', POPT_ARG_NONE, NULL, OPT_ECHO,
     "send everything back (the default)", NULL},
    {"exec", '\0', POPT_ARG_NONE, NULL, OPT_EXEC,
     "a program per client, given after --; no shell", NULL},
    {"reply", '\0', POPT_ARG_STRING, NULL, OPT_REPLY,
     "send this file after the client's first bytes", "FILE"},
    {"client-auth", '\0', POPT_ARG_STRING, NULL, OPT_CLIENT_AUTH,
     "clients' certificates, signed by --ca", "none|ask|require"},
    {"show-client", '\0', POPT_ARG_NONE, NULL, OPT_SHOW_CLIENT,
     "a line about each client", NULL},
    {"once", '\0', POPT_ARG_NONE, NULL, OPT_ONCE, "end after one client", NULL},
    {"count", '\0', POPT_ARG_STRING, NULL, OPT_COUNT, "end after N clients",
     "N"},
    {"port-file", '\0', POPT_ARG_STRING, NULL, OPT_PORT_FILE,
     "write the port there when ready", "FILE"},
    {"ca", '\0', POPT_ARG_STRING, NULL, OPT_CA,
     "who may sign clients' certificates", "FILE|DIR|system|+FILE"},
    POPT_TABLEEND};

static struct poptOption table[] = {
    OPT_GROUP(options, "Serve:"),         OPT_GROUP(opt_identity, "Identity:"),
    OPT_GROUP(opt_protocol, "Protocol:"), OPT_GROUP(opt_settings, "Settings:"),
    OPT_GROUP(opt_output, "Output:"),     POPT_TABLEEND};

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct serve *v = own;

    switch (val) {
    case OPT_ECHO:
        v->echo = 1;
        return 0;
    case OPT_EXEC:
        v->exec = 1;
        return 0;
    case OPT_REPLY:
        v->reply_path = arg;
        return 0;
    case OPT_CLIENT_AUTH:
        v->client_auth = arg;
        return 0;
    case OPT_SHOW_CLIENT:
        v->show_client = 1;
        return 0;
    case OPT_ONCE:
        v->count = 1;
        return 0;
    case OPT_COUNT:
        return opt_number(o, "--count", arg, 1, 1000000000, &v->count);
    default:
        v->port_file = arg;
        return 0;
    }
}

static const struct opt_spec spec = {
    .command = "serve",
    .usage = "[options] TARGET",
    .about =
        "Serves TLS to many clients at once. TARGET: host:port, [v6]:port or "
        "unix:PATH; :port is loopback only, *:port every address, port 0 a "
        "free one. Without --cert it makes a certificate for localhost, "
        "signed by the local CA if there is one. Several --cert: the name "
        "the client asks for (SNI) chooses. Ends on SIGINT and SIGTERM; with "
        "--once or --count the exit code is that of the first client that "
        "failed.",
    .after = "  tlsock serve :8443\n"
             "  tlsock serve :8443 --cert app.test.pem --key app.test.key "
             "--show-client\n"
             "  tlsock serve :8443 --exec -- cat -n\n",
    .with_table = 1,
    .table = table,
    .take = take,
    .min_args = 1,
    .max_args = 1};

static void print_client(const struct serve *v, const tlsock *s,
                         unsigned long id)
{
    tlsock_cert *cert = tlsock_peer_cert(s);

    printf("client   #%lu %s", id, tlsock_info(s, TLSOCK_INFO_PEER_ADDRESS));
    printf("  %s", tlsock_info(s, TLSOCK_INFO_VERSION));
    printf("  %s", tlsock_info(s, TLSOCK_INFO_CIPHER));
    if (tlsock_info(s, TLSOCK_INFO_SNI)[0] != '\0')
        printf("  sni %s", tlsock_info(s, TLSOCK_INFO_SNI));
    if (tlsock_info(s, TLSOCK_INFO_ALPN)[0] != '\0')
        printf("  alpn %s", tlsock_info(s, TLSOCK_INFO_ALPN));
    if (tlsock_info_int(s, TLSOCK_INFO_RESUMED))
        printf("  resumed");
    if (cert != NULL)
        printf("  certificate %s",
               tlsock_cert_field(cert, TLSOCK_CERT_SUBJECT));
    else if (v->client_auth != NULL && strcmp(v->client_auth, "none") != 0)
        printf("  no certificate");
    putchar('\n');
    fflush(stdout);
    tlsock_cert_unref(cert);
}

static void on_open(void *arg, const tlsock *s, unsigned long id)
{
    const struct serve *v = arg;

    if (!v->o.out.json && (v->show_client || v->o.out.verbose))
        print_client(v, s, id);
}

static void end_json(struct serve *v, const tlsock *s, unsigned long id,
                     const struct engine_end *end)
{
    json_t *obj = json_object();
    char now[32];

    out_now(now);
    json_object_set_new(obj, "schema", json_string("tlsock.serve/1"));
    json_object_set_new(obj, "event", json_string("end"));
    json_object_set_new(obj, "time", json_string(now));
    json_object_set_new(obj, "id", json_integer((json_int_t)id));
    json_object_set_new(
        obj, "peer", out_json_text(tlsock_info(s, TLSOCK_INFO_PEER_ADDRESS)));
    json_object_set_new(obj, "received",
                        json_integer((json_int_t)end->received));
    json_object_set_new(obj, "sent", json_integer((json_int_t)end->sent));
    if (end->handshaken)
        facts_json(obj, s, &(struct facts_way){NULL, NULL});
    if (end->err != NULL)
        json_object_set_new(obj, "error",
                            err_json(&v->o.out, v->where, end->err,
                                     err_exit_code(end->err, 0)));
    out_json_print(obj);
}

static void on_end(void *arg, const tlsock *s, unsigned long id,
                   const struct engine_end *end)
{
    struct serve *v = arg;
    char peer[128];

    if (end->err != NULL && v->exit_code == 0)
        v->exit_code = err_exit_code(end->err, 0);
    if (v->o.out.json) {
        end_json(v, s, id, end);
        return;
    }
    snprintf(peer, sizeof(peer), "#%lu %s", id,
             tlsock_info(s, TLSOCK_INFO_PEER_ADDRESS));
    if (end->err != NULL && !v->o.out.quiet)
        err_report(&v->o.out, peer, end->err, 0);
    else if (end->err == NULL && v->o.out.verbose)
        fprintf(stderr, "closed   %s  received %llu, sent %llu bytes\n", peer,
                (unsigned long long)end->received,
                (unsigned long long)end->sent);
}

static void on_trouble(void *arg, const tlsock_error *err)
{
    struct serve *v = arg;

    err_report(&v->o.out, v->where, err, 0);
}

/* Names of the certificate in use, for the line that says we are ready. */
static int add_local(struct serve *v, tlsock_config *c)
{
    tlsock_error err = {0};
    int by_ca = 0, rc;
    tlsock_cert *cert = local_host_cert(&by_ca, &err);

    if (cert == NULL)
        return err_report(&v->o.out, "local certificate", &err, 1);
    if (by_ca)
        snprintf(v->identity, sizeof(v->identity),
                 "localhost 127.0.0.1 ::1, made now by the local CA");
    else
        snprintf(v->identity, sizeof(v->identity),
                 "localhost, made now, self-signed; clients: --pin %s",
                 tlsock_cert_field(cert, TLSOCK_CERT_PIN));
    rc = tlsock_config_add_cert(c, cert);
    tlsock_cert_unref(cert);
    if (rc < 0)
        return err_report(&v->o.out, "local certificate",
                          tlsock_config_error(c), 1);
    return 0;
}

static int check_line(struct serve *v)
{
    int modes = v->echo + v->exec + (v->reply_path != NULL);
    const struct out *o = &v->o.out;

    if (modes > 1)
        return err_usage(o, "serve", "--echo, --exec or --reply FILE",
                         "only one kind of answer can be given");
    if (v->exec != (v->argv != NULL))
        return err_usage(o, "serve", "tlsock serve :8443 --exec -- cat -n",
                         v->exec ? "--exec needs a program after --"
                                 : "a program after -- needs --exec");
    if (v->client_auth != NULL && strcmp(v->client_auth, "none") != 0 &&
        strcmp(v->client_auth, "ask") != 0 &&
        strcmp(v->client_auth, "require") != 0)
        return err_usage(o, "serve", "--client-auth none, ask or require",
                         "--client-auth \"%s\"", v->client_auth);
    if (v->o.ca.n > 0 &&
        (v->client_auth == NULL || strcmp(v->client_auth, "none") == 0))
        return err_usage(o, "serve", "add --client-auth ask or require",
                         "--ca names who may sign clients' certificates, but "
                         "none is asked for");
    return 0;
}

static int read_reply(struct serve *v)
{
    const struct out *o = &v->o.out;
    FILE *f = fopen(v->reply_path, "rbe");
    size_t cap = 65536, n;
    char *grown;

    if (f == NULL)
        return err_plain(o, "--reply", EXIT_OWN, "own-file",
                         "--reply FILE that can be read", "%s: %s",
                         v->reply_path, strerror(errno));
    for (; cap <= REPLY_MAX; cap *= 2) {
        grown = realloc(v->reply, cap);
        if (grown == NULL)
            break;
        v->reply = grown;
        n = fread(v->reply + v->reply_len, 1, cap - v->reply_len, f);
        v->reply_len += n;
        if (v->reply_len < cap)
            break;
    }
    n = (size_t)ferror(f);
    fclose(f);
    if (n != 0 || v->reply_len >= cap || v->reply == NULL)
        return err_plain(o, "--reply", EXIT_OWN, "own-file",
                         "--reply FILE of at most 64 MiB",
                         "%s cannot be read or is too long", v->reply_path);
    return 0;
}

/* The address clients may use, with the port that was taken. */
static void find_where(struct serve *v, const tlsock_listener *l)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    char host[128], port[16];

    snprintf(v->where, sizeof(v->where), "%s", v->target);
    if (tlsock_listener_port(l) == 0)
        return;
    if (getsockname(tlsock_listener_fd(l), (struct sockaddr *)&sa, &len) < 0 ||
        getnameinfo((struct sockaddr *)&sa, len, host, sizeof(host), port,
                    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        snprintf(v->where, sizeof(v->where), "localhost:%d",
                 tlsock_listener_port(l));
        return;
    }
    snprintf(v->where, sizeof(v->where),
             strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host, port);
}

static int write_port(const struct serve *v, int port)
{
    int fd = open(v->port_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int ok = fd >= 0 && dprintf(fd, "%d\n", port) > 0;
    int errnum = errno;

    if (fd >= 0)
        close(fd);
    if (ok)
        return 0;
    return err_plain(&v->o.out, "--port-file", EXIT_OWN, "own-file",
                     "--port-file FILE in a directory you may write to",
                     "%s: %s", v->port_file, strerror(errnum));
}

static int on_ready(void *arg)
{
    struct serve *v = arg;
    const tlsock_listener *l = v->listener;
    const char *kind = v->exec                 ? v->argv[0]
                       : v->reply_path != NULL ? v->reply_path
                                               : "echo";
    char text[300];

    find_where(v, l);
    if (v->o.out.json) {
        json_t *obj = json_object();

        json_object_set_new(obj, "schema", json_string("tlsock.serve/1"));
        json_object_set_new(obj, "event", json_string("ready"));
        json_object_set_new(obj, "address", out_json_text(v->where));
        json_object_set_new(obj, "port", json_integer(tlsock_listener_port(l)));
        json_object_set_new(obj, "identity", out_json_text(v->identity));
        out_json_print(obj);
    } else {
        printf("ready    %s  %s; certificate %s\n", v->where,
               out_clean(text, sizeof(text), kind), v->identity);
        fflush(stdout);
    }
    if (v->port_file != NULL)
        return write_port(v, tlsock_listener_port(l));
    return 0;
}

static int serve_on(struct serve *v, tlsock_listener *l)
{
    struct engine_opts engine = {.listener = l,
                                 .count = (unsigned long)v->count,
                                 .mode = v->exec                 ? ENGINE_EXEC
                                         : v->reply_path != NULL ? ENGINE_REPLY
                                                                 : ENGINE_ECHO,
                                 .argv = v->argv,
                                 .reply = v->reply,
                                 .reply_len = v->reply_len,
                                 .on_ready = on_ready,
                                 .on_open = on_open,
                                 .on_end = on_end,
                                 .on_trouble = on_trouble,
                                 .arg = v};
    int first = 0, rc;

    v->listener = l;
    rc = engine_run(&engine, &first);
    if (rc > 0)
        return rc;
    if (rc < 0)
        return err_plain(&v->o.out, v->where, EXIT_INTERNAL, "system", "",
                         "the event loop cannot be made");
    return v->count > 0 ? v->exit_code : EXIT_GOOD;
}

static tlsock_config *make_config(struct serve *v, int *rc)
{
    tlsock_config *c;
    size_t used = 0;

    if (v->client_auth != NULL) {
        /* as a key of the table, so that it is checked as all others */
        *rc = opt_push(&v->o, &v->o.sets, "client-auth");
        if (*rc == 0)
            *rc = opt_push(&v->o, &v->o.sets, v->client_auth);
        if (*rc == 0)
            *rc = opt_push(&v->o, &v->o.sets, "--client-auth");
        if (*rc != 0)
            return NULL;
    }
    c = opt_make_config(&v->o, rc);
    if (c == NULL)
        return NULL;
    for (size_t i = 0; i < v->o.n_idents && used < sizeof(v->identity); i++)
        used += (size_t)snprintf(v->identity + used, sizeof(v->identity) - used,
                                 "%s%s", i > 0 ? " " : "", v->o.idents[i].cert);
    /* a config file may bring its own identity */
    if (v->o.n_idents == 0 && v->o.config == NULL)
        *rc = add_local(v, c);
    else if (v->o.n_idents == 0)
        snprintf(v->identity, sizeof(v->identity), "of %s", v->o.config);
    if (*rc == 0)
        return c;
    tlsock_config_unref(c);
    return NULL;
}

static int run(struct serve *v)
{
    tlsock_error err = {0};
    tlsock_listener *l;
    tlsock_config *c;
    int rc = check_line(v);

    v->target = v->o.args.v[0];
    if (rc == 0 && v->reply_path != NULL)
        rc = read_reply(v);
    if (rc != 0)
        return rc;
    c = make_config(v, &rc);
    if (c == NULL)
        return rc;
    l = tlsock_listen(v->target, c, TLSOCK_OPTS(.nonblocking = 1), &err);
    rc = l != NULL ? serve_on(v, l)
                   : err_report(&v->o.out, v->target, &err,
                                err.code != TLSOCK_E_SYSTEM);
    tlsock_listener_free(l);
    tlsock_config_unref(c);
    return rc;
}

int cmd_serve(int argc, const char **argv)
{
    struct serve v = {.count = 0};
    int rc, n = 1;

    /* the program's own options are not ours */
    while (n < argc && strcmp(argv[n], "--") != 0)
        n++;
    if (n + 1 < argc) {
        v.argv = (char *const *)(argv + n + 1);
        argc = n;
    }
    rc = opt_parse(&v.o, &spec, &v, argc, argv);
    if (rc == -1)
        rc = run(&v);
    free(v.reply);
    opt_free(&v.o);
    return rc;
}
