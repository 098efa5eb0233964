/* hostset - settings of one host alone: "ciphers@shop.example" and its kin. Each
 * stands instead of what all others have, and policies tighten it as well. */
#ifndef TSK_API_HOSTSET_H
#define TSK_API_HOSTSET_H

#include "api/policy_rules.h"

/* key has an "@". As tsk_option_set(). */
int tsk_hostset_option(struct tsk_settings *set, const char *key,
                       const char *value, tlsock_error *err);
int tsk_hostset_copy(struct tsk_settings *to, const struct tsk_settings *from);
void tsk_hostset_free(struct tsk_settings *set);
/* As tsk_rule_apply(), for what hosts have of their own. */
int tsk_hostset_apply(const struct tsk_rule *rule, struct tsk_settings *set,
                      const char *note, tlsock_error *err);
/* config.c's identity.c: A-labels of a host or "*.host" */
int tsk_settings_host_name(char out[256], const char *host, tlsock_error *err);

#endif
