/* config_box - what a config is inside: settings in a counted box, so that a
 * snapshot keeps those it was made from. Boxes that a snapshot knows of are
 * never written again. Knows no files. */
#ifndef TSK_API_CONFIG_BOX_H
#define TSK_API_CONFIG_BOX_H

#include "tls/ctx.h"

#include <pthread.h>
#include <stdatomic.h>
#include <tlsock/config.h>

struct tsk_box {
    atomic_int refs;
    struct tsk_settings set;
};

struct tlsock_config {
    atomic_int refs;
    pthread_mutex_t lock; /* over all that follows */
    struct tsk_box *box;
    struct tsk_ctx *snapshot; /* NULL: not frozen yet */
    int serves;               /* identities were proven for a server */
    tlsock_error err;
};

struct tsk_box *tsk_box_new(tlsock_error *err); /* with the defaults */
struct tsk_box *tsk_box_copy(const struct tsk_box *from, tlsock_error *err);
struct tsk_box *tsk_box_ref(struct tsk_box *box);
void tsk_box_unref(void *box); /* void: tsk_ctx_new() takes it */
/* A ctx over the box, which gets one more reference; NULL on failure. */
struct tsk_ctx *tsk_box_build(struct tsk_box *box, tlsock_error *err);
/* E_OWN_FILE without any identity, or the code of the first unfit one. */
int tsk_box_prove(const struct tsk_box *box, int server, tlsock_error *err);

/* Lock and clear the error; c->box is to be changed. E_FROZEN: it is in use,
 * and not locked. */
int tsk_config_begin(tlsock_config *c);
int tsk_config_end(tlsock_config *c, int rc); /* unlock, gives rc back */

/* config_set.c: what the setters do, on settings. All or nothing. */
int tsk_settings_trust(struct tsk_settings *set, const char *uri,
                       tlsock_error *err);
/* To the system's store, where nothing was named before; "+URI" is the same. */
int tsk_settings_trust_more(struct tsk_settings *set, const char *uri,
                            tlsock_error *err);
int tsk_settings_identity(struct tsk_settings *set, const char *host,
                          const char *cert_uri, const char *key_uri,
                          const char *pass_uri, tlsock_error *err);
int tsk_settings_pin(struct tsk_settings *set, const char *pin,
                     tlsock_error *err);
int tsk_settings_crl(struct tsk_settings *set, const char *uri,
                     tlsock_error *err);
/* What to call the file of a URI in messages; out is used for it. */
const char *tsk_settings_file_name(const char *uri, char *out, size_t size);

#endif
