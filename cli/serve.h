/* serve - what "tlsock serve" was asked for, and what it says while it serves.
 * cmd_serve.c reads the line and starts the engine; serve_say.c talks. */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

#include "confine.h"
#include "listen.h"
#include "opt.h"

struct serve {
    struct opts o;
    const char *reply_path, *files, *client_auth, *port_file, *target;
    const char *misbehave, *pki;
    int echo, exec, plain_too, plain_remote, show_client, allow;
    int root;    /* the directory of --files, or -1 */
    int port_fd; /* of --port-file, or -1 */
    struct confine confine;
    long count;
    char *const *argv; /* what follows -- */
    char *reply;
    size_t reply_len;
    tlsock_config *config; /* the listener's; borrowed */
    int had_terminal;
    const tlsock_listener *listener;
    char where[300], identity[400];
    int exit_code; /* of the first connection that failed */
};

/* 0, or an exit code after having said what does not go together. */
int serve_check(const struct serve *v);
/* The engine's callbacks; arg is a struct serve. */
int serve_ready(void *arg);
void serve_open(void *arg, const tlsock *s, unsigned long id);
void serve_request(void *arg, unsigned long id, const char *path, int status,
                   int64_t length);
void serve_end(void *arg, const tlsock *s, unsigned long id,
               const struct engine_end *end);
int serve_has_terminal(void);
int serve_hangup(void *arg); /* reloads; 1: its terminal is gone */
void serve_trouble(void *arg, const tlsock_error *err);

#endif
