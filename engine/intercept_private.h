/* intercept_private - one connection that goes through us, as the files
 * intercept_*.c share it.
 *
 * conn.c lives its phases, tls.c asks and answers the client's hello, relay.c
 * moves bytes, hook.c lets a program change them. */
#ifndef ENGINE_INTERCEPT_PRIVATE_H
#define ENGINE_INTERCEPT_PRIVATE_H

#include "chan.h"
#include "intercept.h"
#include "intercept_entry.h"
#include "intercept_frames.h"
#include "intercept_pins.h"
#include "intercept_watch.h"
#include "intercept_wire.h"
#include "program.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>

#define CLIENT 1 /* from the client to the server */
#define SERVER 0 /* from the server to the client */

/* What all loops share. */
struct intercept {
    const struct intercept_opts *o;
    struct intercept_pins *pins;
    tlsock_config *down; /* with our hook */
    struct upconf *ups;  /* configs for upstream, by what clients offer */
    pthread_mutex_t ups_lock;
    pthread_mutex_t gate; /* held until ready is said */
    atomic_ulong accepted, live;
};

struct loop {
    struct intercept *all;
    struct event_base *base;
    tlsock_listener *listener;
    struct event *accepting, *again, *stop;
    int stop_pipe[2];
    struct conn *first;
    pthread_t thread;
    int started;
};

enum { PH_ENTRY, PH_FIRST, PH_HELLO, PH_UP, PH_DOWN, PH_DIAL, PH_RELAY };

struct side {
    struct event *ev;
    int fd;
    short flags;
};

struct hook {
    struct program program;
    struct frames frames;
    struct chan in, out; /* of the program */
};

struct conn {
    struct conn *next, *prev;
    struct loop *loop;
    const struct intercept_opts *o;
    unsigned long id;
    int fd;                               /* the client's */
    struct sockaddr_storage peer, wanted; /* the client; transparent: to whom */
    char client[64], client_ip[48];
    char host[256], target[264]; /* "[::1]", "[::1]:443" */
    int port;
    int phase;
    int late;            /* the clock has struck */
    int deaf;            /* nothing would wake it any more */
    int again;           /* it only brings the next round */
    int relays;          /* descriptors are those of the relay by now */
    int64_t deadline_ms; /* of the hello; by the monotonic clock */
    struct side cl, up_side;
    struct event *clock;
    struct entry entry;
    struct wire wire;
    tlsock *down, *up;
    int up_is_plain, dialled;
    struct tlsock_op *op; /* the client's hello waits for an answer */
    int has_op, answered, refused;
    char sni[256], alpn[256], ja4[64];
    int oldest, newest;           /* TLS versions the client offers */
    struct chan *from[2], *to[2]; /* the same, but for what a program changes */
    int over_said[2], cut[2];
    int client_spoke, server_spoke, turning;
    int64_t opened_ms; /* decrypted since */
    int mute;          /* nobody has said anything since */
    int trusted;       /* the client has */
    const char *left;  /* it went at once, and how; or NULL */
    struct watch *watch;
    char starttls[8];
    char pass_why[300];
    time_t pass_until;
    int passing;
    struct hook *hook;
    uint64_t bytes[2];
    int opened;
    void *taps[INTERCEPT_TAPS];
};

/* conn.c: an accepted client; fd and its place in live are taken over in all
 * outcomes. */
void conn_new(struct loop *l, int fd);
void conn_end(struct conn *c);
void conn_go_on(evutil_socket_t fd, short what, void *arg);
/* Tell what happens; format NULL: nothing more to say. */
void conn_tell(struct conn *c, int kind, const tlsock_error *err,
               const char *reason);
void conn_event(struct conn *c, struct intercept_event *e);
int64_t conn_now_ms(void);
/* 1: somebody moved, 0: wait, -1: it is over, and has been told. */
int conn_fail(struct conn *c, int kind, const tlsock_error *err,
              const char *reason);
/* host: as long as that of an entry at most */
void conn_set_target(struct conn *c, const char *host, int port);

/* peer.c */
void peer_name(struct conn *c);
int peer_wanted(struct conn *c); /* -1: nobody led it here */

/* refusal.c: who does not take our certificate */
int refusal_told(struct conn *c, const tlsock_error *err); /* 1: it is one */
void refusal_opened(struct conn *c);          /* what if it refuses now? */
void refusal_heard(struct conn *c, int from); /* bytes of one of them */
void refusal_gone(struct conn *c, ssize_t n); /* the client: what read gave */
void refusal_end(struct conn *c);             /* tells of it */

/* tls.c */
int tls_on_hello(const tlsock_event *e, void *arg);
int tls_begin(struct conn *c);      /* a ClientHello comes: PH_HELLO */
int tls_step_hello(struct conn *c); /* until it is known */
int tls_step_up(struct conn *c);    /* the server's side */
int tls_step_down(struct conn *c);  /* the client's side */
/* Rules: 0 go on, -1 denied and told. early: before any hello. */
int tls_may(struct conn *c, int early);
const char *tls_name(const struct conn *c); /* of the server's certificate */
tlsock_config *upconf_get(struct intercept *all, const struct conn *c,
                          tlsock_error *err);
void upconf_free(struct intercept *all);

/* dial.c; config NULL: the one that offers nothing of a client's */
int dial_start(struct conn *c, tlsock_config *config, int plain);
int dial_step(struct conn *c); /* PH_DIAL: up is PLAIN */

/* relay.c */
/* Both ways are there: told as kind, and bytes may flow. */
int relay_begin(struct conn *c, int kind, const char *reason, time_t until);
int relay_step(struct conn *c);
void relay_rearm(struct conn *c, int busy);
void conn_watch(struct conn *c, struct side *s, int fd, short want);
void conn_clock(struct conn *c, int64_t ms); /* -1: none */

/* hook.c */
int hook_start(struct conn *c); /* 0 or errno */
int hook_step(struct conn *c);
void hook_rearm(struct conn *c);
void hook_free(struct conn *c);

#endif
