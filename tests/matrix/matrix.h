/* matrix - bad servers, one row each, and the one verdict that a client must
 * come to about each of them, however it is driven.
 *
 * A row tells what the server shows, what it says, what happens to its bytes
 * on the way and what the client wants; the runner (matrix.c) serves it on a
 * loopback socket for each TLS version and each way to drive a client. Knows
 * nothing of the library's inside: only its public calls. */
#ifndef TEST_MATRIX_H
#define TEST_MATRIX_H

#include "httpd.h"
#include "sock.h"

#include <tlsock/openssl.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

enum mx_key {
    MX_KEY_OF_ROLE,
    MX_KEY_ROOT,
    MX_KEY_INTER,
    MX_KEY_LEAF,
    MX_KEY_OTHER,
    MX_KEY_RSA,
    MX_KEY_RSA1024,
    MX_KEY_P192,
    MX_KEYS
};

/* One certificate. NULL is what suits its role, "-" is none. */
struct mx_spec {
    const char *cn, *san, *bc, *ku, *eku;
    const char *more, *again; /* "NAME=VALUE": extensions more */
    const char *md;           /* of its signature; NULL: SHA-256 */
    const char *from, *to;    /* "20300101000000Z" */
    enum mx_key key;
    int v1;   /* X.509 version 1: no extensions */
    int flip; /* one bit of its signature */
};

/* What is sent with the leaf, if not the intermediate alone. */
enum mx_sent {
    MX_INTER,
    MX_NOTHING,
    MX_MIXED,     /* root, then the intermediate */
    MX_STRANGERS, /* three of another PKI, then the intermediate */
    MX_TWIN,      /* another CA of the intermediate's name, with its own key */
    MX_TWINS,     /* that one, then the right one */
    MX_SELF       /* nothing: the leaf signs itself */
};

enum mx_trust {
    MX_TRUST_ROOT,
    MX_TRUST_INTER,
    MX_TRUST_LEAF,
    MX_TRUST_OTHER /* a root that has nothing to do with it */
};

/* What a list or a responder says of the leaf. */
enum mx_word {
    MX_NO_WORD, /* there is no such source */
    MX_GOOD,
    MX_REVOKED,
    MX_UNKNOWN,
    MX_OLD,     /* good, until 10 days ago */
    MX_FUTURE,  /* good, from tomorrow on */
    MX_FORGED,  /* by a stranger with the issuer's name */
    MX_FLIPPED, /* one bit of its signature */
    MX_OTHER,   /* about another certificate, or by another CA */
    MX_TRY_LATER,
    MX_NONCE,    /* good, with a nonce of somebody else's request */
    MX_DELEGATE, /* good, by a responder that the issuer appointed */
    MX_NO_EKU,   /* good, by one that is not for OCSP */
    MX_STRANGER, /* good, by another CA's responder */
    MX_GARBAGE
};

/* What a source is like, beside what it says. */
struct mx_source {
    enum mx_word says;
    enum httpd_how how;
    int status;         /* of HTTP; 0: 200 */
    const char *fields; /* of the response's head */
};

/* What happens to the server's bytes on their way to the client. */
enum mx_bend_how {
    MX_STRAIGHT,
    MX_FLIP,   /* a bit of byte "at" of the record */
    MX_CUT,    /* "at" bytes of it, then the end */
    MX_RESET,  /* the same with a RST */
    MX_STALL,  /* the same, and then nothing */
    MX_DRIP,   /* from it on one byte each 50 ms */
    MX_INSERT, /* "bytes" in front of it */
    MX_HIDE_13 /* of the ClientHello: supported_versions is taken out */
};

struct mx_bend {
    enum mx_bend_how how;
    int nth; /* record, from 1 */
    int at;  /* < 0: from the record's end */
    const void *bytes;
    size_t len;
};

/* A server that is no libssl: it waits for the ClientHello, says this, ends. */
enum mx_end { MX_FIN, MX_RST, MX_HOLD };
struct mx_said {
    const void *bytes;
    size_t len;
    int times; /* < 0: without end */
    enum mx_end end;
    int at_once;  /* it does not wait for the ClientHello */
    int pause_ms; /* between two times */
};

/* A ServerHello made by hand, in front of what "said" tells. */
struct mx_hello {
    int version, cipher, compression;
    const void *ext; /* extensions */
    size_t n_ext;
    int sid;       /* 0: none, 1: the client's, 2: another */
    int retry;     /* the random of a HelloRetryRequest */
    int downgrade; /* the random of who had to go down to TLS 1.2 */
};

struct mx_row;
struct mx_world {
    const struct mx_row *row;
    int tls13;
    X509 *root, *inter, *leaf, *other_root, *twin, *strangers[3];
    EVP_PKEY *key; /* of the leaf; borrowed unless own_key */
    int own_key;
    struct httpd web;
    unsigned char *staple, *list, *root_list, *answer;
    size_t staple_len, list_len, root_list_len, answer_len;
};

typedef void mx_tune(SSL_CTX *ctx);
typedef void mx_serve(int fd, struct mx_world *w);
typedef void mx_after(SSL *ssl, int fd); /* the handshake is done */

#define MX_12 1
#define MX_13 2

struct mx_row {
    const char *group, *name;
    /* what comes of it: TLSOCK_OK or a code, what the message tells, where */
    int want;
    const char *tells;
    int phase;
    /* what the server shows */
    struct mx_spec leaf, inter, root;
    enum mx_sent sent;
    int wrong_key; /* it has the certificate, not the key */
    struct mx_source crl, ocsp;
    struct mx_source root_crl; /* about the intermediate; none: good */
    struct mx_source staple;
    /* what it does */
    int versions; /* MX_12 | MX_13; 0: both, one after the other */
    const char *ciphers; /* of TLS 1.2, instead of the library's */
    mx_tune *tune;
    mx_after *after;
    struct mx_bend bend;
    mx_serve *serve; /* in place of libssl */
    const struct mx_hello *hello;
    struct mx_said said;
    const char *const *talk; /* STARTTLS: says, waits, says, ... */
    /* what the client wants */
    enum mx_trust trust;
    const char *host; /* NULL: a.test */
    const char *set;  /* "KEY=VALUE;KEY=VALUE" */
    const char *scheme, *starttls;
    const char *pin; /* "leaf" or a pin */
    int timeout_ms;  /* 0: 5000 */
    int reads;       /* it reads to the end, not just one answer */
};

/* make.c */
void mx_keys(void);
void mx_keys_free(void);
EVP_PKEY *mx_key(enum mx_key which);
/* Who has the certificate of one key, and the private part of another. */
EVP_PKEY *mx_false_key(enum mx_key shown, enum mx_key had);
enum mx_role { MX_ROLE_ROOT, MX_ROLE_INTER, MX_ROLE_LEAF };
X509 *mx_make(const struct mx_spec *spec, enum mx_role role, X509 *issuer,
              enum mx_key issuer_key);
char *mx_pem(X509 *crt); /* yours: free() */

/* says.c: DER, yours: OPENSSL_free() */
unsigned char *mx_list(const struct mx_world *w, int of_root, enum mx_word says,
                       size_t *len);
unsigned char *mx_response(const struct mx_world *w, enum mx_word says,
                           size_t *len);

/* world.c */
void mx_world_start(struct mx_world *w, const struct mx_row *row, int tls13);
void mx_world_stop(struct mx_world *w);

/* server.c */
void mx_serve_tls(int fd, struct mx_world *w);

/* way.c: the descriptor, with what happens on the way */
BIO *mx_way(int fd, const struct mx_bend *bend);

/* wire.c: scripts */
void mx_say(int fd, struct mx_world *w);
void mx_talk(int fd, struct mx_world *w);

/* the tables */
extern const struct mx_row mx_rows_cert[], mx_rows_ca[], mx_rows_revoke[],
    mx_rows_tls[], mx_rows_wire[], mx_rows_starttls[];
extern const size_t mx_n_cert, mx_n_ca, mx_n_revoke, mx_n_tls, mx_n_wire,
    mx_n_starttls;

#define MX_BYTES(text) text, sizeof(text) - 1

#endif
