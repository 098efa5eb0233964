/* redis - one value in a Redis server: where it is, as a URL says, and the
 * dialogue that gets it, over a tsk_talk (RESP2; https://redis.io/docs's
 * "Redis serialization protocol"). Logs in, chooses the database, asks for the
 * key, and puts a value there if there is none: of several that do so at once,
 * one wins, and all are told which.
 *
 * Knows no sockets and no TLS, and not what the value is for. */
#ifndef TSK_NET_REDIS_H
#define TSK_NET_REDIS_H

#include "core/talk.h"

#define TSK_REDIS_URL 4096    /* most bytes of a URL */
#define TSK_REDIS_VALUE 16384 /* most bytes of a value */

struct tsk_redis_where { /* secret: it may hold a password */
    int tls, db;
    char host[256], service[64]; /* without brackets */
    char user[256], password[1024];
    char pass[512]; /* where the password is: "file:PATH", or "" */
    char key[256];
    char ca[512], cert[512]; /* of rediss://: files, or "" */
};

/* redis://[[USER]:PASSWORD@]HOST[:PORT]/[DB]?key=NAME, and &pass=file:PATH or
 * env:NAME in place of PASSWORD; rediss:// with &ca=FILE|DIR|system and
 * &cert=FILE as well. %XX in all but host, port and database. E_ARGUMENT with
 * a hint; nothing of the URL is in the message. */
int tsk_redis_where(struct tsk_redis_where *w, const char *url,
                    tlsock_error *err);

struct tsk_redis;

/* w is borrowed; offer, copied: what to put there if there is nothing. NULL: no
 * memory. */
struct tsk_redis *tsk_redis_new(const struct tsk_redis_where *w,
                                const char *offer);
/* OK, AGAIN or code, see core/talk.h: E_PROTOCOL: what it said. */
int tsk_redis_step(struct tsk_redis *r, struct tsk_talk *t, tlsock_error *err);
/* What is there, once it is OK. */
const char *tsk_redis_value(const struct tsk_redis *r, size_t *len);
void tsk_redis_free(struct tsk_redis *r);

#endif
