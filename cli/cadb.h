/* cadb - the directory of a CA: certificate and key, what it issued, what it
 * revoked, its CRL.
 *
 *   ca.pem ca.key       the CA; ca.pem comes last, it makes the directory a CA
 *   index               a text file for people, see cadb_index.c
 *   certs/SERIAL.pem    a copy of each certificate
 *   crl.der crl.pem     the last CRL, the same bytes twice
 *   lock                held by the one process that may write
 *
 * Each file is written aside and renamed. A certificate's copy comes before
 * its line, its line before it is handed out: after a kill, a copy without a
 * line gets one when the directory is next opened to write. The number of a
 * CRL is in the index before the CRL is made, so that none comes twice.
 * Knows nothing of command lines. */
#ifndef CLI_CADB_H
#define CLI_CADB_H

#include <stddef.h>
#include <stdint.h>
#include <tlsock/cert.h>

#define CADB_CRL_DAYS 7 /* unless told otherwise */

struct cadb;
enum cadb_open { CADB_READ, CADB_WRITE, CADB_TRY };

struct cadb_entry {
    int revoked;             /* 1: revoked */
    const char *serial;      /* hex, lower case */
    int64_t issued, expires; /* Unix seconds */
    int64_t revoked_at;      /* Unix seconds, 0 */
    int reason;              /* RFC 5280, 5.3.1 */
    const char *subject;     /* RFC 4514 */
    const char *sans;        /* "DNS:a, IP:192.0.2.1", or "" */
    const char *file;        /* the path of the copy that is kept of it */
};

struct cadb_crl_state {
    uint64_t number;   /* the last one used; 0: none */
    int64_t made, due; /* of the last CRL that was completed; 0: none */
    int outdated;      /* 1: something was revoked since, or it was not done */
    int days;          /* until the next one is due */
};

/* Where clients find things: goes into every certificate issued. "" : no. */
enum { CADB_URL_CRL, CADB_URL_OCSP, CADB_URL_AIA, CADB_URLS };

/* CADB_READ shows what is there at this moment, also from a read-only file
 * system. CADB_WRITE waits for the lock (a minute at most: E_TIMEOUT) and keeps
 * it until cadb_close(), and loads the key too. CADB_TRY does the same, but
 * does not wait: TLSOCK_AGAIN, somebody has the lock. A directory with ca.pem
 * and ca.key and no index is an empty CA. pass_uri: of the key, or NULL. 0 or a
 * code. One thread at a time may use it. */
int cadb_open(struct cadb **db, const char *dir, const char *pass_uri,
              enum cadb_open how, tlsock_error *err);
void cadb_close(struct cadb *db); /* NULL is a no-op */

/* Borrowed; with its key only if opened to write. */
const tlsock_cert *cadb_ca(const struct cadb *db);
const char *cadb_dir(const struct cadb *db);
const char *cadb_url(const struct cadb *db, int which);
const struct cadb_crl_state *cadb_crl_state(const struct cadb *db);

/* Entries are in the order of issue and stay where they are until
 * cadb_close(). */
size_t cadb_count(const struct cadb *db);
const struct cadb_entry *cadb_at(const struct cadb *db, size_t i);
/* Upper case, colons and leading zeros are understood. NULL: not there. */
const struct cadb_entry *cadb_find(const struct cadb *db, const char *serial);

/* Makes a certificate signed by this CA (o->issuer is filled in, and the URLs
 * of the CA unless o has others), records it and keeps a copy, on disk, before
 * it is handed out. NULL: failure, and nothing was recorded. */
tlsock_cert *cadb_issue(struct cadb *db, const tlsock_cert_opts *o,
                        tlsock_error *err);
/* Is this certificate signed by that CA, which ca_file holds, whether or not it
 * has ended since? 0, or a code with why not. */
int cadb_signed_by(const tlsock_cert *ca, const char *ca_file,
                   const tlsock_cert *c, tlsock_error *err);
/* The same for the CA of this directory. */
int cadb_signed(const struct cadb *db, const tlsock_cert *c, tlsock_error *err);
/* Records one that this CA signed, but not into this index: from before there
 * was one, or with the key elsewhere. 0, also if it is there already. */
int cadb_adopt(struct cadb *db, const tlsock_cert *c, tlsock_error *err);
/* 0; also if it is revoked already, whose time and reason stay. The CRL is
 * outdated then, until cadb_crl(). */
int cadb_revoke(struct cadb *db, const char *serial, int reason,
                tlsock_error *err);
/* Makes crl.pem and crl.der with the next number; due in days, 0: as before.
 * Revoked certificates leave it once a CRL made after their end had them. */
int cadb_crl(struct cadb *db, int days, tlsock_error *err);

/* The last CRL, with a 0 behind it, yours to free(): 0 or a code. */
int cadb_crl_read(const struct cadb *db, int pem, char **data, size_t *len,
                  tlsock_error *err);
/* Where the last CRL is: "crl.der", "crl.pem" in the directory. */
const char *cadb_crl_path(const struct cadb *db, int pem);

/* How to make a CA of one's own. */
struct cadb_init {
    const char *dir;
    const tlsock_cert_opts *how; /* .ca is set; .issuer: see parent */
    struct cadb *parent;         /* records it, opened to write; NULL: none */
    const char *pass_uri;        /* encrypts ca.key, or NULL */
    const char *url[CADB_URLS];  /* NULL: none */
    int crl_days;                /* 0: CADB_CRL_DAYS */
};
/* Makes the directory and the CA in it. E_STATE: there is one already. NULL:
 * failure; what an interrupted call left is replaced by the next. */
tlsock_cert *cadb_create(const struct cadb_init *in, tlsock_error *err);

/* "keyCompromise" ...; NULL: no such reason. */
const char *cadb_reason_name(int reason);
/* Case does not matter; -1: no such word. */
int cadb_reason_of(const char *word);
/* Unix seconds as RFC 3339, UTC. */
void cadb_time_text(int64_t when, char text[32]);
/* TLSOCK_CERT_NOT_BEFORE or _NOT_AFTER in Unix seconds; 0: it is none. */
int64_t cadb_time_of(const tlsock_cert *c, int item);

#endif
