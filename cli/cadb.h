/* cadb - the directory of a CA: certificate and key, what it issued, what it
 * revoked, its CRL. One index, a text file for people, written aside and
 * renamed; a lock keeps two processes apart; killed at any moment, what is
 * there is valid. Knows nothing of command lines. */
#ifndef CLI_CADB_H
#define CLI_CADB_H

#include <stddef.h>
#include <stdint.h>
#include <tlsock/cert.h>

struct cadb;

struct cadb_entry {
    int revoked;              /* 1: revoked */
    const char *serial;       /* hex, lower case */
    int64_t issued, expires;  /* Unix seconds */
    int64_t revoked_at;       /* Unix seconds, 0 */
    int reason;               /* RFC 5280, 5.3.1 */
    const char *subject;      /* RFC 4514 */
    const char *sans;         /* "DNS:a, IP:192.0.2.1" */
    const char *file;         /* the copy that is kept of it, or "" */
};

/* Opens; with write, waits for the lock and keeps it until cadb_close().
 * A directory with ca.pem and ca.key and no index is an empty CA. pass: of the
 * key, or NULL. 0 or a code. */
int cadb_open(struct cadb **db, const char *dir, const char *pass_uri,
              int write, tlsock_error *err);
void cadb_close(struct cadb *db);
const tlsock_cert *cadb_ca(const struct cadb *db);
const char *cadb_dir(const struct cadb *db);
size_t cadb_count(const struct cadb *db);
const struct cadb_entry *cadb_at(const struct cadb *db, size_t i);
const struct cadb_entry *cadb_find(const struct cadb *db, const char *serial);
/* Makes a certificate signed by this CA (o->issuer is filled in), records it
 * and keeps a copy, on disk, before it is handed out. NULL: failure. */
tlsock_cert *cadb_issue(struct cadb *db, const tlsock_cert_opts *o,
                        tlsock_error *err);
/* 0; also if it is revoked already, whose time and reason stay. */
int cadb_revoke(struct cadb *db, const char *serial, int reason,
                tlsock_error *err);
/* Makes crl.pem and crl.der with the next number; due in days. */
int cadb_crl(struct cadb *db, int days, tlsock_error *err);

#endif
