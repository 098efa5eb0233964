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

/* What a policy's hook made of a snapshot: see policy_hook.c. */
struct tsk_variant {
    char *changes; /* "key=value\n" for each */
    struct tsk_ctx *ctx;
};
#define TSK_VARIANTS 16

/* A snapshot, of the box or of a stricter copy of it. */
struct tsk_use {
    struct tsk_ctx *ctx; /* NULL: not used yet */
    unsigned generation; /* of the policies it obeys */
    struct tsk_variant variants[TSK_VARIANTS];
    size_t n_variants; /* ever made: the oldest ones give way */
};

/* The config that a policy's hook is handed; NULL in all others. */
struct tsk_asked {
    char *changes; /* so far, or NULL */
    size_t len;
    tlsock_error refused; /* code 0: nothing that is forbidden was met */
};

#define TSK_NOTE 400

struct tlsock_config {
    atomic_int refs;
    pthread_mutex_t lock; /* over all that follows */
    struct tsk_box *box;
    struct tsk_use use[2]; /* as a client, as a server */
    int64_t made_at;       /* wall clock: its files were read since */
    int serves;            /* identities were proven for a server */
    struct tsk_asked *asked;
    unsigned reads, newest; /* reloads begun; the one that is in use */
    struct tsk_watch *watch;  /* api/watch.c's, or NULL */
    atomic_uint watched;      /* fork generation that looks at the files */
    atomic_int due;           /* the next caller is to reload */
    atomic_int noted;         /* note is to be told */
    char note[TSK_NOTE];
    tlsock_error err;
};

/* reload.c: what tlsock_config_reload() does, on a thread of the library's own:
 * no hook is called, the error is not kept, what is to be logged waits. */
int tsk_config_reload_quietly(tlsock_config *c, tlsock_error *err);

/* A line for its LOG hook, which may be any text; c is not locked. */
void tsk_config_log(tlsock_config *c, const tlsock_error *about,
                    const char *what, const char *text);
/* A config over the box, whose reference it takes; NULL: no memory, or box is
 * NULL. */
tlsock_config *tsk_config_wrap(struct tsk_box *box);
tlsock_config *tsk_config_or_default(tlsock_config *c); /* NULL: no memory */
/* Locked. A use built anew as policies have it, or the other side's shared. */
int tsk_use_build(struct tsk_use *use, const struct tsk_use *other,
                  struct tsk_box *box, int server, tlsock_error *err);
void tsk_use_drop(struct tsk_use *use); /* nothing is left of it */

struct tsk_box *tsk_box_new(tlsock_error *err); /* with the defaults */
struct tsk_box *tsk_box_copy(const struct tsk_box *from, tlsock_error *err);
/* A copy that is to be another config's: 0, or E_NOMEM. */
int tsk_box_part(struct tsk_box *box);
struct tsk_box *tsk_box_ref(struct tsk_box *box);
void tsk_box_unref(void *box); /* void: tsk_ctx_new() takes it */
/* A ctx over the box, which gets one more reference; NULL on failure. */
struct tsk_ctx *tsk_box_build(struct tsk_box *box, tlsock_error *err);
/* E_OWN_FILE without any identity, or the code of the first unfit one. */
int tsk_box_prove(const struct tsk_box *box, int server, tlsock_error *err);

/* The box that a snapshot was made of; borrowed. */
struct tsk_box *tsk_box_of(const struct tsk_ctx *ctx);

/* config_file.c: all of a file, at most TSK_INI_FILE bytes; yours. */
int tsk_config_file_read(const char *path, char **text, size_t *len,
                         tlsock_error *err);

/* Lock and clear the error; c->box is to be changed. E_FROZEN: it is in use,
 * and not locked. */
int tsk_config_begin(tlsock_config *c);
int tsk_config_end(tlsock_config *c, int rc); /* unlock, gives rc back */

/* Changes a copy of the settings, all or nothing, with nothing locked, since
 * change() may call a hook. What others set meanwhile is lost. */
int tsk_config_change(tlsock_config *c,
                      int (*change)(struct tsk_settings *set, void *arg,
                                    tlsock_error *err),
                      void *arg);

/* config_set.c: what the setters do, on settings. All or nothing. */
int tsk_settings_trust(struct tsk_settings *set, const char *uri,
                       tlsock_error *err);
/* To the system's store, where nothing was named before; "+URI" is the same. */
int tsk_settings_trust_more(struct tsk_settings *set, const char *uri,
                            tlsock_error *err);
int tsk_settings_identity(struct tsk_settings *set, const char *host,
                          const char *cert_uri, const char *key_uri,
                          const char *pass_uri, tlsock_error *err);
/* identity.c: what its files hold now; like: one read before, or NULL */
int tsk_identity_reread(struct tsk_identity *id, const struct tsk_settings *set,
                        const struct tsk_lazy *like, tlsock_error *err);
/* Those behind these wait to be decoded until a client asks for them. */
extern size_t tsk_identities_at_once; /* 100; tests change it */
int tsk_settings_pin(struct tsk_settings *set, const char *pin,
                     tlsock_error *err);
int tsk_settings_crl(struct tsk_settings *set, const char *uri,
                     tlsock_error *err);
/* TSK_PROVE_*: with a SIGN hook keys may be elsewhere. */
int tsk_settings_prove(const struct tsk_settings *set, int server);
/* psk.c */
int tsk_settings_psk_uri(struct tsk_settings *set, const char *identity,
                         const char *uri, tlsock_error *err);
/* 0 or E_NOMEM, to is to be wiped in either case. */
int tsk_psk_copy(struct tsk_psk *to, const char *identity, const void *key,
                 size_t len);
void tsk_psk_wipe(struct tsk_psk *psk);
int tsk_psk_reread(struct tsk_psk *psk, tlsock_error *err);
/* What to call the file of a URI in messages; out is used for it. */
const char *tsk_settings_file_name(const char *uri, char *out, size_t size);

#endif
