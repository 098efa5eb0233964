/* keep - where the sessions of a config's clients are: in memory that its
 * snapshots share as long as their sessions mean the same, or, if the config
 * says so, in a file or a store of the caller's that other processes have, too.
 * There they are under a key that has the digest of the settings in it.
 *
 * What cannot be kept or read is no failure: a full handshake follows. */
#ifndef TSK_TLS_KEEP_H
#define TSK_TLS_KEEP_H

#include "tls/conn.h"

/* c->keep, of the settings: 0, or E_OWN_FILE, E_NOMEM */
int tsk_keep_open(struct tsk_ctx *c, tlsock_error *err);
void tsk_keep_close(struct tsk_ctx *c);
/* What was won under from is good under to as well, if it means the same. to is
 * nobody's yet. */
void tsk_keep_inherit(struct tsk_ctx *to, struct tsk_ctx *from);
/* The digest of the settings, made when first asked for. 1, 0 no memory. */
int tsk_keep_binding(struct tsk_ctx *c, uint8_t out[TSK_SESSION_KEY]);
/* item is borrowed; its binding is filled in if anybody needs it. s: whom a
 * note about it is about, or NULL. NULL: it is kept; else why not. */
const char *tsk_keep_put(struct tsk_ctx *c, struct tsk_session_item *item,
                         tlsock *s);
/* 1: item->ses is yours; 0. Of TLS 1.3 it is nobody else's then. */
int tsk_keep_take(struct tsk_ctx *c, const uint8_t key[TSK_SESSION_KEY],
                  const uint8_t peer[TSK_SESSION_KEY],
                  struct tsk_session_item *item, tlsock *s);
extern const char tsk_keep_lost[]; /* one of the reasons above */
/* ses NULL: all of this key. */
void tsk_keep_forget(struct tsk_ctx *c, const uint8_t key[TSK_SESSION_KEY],
                     const SSL_SESSION *ses);

#endif
