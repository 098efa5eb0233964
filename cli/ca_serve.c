/* ca serve - the CA's certificate, CRL and OCSP by HTTP, and ACME by HTTPS, on
 * one port. */
#include "acme.h"
#include "ca_opts.h"
#include "ca_site.h"
#include "certfield.h"
#include "commands.h"
#include "confine.h"
#include "errors.h"
#include "evidence.h"
#include "http_server.h"
#include "listening.h"
#include "opt.h"
#include "signals.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS ":8080"
#define PATIENCE_MS 30000
#define LOOK_S 60 /* whether a CRL or our own certificate is due */
#define BUSY_S 1  /* again, if somebody else was at work with the CA */

enum {
    OPT_ACME = OPT_OWN,
    OPT_PLAIN_REMOTE,
    OPT_PORT_FILE,
    OPT_HOST,
    OPT_RESOLVE,
    OPT_VALIDATE_PORT,
    OPT_VALIDATE_TLS_PORT,
    OPT_ANYWHERE,
    OPT_ACME_DAYS,
    OPT_MOST,
    OPT_MOST_EACH
};

struct serve {
    struct opts o;
    int with_acme, plain_remote;
    long most, most_each;
    const char *port_file, *target;
    struct strs hosts; /* more names of this server */
    struct acme_opts how;
    struct ca_site site;
    struct confine confine;
    int port_fd; /* of --port-file, or -1 */
    struct acme *acme;
    tlsock_config *config;
    tlsock_cert *identity;
    int stale; /* a newer one is in its file */
    tlsock_listener *listener;
    struct event_base *base;
    struct event *look;
    struct http_server *server;
    char where[300];
};

static struct poptOption options[] = {
    {"dir", '\0', POPT_ARG_STRING, NULL, OPT_CA,
     "the CA's directory (default: $XDG_DATA_HOME/tlsock/ca)", "DIR"},
    {"pass", '\0', POPT_ARG_STRING, NULL, OPT_PASS,
     "where the password of the CA's key is", "file:FILE|env:NAME|fd:N|prompt"},
    {"acme", '\0', POPT_ARG_NONE, NULL, OPT_ACME,
     "give certificates to ACME clients, by https on the same port", NULL},
    {"allow-plain-remote", '\0', POPT_ARG_NONE, NULL, OPT_PLAIN_REMOTE,
     "even where other machines can reach it", NULL},
    {"timeout", '\0', POPT_ARG_STRING, NULL, OPT_TIMEOUT,
     "for a request to come, for an answer to be taken (30s)",
     "10s|500ms|2m|none"},
    {"max-connections", '\0', POPT_ARG_STRING, NULL, OPT_MOST,
     "clients at once; others wait (1024)", "N"},
    {"max-per-address", '\0', POPT_ARG_STRING, NULL, OPT_MOST_EACH,
     "of one address, or network of 64 bits of IPv6 (64)", "N"},
    {"port-file", '\0', POPT_ARG_STRING, NULL, OPT_PORT_FILE,
     "write the port there when ready", "FILE"},
    POPT_TABLEEND};

static struct poptOption acme_options[] = {
    {"host", '\0', POPT_ARG_STRING, NULL, OPT_HOST,
     "one more name of this server, for its own certificate", "NAME"},
    {"days", '\0', POPT_ARG_STRING, NULL, OPT_ACME_DAYS,
     "lifetime of what clients get (90)", "N"},
    {"resolve", '\0', POPT_ARG_STRING, NULL, OPT_RESOLVE,
     "where a name is, for validation", "NAME=ADDRESS"},
    {"validate-port", '\0', POPT_ARG_STRING, NULL, OPT_VALIDATE_PORT,
     "port of http-01 (80)", "N"},
    {"validate-tls-port", '\0', POPT_ARG_STRING, NULL, OPT_VALIDATE_TLS_PORT,
     "port of tls-alpn-01 (443)", "N"},
    {"validate-anywhere", '\0', POPT_ARG_NONE, NULL, OPT_ANYWHERE,
     "clients may be at public addresses too", NULL},
    POPT_TABLEEND};

static struct poptOption table[] = {OPT_GROUP(options, "Serve:"),
                                    OPT_GROUP(acme_options, "With --acme:"),
                                    OPT_GROUP(opt_evidence, "Evidence:"),
                                    OPT_GROUP(opt_confine, "Confinement:"),
                                    OPT_GROUP(opt_output, "Output:"),
                                    POPT_TABLEEND};

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct serve *v = own;

    switch (val) {
    case OPT_ACME:
        v->with_acme = 1;
        return 0;
    case OPT_PLAIN_REMOTE:
        v->plain_remote = 1;
        return 0;
    case OPT_PORT_FILE:
        v->port_file = arg;
        return 0;
    case OPT_HOST:
        return opt_push(o, &v->hosts, arg);
    case OPT_RESOLVE:
        return opt_push(o, &v->how.resolve, arg);
    case OPT_VALIDATE_PORT:
        return opt_number(o, "--validate-port", arg, 1, 65535, &v->how.port);
    case OPT_VALIDATE_TLS_PORT:
        return opt_number(o, "--validate-tls-port", arg, 1, 65535,
                          &v->how.tls_port);
    case OPT_MOST:
        return opt_number(o, "--max-connections", arg, 1, 1000000, &v->most);
    case OPT_MOST_EACH:
        return opt_number(o, "--max-per-address", arg, 1, 1000000,
                          &v->most_each);
    case OPT_ACME_DAYS:
        return opt_number(o, "--days", arg, 1, 3650, &v->how.days);
    default:
        v->how.anywhere = 1;
        return 0;
    }
}

static const struct opt_spec spec = {
    .command = "ca serve",
    .usage = "[options] [ADDRESS]",
    .about =
        "Serves the CA by HTTP: /ca.pem and /ca.der, the CRL at /crl (made "
        "anew before it is due), OCSP at /ocsp, and a page that tells so at "
        "/. With --acme, ACME clients (certbot, dehydrated, lego) get "
        "certificates from https://HOST/acme/directory, on the same port. "
        "ADDRESS: host:port, [v6]:port or unix:PATH; :port is loopback only, "
        "*:port every address, port 0 a free one (default: " ADDRESS "). Ends "
        "on SIGINT and SIGTERM.",
    .after = "  tlsock ca serve\n"
             "  tlsock ca serve :8443 --acme\n"
             "  certbot certonly --standalone -d app.test \\\n"
             "    --server "
             "https://localhost:8443/acme/directory\n",
    .table = table,
    .take = take,
    .max_args = 1};

/* Plaintext stays on this machine unless that is asked for. */
static int check_plain(const struct serve *v)
{
    int local = v->plain_remote ? 1 : listening_is_local(v->listener);

    if (local < 0)
        return listening_unknown(&v->o.out, v->target);
    if (local)
        return 0;
    return err_usage(&v->o.out, "ca serve",
                     "listen on :PORT or unix:PATH, or add "
                     "--allow-plain-remote: what is served in plaintext is "
                     "public, and signed",
                     "\"%s\" lets other machines in without encryption",
                     v->target);
}

static int say_ready(struct serve *v)
{
    char name[512];
    int port, rc;

    rc = listening_where(&v->o.out, v->where, sizeof(v->where), v->target,
                         v->listener, &port);
    if (rc != 0)
        return rc;
    out_clean(name, sizeof(name), certfield(v->site.ca, TLSOCK_CERT_SUBJECT));
    if (v->o.out.json) {
        json_t *obj = json_object();

        json_object_set_new(obj, "schema", json_string("tlsock.ca-serve/1"));
        json_object_set_new(obj, "event", json_string("ready"));
        json_object_set_new(obj, "address", out_json_text(v->where));
        json_object_set_new(obj, "port", json_integer(port));
        json_object_set_new(obj, "ca", json_string(name));
        json_object_set_new(obj, "acme", json_boolean(v->acme != NULL));
        out_json_print(obj);
    } else if (!v->o.out.quiet) {
        printf("ready    %s%s  %s: /ca.pem /crl /ocsp\n",
               port != 0 ? "http://" : "", v->where, name);
        if (v->acme != NULL)
            printf("acme     https://localhost:%d/acme/directory; clients "
                   "trust %s/ca.pem\n",
                   port, v->site.dir);
        fflush(stdout);
    }
    return listening_tell_there(&v->o.out, v->port_file, &v->port_fd, port);
}

static void handle(void *arg, const struct http_request *r,
                   struct http_answer *a)
{
    struct serve *v = arg;

    if (ca_site_answer(&v->site, r, a) ||
        (v->acme != NULL && acme_answer(v->acme, r, a)))
        return;
    http_text(a, 404, "there is nothing here; / says what is");
}

static void on_request(void *arg, const struct http_request *r, int status,
                       size_t len)
{
    const struct serve *v = arg;
    char path[256];
    const char *method = r->head->post   ? "POST"
                         : r->head->head ? "HEAD"
                                         : "GET";

    if (!v->o.out.verbose)
        return;
    if (v->o.out.json) {
        json_t *obj = json_object();
        char now[32];

        out_now(now);
        json_object_set_new(obj, "schema", json_string("tlsock.ca-serve/1"));
        json_object_set_new(obj, "event", json_string("request"));
        json_object_set_new(obj, "time", json_string(now));
        json_object_set_new(obj, "peer", out_json_text(r->peer));
        json_object_set_new(obj, "method", json_string(method));
        json_object_set_new(obj, "path", out_json_text(r->head->path));
        json_object_set_new(obj, "status", json_integer(status));
        json_object_set_new(obj, "bytes", json_integer((json_int_t)len));
        out_json_print(obj);
        return;
    }
    printf("request  %s %s %d  %zu bytes, %s\n", method,
           out_clean(path, sizeof(path), r->head->path), status, len, r->peer);
    fflush(stdout);
}

static void on_trouble(void *arg, const tlsock_error *err)
{
    const struct serve *v = arg;

    err_report(&v->o.out, v->where, err, 0);
}

static void on_signal(int signo, void *arg)
{
    (void)signo;
    event_base_loopbreak(arg);
}

/* Our own certificate is made anew in time; new clients get it. 1: not now. */
static int renew(struct serve *v)
{
    tlsock_error err = {0};
    tlsock_cert *c = NULL;
    char path[LOCAL_PATH];
    int rc = acme_identity(&v->site, &v->hosts, 0, &c, path, &err);

    v->stale |= rc > 0;
    if (rc >= 0 && v->stale) {
        v->stale = tlsock_config_reload(v->config) < 0;
        if (v->stale) {
            err = *tlsock_config_error(v->config);
            rc = err.code;
        }
    }
    if (rc < 0 && rc != TLSOCK_AGAIN)
        err_report(&v->o.out, v->site.dir, &err, 1);
    tlsock_cert_unref(c);
    return rc == TLSOCK_AGAIN;
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
    struct serve *v = arg;
    struct timeval tv = {LOOK_S, 0};
    int busy = ca_site_crl(&v->site) == TLSOCK_AGAIN;

    (void)fd;
    (void)what;
    if (v->acme != NULL) {
        acme_look(v->acme);
        busy |= renew(v);
    }
    if (busy)
        tv.tv_sec = BUSY_S;
    (void)event_add(v->look, &tv); /* needs no memory: it was just there */
}

static int no_loop(const struct serve *v)
{
    return listening_no_loop(&v->o.out, v->target, errno != 0 ? errno : EIO);
}

static int loop(struct serve *v)
{
    static const int list[SIGNALS_MOST] = {SIGINT, SIGTERM};
    struct signals *signals = NULL;
    struct timeval tv = {LOOK_S, 0};
    int rc;

    errno = 0;
    v->look = evtimer_new(v->base, on_look, v);
    v->server = http_server_new(&(struct http_server_opts){
        .base = v->base,
        .listener = v->listener,
        .tls = v->acme != NULL,
        .patience_ms = v->o.timeout_ms != 0 ? v->o.timeout_ms : PATIENCE_MS,
        .most = (size_t)v->most,
        .most_each = (size_t)v->most_each,
        .handle = handle,
        .on_request = on_request,
        .on_trouble = on_trouble,
        .arg = v});
    if (v->server != NULL && v->look != NULL && event_add(v->look, &tv) == 0)
        signals = signals_new(v->base, list, on_signal, v->base);
    rc = signals != NULL ? say_ready(v) : no_loop(v);
    if (rc == 0 && event_base_dispatch(v->base) < 0)
        rc = no_loop(v);
    http_server_free(v->server);
    signals_free(signals);
    if (v->look != NULL)
        event_free(v->look);
    return rc;
}

/* With ACME: a file, so that it can be read again. */
static int acme_config(struct serve *v, tlsock_error *err)
{
    char path[LOCAL_PATH];

    if (acme_identity(&v->site, &v->hosts, 1, &v->identity, path, err) < 0)
        return err->code;
    v->how.identity = v->identity;
    if (tlsock_config_add_identity(v->config, path, NULL, NULL) == 0)
        return 0;
    *err = *tlsock_config_error(v->config);
    return err->code;
}

/* A listener proves its identity, also if it only ever speaks plaintext: then
 * it gets one that lives as long as the process. */
static int plain_config(struct serve *v, tlsock_error *err)
{
    const char *names[] = {"localhost"};

    v->identity =
        tlsock_cert_create(TLSOCK_CERT_OPTS(.sans = names, .n_sans = 1), err);
    if (v->identity != NULL &&
        tlsock_config_add_cert(v->config, v->identity) == 0)
        return 0;
    if (v->identity != NULL)
        *err = *tlsock_config_error(v->config);
    return err->code;
}

static int make_config(struct serve *v)
{
    tlsock_error err = {0};
    int rc;

    v->config = tlsock_config_new();
    if (v->config == NULL)
        return err_plain(&v->o.out, v->o.command, EXIT_INTERNAL, "nomem", "",
                         "out of memory");
    rc = v->with_acme ? acme_config(v, &err) : plain_config(v, &err);
    return rc < 0 ? err_report(&v->o.out, v->site.dir, &err, 1)
                  : evidence_watch(&v->o, v->config);
}

static int listen_on(struct serve *v)
{
    tlsock_error err = {0};
    int rc;

    v->listener = tlsock_listen(
        v->target, v->config, TLSOCK_OPTS(.nonblocking = 1, .plain = 1), &err);
    if (v->listener == NULL) {
        opt_listen_hint(v->target, &err);
        return err_report(&v->o.out, v->target, &err,
                          err.code != TLSOCK_E_SYSTEM);
    }
    rc = check_plain(v);
    if (rc != 0)
        return rc;
    errno = 0;
    v->base = event_base_new();
    if (v->base == NULL)
        return no_loop(v);
    if (v->with_acme) {
        v->how.base = v->base;
        v->how.out = &v->o.out;
        v->how.site = &v->site;
        v->acme = acme_new(&v->how, &rc);
        if (v->acme == NULL)
            return rc;
    }
    rc = confine_end(&v->confine);
    return rc == 0 ? loop(v) : rc;
}

/* All that it keeps is in the CA's directory, which belongs to --user. */
static int open_site(struct serve *v)
{
    int rc = confine_as_user(&v->confine, 1), back;

    if (rc == 0)
        rc = ca_site_open(&v->site);
    if (rc == 0)
        rc = make_config(v);
    back = confine_as_user(&v->confine, 0);
    return rc != 0 ? rc : back;
}

static int confine(struct serve *v)
{
    const char *pass = v->site.pass;
    int rc = confine_may_config(&v->confine, v->config);

    if (rc == 0)
        rc = confine_may(&v->confine, v->site.dir, TLSOCK_FILE_DIRECTORY);
    if (rc == 0 && pass != NULL && strncmp(pass, "file:", 5) == 0)
        rc = confine_may(&v->confine, pass + 5, TLSOCK_FILE_READ);
    if (rc == 0)
        rc = confine_may_listen(&v->confine, v->target);
    if (rc == 0)
        rc = listening_open(&v->o.out, v->port_file, &v->port_fd);
    return rc == 0 ? confine_begin(&v->confine) : rc;
}

static int run(struct serve *v)
{
    char dir[LOCAL_PATH];
    int rc;

    v->target = v->o.args.n > 0 ? v->o.args.v[0] : ADDRESS;
    if (!v->with_acme &&
        (v->hosts.n > 0 || v->how.resolve.n > 0 || v->how.port != 0 ||
         v->how.tls_port != 0 || v->how.days != 0 || v->how.anywhere))
        return err_usage(&v->o.out, "ca serve", "add --acme",
                         "--host, --days, --resolve and --validate-... are "
                         "for --acme");
    rc = ca_find_dir(dir, &v->o);
    if (rc == 0)
        rc = v->with_acme ? acme_check_opts(&v->how, &v->o) : 0;
    if (rc == 0)
        rc = confine_check(&v->confine, &v->o, 0);
    if (rc != 0)
        return rc;
    v->site.out = &v->o.out;
    v->site.dir = dir;
    v->site.pass = opt_pass(&v->o);
    v->site.acme = v->with_acme;
    rc = open_site(v);
    if (rc == 0)
        rc = confine(v);
    if (rc == 0)
        rc = listen_on(v);
    acme_free(v->acme);
    tlsock_listener_free(v->listener);
    tlsock_config_unref(v->config);
    tlsock_cert_unref(v->identity);
    if (v->base != NULL)
        event_base_free(v->base);
    return rc;
}

int cmd_ca_serve(int argc, const char **argv)
{
    struct serve v = {.site = {.pass_fd = -1}, .port_fd = -1};
    int rc = opt_parse(&v.o, &spec, &v, argc, argv);

    if (rc == -1)
        rc = run(&v);
    ca_site_close(&v.site);
    listening_close(&v.port_fd);
    confine_free(&v.confine);
    free(v.hosts.v);
    free(v.how.resolve.v);
    opt_free(&v.o);
    return rc;
}
