/* testpki - a zoo of certificates, good and bad, made from one table.
 *
 * testpki_table.c says what there is and what a verifier must say of it,
 * testpki_make.c makes certificates, testpki_hand.c those that the library
 * refuses to make, testpki_form.c writes the good one in every format,
 * testpki_index.c tells what is in the directory. Knows nothing of how
 * certificates are verified: the tests hold the table to its word. */
#ifndef CLI_TESTPKI_H
#define CLI_TESTPKI_H

#include "local.h"
#include "out.h"

#include <openssl/x509.h>
#include <stdint.h>
#include <tlsock/cert.h>

#define ZOO_PASSWORD "secret"
#define ZOO_PASSWORD_FILE "password.txt"
#define ZOO_MOST 80    /* rows */
#define ZOO_LONGEST 64 /* no name of a file is that long */

/* How a row comes about: by the library, by hand, out of others. */
enum zoo_how {
    ZOO_LIBRARY,
    ZOO_HAND,
    ZOO_FILE, /* of other rows' certificates, and the key of one of them */
};

/* What is wrong with one that is made by hand. */
enum zoo_fault {
    ZOO_NONE,
    ZOO_NO_SAN,
    ZOO_BAD_SIGNATURE,
    ZOO_UNKNOWN_CRITICAL
};

/* In texts %D is the domain. */
struct zoo_row {
    const char *name; /* NAME.pem, NAME.key */
    enum zoo_how how;
    enum zoo_fault fault;
    const char *issuer; /* the row that signs it; NULL: itself */
    const char *cn;     /* NULL: the first of names */
    const char *names;  /* "DNS:a,IP:192.0.2.1" */
    const char *key;    /* kind; "=NAME": the key of that row; NULL: EC */
    const char *chain;  /* rows whose certificates are in the file, by blanks;
                           NULL: itself and those above, no root */
    int ca, pathlen;
    const char *permitted; /* CA: names that it may sign */
    const char *purpose;   /* as tlsock_cert_opts has it; NULL: default */
    const char *digest;    /* NULL: sha256 */
    const char *ext;       /* one more extension */
    int from, to;          /* days from now; both 0: default */
    /* What there is to verify, and what must come of it. */
    const char *use;     /* "server", "client", "any"; NULL: nothing */
    const char *host;    /* the name that is asked for, or NULL */
    const char *trust;   /* row of the root that is trusted */
    const char *crl;     /* file with the issuer's CRL, or NULL */
    const char *verdict; /* "good", or the code of an error */
    int x509;            /* OpenSSL's X509_V_ERR_*; -1: it has none for this */
    const char *what;
};

extern const struct zoo_row zoo_rows[];
extern const size_t zoo_n_rows;

/* The files of the good certificate in other formats. */
struct zoo_form {
    const char *file, *key, *pass; /* NULL: in file; none */
    const char *format, *verdict, *what;
};
extern const struct zoo_form zoo_forms[];
extern const size_t zoo_n_forms;

struct zoo_made {
    tlsock_cert *c; /* with its key; NULL: ZOO_FILE */
    X509 *x;
    EVP_PKEY *key;
};

struct zoo {
    const struct out *out; /* borrowed */
    const char *dir, *domain;
    long days;
    int64_t now; /* Unix seconds */
    size_t files;
    struct zoo_made made[ZOO_MOST]; /* as zoo_rows */
};

/* Each gives 0, or an exit code after having said why. */
int zoo_make(struct zoo *z);           /* certificates and keys */
int zoo_hand(struct zoo *z, size_t i); /* its key is there */
int zoo_form(struct zoo *z);  /* the good one in other formats, and CRLs */
int zoo_index(struct zoo *z); /* README.txt and index.json */

/* Its place in zoo_rows; the table's tests know that it is there. */
size_t zoo_find(const char *name, size_t len);
/* "NAME.pem" and so on, below the directory. */
void zoo_path(const struct zoo *z, char path[LOCAL_PATH], const char *file);
/* Writes a file that is not there, or replaces it; mode as given. */
int zoo_write(struct zoo *z, const char *file, const void *data, size_t len,
              int mode);
/* The same from a BIO, which is freed; NULL: no memory. */
int zoo_write_bio(struct zoo *z, const char *file, BIO *bio, int mode);
/* "%D" becomes the domain. Cut to fit; returns out. */
char *zoo_text(const struct zoo *z, char *out, size_t size, const char *text);
/* Something that cannot fail did: OpenSSL's text is shown. */
int zoo_failed(const struct zoo *z, const char *name);

#endif
