/* ca_site - what a CA shows by HTTP: its certificate, its CRL, answers to OCSP
 * requests, and a page that says so.
 *
 * Follows the index of the CA's directory as others change it, and makes the
 * CRL anew before it is due. Knows nothing of connections. */
#ifndef CLI_CA_SITE_H
#define CLI_CA_SITE_H

#include "cadb.h"
#include "http_server.h"
#include "out.h"

#include <sys/stat.h>

struct ca_site {
    const struct out *out;
    const char *dir, *pass; /* of the CA; pass: URI or NULL */
    int pass_fd;            /* pass is in here, to be read again; or -1 */
    tlsock_cert *ca;        /* with its key */
    struct cadb *db;    /* the index as it was read last; NULL: unreadable */
    struct stat index;  /* and what the file was like */
    unsigned char *der; /* the CA's certificate */
    size_t der_len;
    char *pem;      /* and its chain */
    int acme;       /* the page tells of it */
    int complained; /* about the same trouble: once */
};

/* Reads the CA and makes a CRL if one is due. 0 or an exit code. */
int ca_site_open(struct ca_site *s);
void ca_site_close(struct ca_site *s);
/* The password's URI for another look at the key. */
const char *ca_site_pass(struct ca_site *s);
/* The index as it is now; NULL: it cannot be read, which was said. */
struct cadb *ca_site_index(struct ca_site *s);
/* Make a CRL if one is due soon; 0 or a code, which was said; TLSOCK_AGAIN: not
 * now, somebody else is at work in the directory. */
int ca_site_crl(struct ca_site *s);
/* Clients never wait for longer than they are told: "later" if they may be
 * asked again, else 503 with the text, and when to come back. */
void ca_site_busy(const struct http_request *r, struct http_answer *a,
                  const char *text);
#define CA_SITE_BUSY_S 10
/* Said once until it is over: requests come often. */
void ca_site_complain(struct ca_site *s, const tlsock_error *err);
/* 1: the path was one of ours, *a is filled in. */
int ca_site_answer(struct ca_site *s, const struct http_request *r,
                   struct http_answer *a);

#endif
