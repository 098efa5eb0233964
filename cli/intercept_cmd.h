/* intercept_cmd - what "tlsock intercept" was asked for, and what it says while
 * it runs. intercept_opt.c reads the line, cmd_intercept.c starts the engine,
 * intercept_ca.c has the CA, intercept_say.c talks, intercept_bodies.c keeps
 * what went through. */
#ifndef CLI_INTERCEPT_H
#define CLI_INTERCEPT_H

#include "confine.h"
#include "intercept.h"
#include "local.h"
#include "opt.h"

#include <tlsock/cert.h>
#include <tlsock/intercept.h>

struct bodies;
struct web;

struct icept {
    struct opts o;
    const char *target, *to, *port_file, *log_path, *ca_cert, *ca_key, *ca_pass,
        *bodies_dir, *har_path, *html_path;
    int transparent, exec, force;
    long sni_port, threads, most;
    int hello_ms;
    int64_t pass_s;
    char *const *argv; /* what follows -- */
    struct intercept_rules *rules;
    tlsock_cert *ca;
    tlsock_intercept *mint;
    char ca_where[LOCAL_PATH], fingerprint[80];
    int ca_new;
    char mint_dir[LOCAL_PATH]; /* "": in memory alone */
    int log_fd, port_fd;       /* or -1 */
    struct confine confine;
    struct bodies *bodies;
    struct web *web;
    const tlsock_listener *listener;
    char where[300];
};

/* What the line may have; who reads it is a struct icept. */
extern const struct opt_spec icept_spec;
/* What does not go together: 0, or an exit code after having said why. */
int icept_check_line(const struct icept *v);

/* The CA that signs for every name: --ca-cert, or this user's own, made if
 * there is none. 0, or an exit code after having said why. */
int icept_ca_open(struct icept *v);
/* A certificate by it for what a server has shown; arg is a struct icept. */
tlsock_cert *icept_leaf(void *arg, const tlsock_cert *seen, tlsock_error *err);
/* The engine's callbacks; arg is a struct icept. */
int icept_ready(void *arg);
void icept_event(void *arg, const struct intercept_event *e);
void icept_trouble(void *arg, const tlsock_error *err);

/* A directory for what each side has sent. NULL: errno. */
struct bodies *bodies_new(const struct out *o, const char *dir);
void bodies_free(struct bodies *b);
void *bodies_open(void *arg, const struct intercept_event *e);
void bodies_data(void *key, int from_client, const void *bytes, size_t len);
void bodies_close(void *key);

#endif
