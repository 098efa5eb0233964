/* intercept - a man in the middle whom the client trusts: how to come in, whom
 * to decrypt, what to keep. The loops are engine/intercept.c. */
#include "commands.h"
#include "errors.h"
#include "evidence.h"
#include "intercept_cmd.h"
#include "intercept_web.h"
#include "listening.h"

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
        *rc = err_report(
            &v->o.out, "intercept",
            cert == NULL || c == NULL ? &err : tlsock_config_error(c), 1);
        tlsock_config_unref(c);
        c = NULL;
    }
    tlsock_cert_unref(cert);
    return c;
}

static int open_files(struct icept *v)
{
    int rc = 0;

    if (v->log_path != NULL) {
        v->log_fd =
            open(v->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (v->log_fd < 0)
            return err_plain(&v->o.out, "--log", EXIT_OWN, "own-file",
                             "--log FILE in a directory you may write to",
                             "%s: %s", v->log_path, strerror(errno));
    }
    if (v->har_path != NULL || v->html_path != NULL) {
        v->web = web_new(v, &rc);
        if (v->web == NULL)
            return rc;
    }
    if (v->bodies_dir == NULL)
        return 0;
    v->bodies = bodies_new(&v->o.out, v->bodies_dir);
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
        .mode = v->to != NULL    ? INTERCEPT_TO
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
        o.taps[0] = (struct intercept_tap){.open = bodies_open,
                                           .data = bodies_data,
                                           .close = bodies_close,
                                           .arg = v->bodies};
    if (v->web != NULL)
        o.taps[1] = (struct intercept_tap){.open = web_open,
                                           .turn = web_turn,
                                           .data = web_data,
                                           .close = web_close,
                                           .arg = v->web};
    v->listener = l;
    raise_limit();
    rc = confine_end(&v->confine);
    if (rc == 0)
        rc = confine_check_trust(&v->confine, up, v->ca);
    if (rc != 0)
        return rc;
    rc = intercept_run(&o);
    return rc >= 0 ? rc : listening_no_loop(&v->o.out, v->target, -rc);
}

static int confine(struct icept *v, const tlsock_config *up,
                   const tlsock_config *down)
{
    int rc = confine_may_config(&v->confine, up);

    if (rc == 0)
        rc = confine_may_config(&v->confine, down);
    if (rc == 0)
        rc = confine_may(&v->confine, v->mint_dir, TLSOCK_FILE_DIRECTORY);
    if (rc == 0)
        rc = confine_may(&v->confine, v->bodies_dir, TLSOCK_FILE_DIRECTORY);
    if (rc == 0)
        rc = confine_may_replace(&v->confine, v->html_path);
    if (rc == 0)
        rc = confine_may_listen(&v->confine, v->target);
    if (rc == 0)
        rc = listening_open(&v->o.out, v->port_file, &v->port_fd);
    return rc == 0 ? confine_begin(&v->confine) : rc;
}

static int run(struct icept *v)
{
    tlsock_config *up = NULL, *down = NULL;
    tlsock_listener *l = NULL;
    tlsock_error err = {0};
    int rc = icept_check_line(v);

    if (rc == 0)
        rc = confine_check(&v->confine, &v->o, v->exec);
    if (rc == 0)
        rc = icept_ca_open(v);
    if (rc == 0)
        rc = open_files(v);
    if (rc == 0)
        up = opt_make_config(&v->o, &rc);
    if (rc == 0)
        down = make_down(v, &rc);
    if (rc == 0)
        rc = evidence_watch(&v->o, up);
    if (rc == 0)
        rc = evidence_watch(&v->o, down);
    if (rc == 0)
        web_watch(v->web, up, down);
    if (rc == 0)
        rc = confine(v, up, down);
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
                      .port_fd = -1,
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
        rc = opt_parse(&v.o, &icept_spec, &v, argc, argv);
    if (rc == -1)
        rc = run(&v);
    tlsock_intercept_free(v.mint);
    tlsock_cert_unref(v.ca);
    bodies_free(v.bodies);
    web_free(v.web);
    if (v.log_fd >= 0)
        close(v.log_fd);
    listening_close(&v.port_fd);
    rules_free(v.rules);
    confine_free(&v.confine);
    opt_free(&v.o);
    return rc;
}
