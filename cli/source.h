/* source - where certificates come from: a file, standard input, PEM text on
 * the line, or a server. Told apart by what is named, then by content.
 *
 * Verifies nothing. All that goes wrong is said in here. */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include "opt.h"

#include <tlsock/cert.h>

/* The private key that lies beside the certificate. */
#define SOURCE_KEY_NONE 0
#define SOURCE_KEY_FITS 1
#define SOURCE_KEY_LOCKED 2 /* encrypted, and no password was named */
#define SOURCE_KEY_WRONG 3  /* it belongs to another certificate */

struct source {
    const char *target; /* as typed */
    const char *pass;   /* --pass, or NULL */
    int kind;           /* TLSOCK_KIND_*; of a server: TLSOCK_KIND_CERT */
    int server;         /* 1: it came from a server */
    int key_state;      /* SOURCE_KEY_* */
    tlsock_cert *cert;  /* leaf and chain, or NULL: kind has none */
    char *uri;          /* for tlsock_csr_load() and the like: a file or PEM */
    char *data;         /* content of a file */
    size_t len;
    int fd; /* what uri names, or -1 */
};

/* --pass and --name, for the tables of commands that take a source. */
extern struct poptOption opt_source[];

/* 0, or the exit code. FILE, "file:FILE", "-", PEM text bare or after "pem:",
 * HOST, HOST:PORT, a URL, unix:PATH. A file without a certificate has cert
 * NULL and the kind of what is there (a request, a CRL, a key); with nothing
 * that is known it is an error. source_close() in every case. */
int source_open(struct opts *o, const char *target, struct source *s);
void source_close(struct source *s);
/* Certificate and chain alone: anything else is an error. Yours; NULL: the
 * exit code is in *exit_code. */
tlsock_cert *source_load(struct opts *o, const char *target, int *exit_code);
/* Does this name a server, and no file? */
int source_is_server(const char *target);
/* The host of a server's "scheme://user@host:port/path", "[v6]:port",
 * "host:port"; 0: it has none. */
int source_host(const char *target, char host[256]);
/* What it is, for people: "a signing request". */
const char *source_kind_name(int kind);

#endif
