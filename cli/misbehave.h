/* misbehave - the server that tests of clients need: each row of a table does
 * one thing that no server should do, and is right in everything else.
 *
 * misbehave_table.c says what there is, and what tlsock makes of it;
 * misbehave_tls.c has OpenSSL's half, with the certificates of a directory that
 * testpki made; misbehave_wire.c what is done to the bytes; misbehave.c
 * accepts. The library is not asked: it would refuse most of this. */
#ifndef CLI_MISBEHAVE_H
#define CLI_MISBEHAVE_H

#include "out.h"

#include <openssl/ssl.h>
#include <stdint.h>
#include <tlsock.h>

#define MIS_MOST 64 /* rows */

/* What is done to the bytes. Those before MIS_TLS speak none themselves. */
enum mis_wire {
    MIS_CLOSE,    /* close at once */
    MIS_RESET,    /* the same, by RST */
    MIS_SILENT,   /* read, and never answer */
    MIS_BYTES,    /* the row's bytes in place of TLS */
    MIS_ALERT,    /* a fatal alert, as asked for */
    MIS_TLS,      /* as OpenSSL has it */
    MIS_CUT,      /* the row's number of bytes, then close */
    MIS_DRIP,     /* a byte at a time, for ever so long */
    MIS_TRUNCATE, /* after the data the end, without close_notify */
    /* from here on records are looked at */
    MIS_SIGNATURE, /* one bit of the signature of the key exchange is wrong */
    MIS_UNSTAPLE,  /* the bytes of the staple are taken out of its message */
    MIS_MAC,       /* one bit of the first encrypted record */
    /* and from here on opened, see misbehave_seal.h */
    MIS_FINISHED, /* one bit of the Finished */
    MIS_PROOF,    /* one bit of the signature of a CertificateVerify */
    MIS_TICKET    /* what is in a NewSessionTicket is garbage */
};

enum mis_staple {
    MIS_NO_STAPLE,
    MIS_STAPLE_GOOD,
    MIS_STAPLE_REVOKED,
    MIS_STAPLE_UNKNOWN, /* its responder does not know the certificate */
    MIS_STAPLE_OLD,     /* its time is over */
    MIS_STAPLE_OTHER,   /* of another certificate */
    MIS_STAPLE_FUTURE,  /* its time has not begun */
    MIS_STAPLE_FORGED,  /* one bit of its signature is wrong */
    MIS_STAPLE_SIGNER,  /* signed by who may not */
    MIS_STAPLE_LATER,   /* an answer that is none: try later */
    MIS_STAPLE_GARBAGE
};

struct mis_row {
    const char *name;
    const char *cert; /* NAME.pem of the directory; NULL: good */
    const char *key;  /* NAME.key; NULL: that of cert */
    enum mis_wire wire;
    enum mis_staple staple;
    int min, max;        /* versions; 0: TLS 1.2 and 1.3 */
    const char *ciphers; /* of TLS 1.2; NULL: OpenSSL's */
    int forgets;         /* the tickets that it gives */
    int ask;             /* a certificate of the client: SSL_VERIFY_* */
    size_t number;       /* MIS_CUT: bytes; certificates to add to the chain */
    const char *bytes;   /* MIS_BYTES */
    size_t len;
    const char *code; /* what tlsock connect says; "good": nothing */
    const char *what;
};

extern const struct mis_row mis_rows[];
extern const size_t mis_n_rows;

struct misbehave {
    const struct out *out;
    const char *target, *what, *pki, *port_file;
    long count; /* 0: until a signal comes */
};

/* Exit codes. */
int misbehave_list(const struct out *o);
int misbehave_run(const struct misbehave *m);

/* The row of a name, or NULL. */
const struct mis_row *mis_find(const char *name, size_t len);

/* A row made ready: its certificates are read. NULL: *why has the reason. */
struct mis_tls;
struct mis_tls *mis_tls_new(const struct mis_row *row, const char *pki,
                            char why[256]);
SSL *mis_tls_ssl(struct mis_tls *t); /* NULL: out of memory */
void mis_tls_free(struct mis_tls *t);

/* A client that takes us for a proxy, and asks for a tunnel by HTTP CONNECT, is
 * told that it has one. -1: it asked for something else, or is gone. */
int mis_tunnel(int fd);

/* One client, until it or we have gone. fd stays open. ssl: NULL where the row
 * needs none. alert: of MIS_ALERT. */
void mis_wire(const struct mis_row *row, SSL *ssl, int fd, int alert);

#endif
