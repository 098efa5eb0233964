/* hosts - which identities are for the name that a client asks for: a table
 * made once, when a config becomes a snapshot, and never changed. Finding costs
 * the same with one host and with ten thousand, allocates and locks nothing.
 *
 * A name is that of tlsock_config_add_identity_for(), or each dNSName of the
 * certificate. "*.a.test" stands for one label, and gives way to a name that is
 * there in full. Knows no connection and no key. */
#ifndef TSK_TLS_HOSTS_H
#define TSK_TLS_HOSTS_H

#include "tls/settings.h"

struct tsk_hosts;

/* 0 with *out, or E_NOMEM. The settings are not needed afterwards. */
int tsk_hosts_new(const struct tsk_settings *set, struct tsk_hosts **out,
                  tlsock_error *err);
/* The places are those of the settings' host_sets. */
int tsk_hosts_of_sets(const struct tsk_settings *set, struct tsk_hosts **out,
                      tlsock_error *err);
void tsk_hosts_free(struct tsk_hosts *h);

/* A list of places in the settings' identities, in the order in which they were
 * added: tsk_hosts_next() until it gives 0. */
struct tsk_hosts_at {
    const struct tsk_hosts *of;
    uint32_t link; /* 0: nothing is left */
};
struct tsk_hosts_at tsk_hosts_exact(const struct tsk_hosts *h,
                                    const char *name);
struct tsk_hosts_at tsk_hosts_wild(const struct tsk_hosts *h, const char *name);
/* For names that nobody has, and clients that ask for none: the host "", or
 * the first identity and those of its first name. */
struct tsk_hosts_at tsk_hosts_default(const struct tsk_hosts *h);
size_t tsk_hosts_count(struct tsk_hosts_at at);
int tsk_hosts_next(struct tsk_hosts_at *at, size_t *identity);

#endif
