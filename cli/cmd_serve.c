/* serve - a TLS server for many clients at once: what to answer with, and
 * whom to let in. The loop is engine/listen.c. */
#include "certfield.h"
#include "commands.h"
#include "errors.h"
#include "listening.h"
#include "local.h"
#include "misbehave.h"
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 30000
#define REPLY_MAX 67108864 /* a fixed reply is kept in memory */

enum {
    OPT_ECHO = OPT_OWN,
    OPT_EXEC,
    OPT_REPLY,
    OPT_FILES,
    OPT_PLAIN_TOO,
    OPT_PLAIN_REMOTE,
    OPT_CLIENT_AUTH,
    OPT_ALLOW,
    OPT_SHOW_CLIENT,
    OPT_ONCE,
    OPT_COUNT,
    OPT_PORT_FILE,
    OPT_MISBEHAVE,
    OPT_PKI
};

static struct poptOption options[] = {
    {"echo", '\0', POPT_ARG_NONE, NULL, OPT_ECHO,
     "send everything back (the default)", NULL},
    {"exec", '\0', POPT_ARG_NONE, NULL, OPT_EXEC,
     "a program per client, given after --; no shell", NULL},
    {"reply", '\0', POPT_ARG_STRING, NULL, OPT_REPLY,
     "send this file after the client's first bytes", "FILE"},
    {"files", '\0', POPT_ARG_STRING, NULL, OPT_FILES,
     "the files below a directory, by HTTP", "DIR"},
    {"timeout", '\0', POPT_ARG_STRING, NULL, OPT_TIMEOUT,
     "with --files: for a request to come, for an answer to move on (30s)",
     "10s|500ms|2m|none"},
    {"starttls", '\0', POPT_ARG_STRING, NULL, OPT_STARTTLS,
     "begin in plaintext, as this protocol", "PROTO[:ARG]"},
    {"plain-too", '\0', POPT_ARG_NONE, NULL, OPT_PLAIN_TOO,
     "serve clients without TLS on the same port", NULL},
    {"allow-plain-remote", '\0', POPT_ARG_NONE, NULL, OPT_PLAIN_REMOTE,
     "even where other machines can reach it", NULL},
    {"client-auth", '\0', POPT_ARG_STRING, NULL, OPT_CLIENT_AUTH,
     "clients' certificates, signed by --ca", "none|ask|require"},
    {"allow", '\0', POPT_ARG_STRING, NULL, OPT_ALLOW,
     "which of them may come in: rules, may be repeated",
     "dns:NAME|cn:TEXT|uri:URI|...|any"},
    {"show-client", '\0', POPT_ARG_NONE, NULL, OPT_SHOW_CLIENT,
     "a line about each client", NULL},
    {"once", '\0', POPT_ARG_NONE, NULL, OPT_ONCE, "end after one client", NULL},
    {"count", '\0', POPT_ARG_STRING, NULL, OPT_COUNT, "end after N clients",
     "N"},
    {"port-file", '\0', POPT_ARG_STRING, NULL, OPT_PORT_FILE,
     "write the port there when ready", "FILE"},
    {"misbehave", '\0', POPT_ARG_STRING, NULL, OPT_MISBEHAVE,
     "do what no server should, for tests of clients; \"list\" shows what",
     "WHAT|all|list"},
    {"pki", '\0', POPT_ARG_STRING, NULL, OPT_PKI,
     "with --misbehave: certificates, as tlsock testpki makes them", "DIR"},
    {"ca", '\0', POPT_ARG_STRING, NULL, OPT_CA,
     "who may sign clients' certificates", "FILE|DIR|system|+FILE"},
    POPT_TABLEEND};

static struct poptOption table[] = {OPT_GROUP(options, "Serve:"),
                                    OPT_GROUP(opt_identity, "Identity:"),
                                    OPT_GROUP(opt_protocol, "Protocol:"),
                                    OPT_GROUP(opt_settings, "Settings:"),
                                    OPT_GROUP(opt_evidence, "Evidence:"),
                                    OPT_GROUP(opt_confine, "Confinement:"),
                                    OPT_GROUP(opt_output, "Output:"),
                                    POPT_TABLEEND};

/* The first one stands instead of the config file's, others add to it. */
static int take_allow(struct serve *v, struct opts *o, const char *arg)
{
    size_t len = strlen(arg) + 2;
    char *rules = malloc(len);
    int rc;

    if (rules == NULL)
        return EXIT_INTERNAL;
    snprintf(rules, len, "%s%s", v->allow && *arg != '+' ? "+" : "", arg);
    v->allow = 1;
    rc = opt_push(o, &o->pool, rules);
    if (rc != 0) {
        free(rules);
        return rc;
    }
    rc = opt_push(o, &o->sets, "client-auth.allow");
    if (rc == 0)
        rc = opt_push(o, &o->sets, rules);
    return rc != 0 ? rc : opt_push(o, &o->sets, "--allow");
}

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
    case OPT_FILES:
        v->files = arg;
        return 0;
    case OPT_PLAIN_TOO:
        v->plain_too = 1;
        return 0;
    case OPT_PLAIN_REMOTE:
        v->plain_remote = 1;
        return 0;
    case OPT_CLIENT_AUTH:
        v->client_auth = arg;
        return 0;
    case OPT_ALLOW:
        return take_allow(v, o, arg);
    case OPT_SHOW_CLIENT:
        v->show_client = 1;
        return 0;
    case OPT_ONCE:
        v->count = 1;
        return 0;
    case OPT_COUNT:
        return opt_number(o, "--count", arg, 1, 1000000000, &v->count);
    case OPT_MISBEHAVE:
        v->misbehave = arg;
        return 0;
    case OPT_PKI:
        v->pki = arg;
        return 0;
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
        "the client asks for (SNI) chooses. Reads its files again on SIGHUP, "
        "ends on SIGINT and SIGTERM; with --once or --count the exit code is "
        "that of the first client that failed.",
    .after = "  tlsock serve :8443\n"
             "  tlsock serve :8443 --cert app.test.pem --key app.test.key "
             "--show-client\n"
             "  tlsock serve :8443 --files public\n"
             "  tlsock serve :8443 --exec -- cat -n\n",
    .with_table = 1,
    .table = table,
    .take = take,
    .max_args = 1};

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
                 certfield(cert, TLSOCK_CERT_PIN));
    rc = tlsock_config_add_cert(c, cert);
    tlsock_cert_unref(cert);
    if (rc < 0)
        return err_report(&v->o.out, "local certificate",
                          tlsock_config_error(c), 1);
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

static int open_root(struct serve *v)
{
    v->root = open(v->files, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (v->root >= 0)
        return 0;
    return err_plain(&v->o.out, "--files", EXIT_OWN, "own-file",
                     "--files DIR, a directory that can be read", "%s: %s",
                     v->files, strerror(errno));
}

/* Plaintext stays on this machine unless that is asked for. */
static int check_plain(const struct serve *v, const tlsock_listener *l)
{
    int local = !v->plain_too || v->plain_remote ? 1 : listening_is_local(l);

    if (local < 0)
        return listening_unknown(&v->o.out, v->target);
    if (local)
        return 0;
    return err_usage(&v->o.out, "serve",
                     "listen on :PORT or unix:PATH, or add "
                     "--allow-plain-remote",
                     "--plain-too on \"%s\" lets other machines in without "
                     "encryption",
                     v->target);
}

static int mode_of(const struct serve *v)
{
    if (v->exec)
        return ENGINE_EXEC;
    if (v->files != NULL)
        return ENGINE_FILES;
    return v->reply_path != NULL ? ENGINE_REPLY : ENGINE_ECHO;
}

static int serve_on(struct serve *v, tlsock_listener *l, tlsock_config *c)
{
    struct engine_opts engine = {
        .listener = l,
        .count = (unsigned long)v->count,
        .mode = mode_of(v),
        .root = v->root,
        .patience_ms = v->o.timeout_ms != 0 ? v->o.timeout_ms : PATIENCE_MS,
        .plain_too = v->plain_too,
        .config = c,
        .argv = v->argv,
        .reply = v->reply,
        .reply_len = v->reply_len,
        .on_ready = serve_ready,
        .on_open = serve_open,
        .on_request = serve_request,
        .on_end = serve_end,
        .on_hangup = serve_hangup,
        .on_trouble = serve_trouble,
        .arg = v};
    int first = 0, rc;

    rc = check_plain(v, l);
    if (rc != 0)
        return rc;
    v->listener = l;
    v->config = c;
    rc = confine_end(&v->confine);
    if (rc != 0)
        return rc;
    v->had_terminal = serve_has_terminal();
    rc = engine_run(&engine, &first);
    if (rc > 0)
        return rc;
    if (rc < 0)
        return listening_no_loop(&v->o.out, v->target, -rc);
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

static int misbehave(const struct serve *v)
{
    const struct misbehave m = {.out = &v->o.out,
                                .what = v->misbehave,
                                .pki = v->pki,
                                .port_file = v->port_file,
                                .count = v->count,
                                .target =
                                    v->o.args.n != 0 ? v->o.args.v[0] : NULL};

    return strcmp(v->misbehave, "list") == 0 ? misbehave_list(m.out)
                                             : misbehave_run(&m);
}

/* What is read and made later: nothing else stays within reach. */
static int confine(struct serve *v, const tlsock_config *c)
{
    int rc = confine_may_config(&v->confine, c);

    if (rc == 0)
        rc = confine_may(&v->confine, v->files, TLSOCK_FILE_READ);
    if (rc == 0)
        rc = confine_may_listen(&v->confine, v->target);
    if (rc == 0)
        rc = listening_open(&v->o.out, v->port_file, &v->port_fd);
    return rc == 0 ? confine_begin(&v->confine) : rc;
}

static int run(struct serve *v)
{
    tlsock_error err = {0};
    tlsock_listener *l = NULL;
    tlsock_config *c;
    int rc = serve_check(v);

    if (rc == 0 && v->misbehave != NULL)
        return misbehave(v);
    v->target = v->o.args.n != 0 ? v->o.args.v[0] : NULL;
    if (rc == 0)
        rc = confine_check(&v->confine, &v->o, v->exec);
    if (rc == 0 && v->reply_path != NULL)
        rc = read_reply(v);
    if (rc == 0 && v->files != NULL)
        rc = open_root(v);
    if (rc != 0)
        return rc;
    c = make_config(v, &rc);
    if (c == NULL)
        return rc;
    rc = confine(v, c);
    if (rc == 0) {
        l = tlsock_listen(v->target, c,
                          TLSOCK_OPTS(.nonblocking = 1,
                                      .starttls = v->o.starttls,
                                      .starttls_arg = v->o.starttls_arg),
                          &err);
        if (l == NULL)
            opt_listen_hint(v->target, &err);
        rc = l != NULL ? serve_on(v, l, c)
                       : err_report(&v->o.out, v->target, &err,
                                    err.code != TLSOCK_E_SYSTEM);
    }
    tlsock_listener_free(l);
    tlsock_config_unref(c);
    return rc;
}

int cmd_serve(int argc, const char **argv)
{
    struct serve v = {.root = -1, .port_fd = -1};
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
    if (v.root >= 0)
        close(v.root);
    listening_close(&v.port_fd);
    confine_free(&v.confine);
    opt_free(&v.o);
    return rc;
}
