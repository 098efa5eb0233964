/* ticketsecret - the secrets that tickets' keys follow from: one a line, the
 * first one issues, all of them open. Where they are named, how they are
 * written, and whether they are worth anything.
 *
 * What is read is never kept, only what HKDF extracts from it; no secret, and
 * no source that may hold a password, is in any message. Knows no network:
 * what redis:// names is looked at elsewhere. */
#ifndef TSK_SESSION_TICKETSECRET_H
#define TSK_SESSION_TICKETSECRET_H

#include "core/err.h"
#include "session/ticketkey.h"

#include <sys/stat.h>

#define TSK_SECRETS_MOST 8     /* in one source */
#define TSK_SECRET_MIN 32      /* characters of one */
#define TSK_SECRET_MAX 1024    /* the same */
#define TSK_SECRETS_TEXT 16384 /* bytes of a whole source */

struct tsk_secrets {
    size_t n; /* 0: none are known */
    uint8_t prk[TSK_SECRETS_MOST][TSK_TICKET_PRK];
};

enum tsk_secret_kind {
    TSK_SECRET_FILE,  /* file:PATH */
    TSK_SECRET_ENV,   /* env:NAME */
    TSK_SECRET_REDIS, /* redis://, rediss:// */
    TSK_SECRET_BAD    /* none of these */
};

enum tsk_secret_kind tsk_secret_kind(const char *source);
/* Lines; empty ones and those that begin with # are skipped. from: what to call
 * the source. 0; E_OWN_FILE with a hint: none, too many, too short, too long,
 * of too few characters; E_NOMEM. */
int tsk_secrets_parse(struct tsk_secrets *out, const char *text, size_t len,
                      const char *from, tlsock_error *err);
/* Of file: or env:. A file is a regular one that only its owner may change and
 * nobody else than owner and group may read. st: what it was then, or NULL. */
int tsk_secrets_read(struct tsk_secrets *out, const char *source,
                     struct stat *st, tlsock_error *err);
/* One that nobody knows: 0, or E_SYSTEM. */
int tsk_secrets_random(struct tsk_secrets *out, tlsock_error *err);

#endif
