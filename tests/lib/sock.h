/* sock - real sockets for tests: pairs, loopback listeners on a port of the
 * system's choice, and a thread that plays the other side by a script. */
#ifndef TEST_SOCK_H
#define TEST_SOCK_H

#include "raw.h"

#include <pthread.h>

void sock_pair(int fds[2]);      /* UNIX stream sockets */
void sock_tcp_pair(int fds[2]);  /* connected over 127.0.0.1 */
int sock_listen(int *port);      /* 127.0.0.1, listening */
int sock_count(void);            /* descriptors this process has open */
void sock_reset(int fd);         /* close it with a RST */
/* Blocking, all of it; -1 if the other side is gone. */
int sock_send(int fd, const void *bytes, size_t len);

/* What the other side does with one connection; the fd is closed after it. */
typedef void sock_script(int fd, void *arg);

struct sock_server {
    pthread_t thread;
    int listener, port, connections;
    char target[32]; /* "127.0.0.1:PORT" */
    sock_script *script;
    void *arg;
};
/* Serves that many connections, one after the other, then ends. */
void sock_serve(struct sock_server *s, int connections, sock_script *script,
                void *arg);
void sock_join(struct sock_server *s);

/* One thread running a script on one end of a pair. */
struct sock_thread {
    pthread_t thread;
    int fd;
    sock_script *script;
    void *arg;
};
void sock_run(struct sock_thread *t, int fd, sock_script *script, void *arg);
void sock_wait(struct sock_thread *t);

/* Scripts. */
void sock_banner(int fd, void *text);    /* plaintext first, then wait */
void sock_mute(int fd, void *unused);    /* reads, says nothing, until end */
void sock_hello_close(int fd, void *unused); /* FIN after the ClientHello */
void sock_hello_reset(int fd, void *unused); /* RST after the ClientHello */
void sock_drip(int fd, void *bytes);     /* one byte of a text per read */
/* raw OpenSSL server: handshake, echo until close_notify or end. */
void sock_raw_echo(int fd, void *raw_opts);
/* raw OpenSSL server: handshake, "hello", then the socket just closes. */
void sock_raw_vanish(int fd, void *raw_opts);
/* tlsock server with a config: handshake, echo until the end, close. */
void sock_echo(int fd, void *config);

#endif
