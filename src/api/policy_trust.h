/* policy_trust - the store that a policy forces, as one text: "system",
 * "none", absolute paths, several of them separated by commas. */
#ifndef TSK_API_POLICY_TRUST_H
#define TSK_API_POLICY_TRUST_H

#include "core/err.h"
#include "tls/settings.h"

/* 0; E_OPTION: not such a text; or why a file of it cannot be used. */
int tsk_policy_trust_check(const char *text, tlsock_error *err);
/* 1: the settings trust just that, in that order. 0: not; E_NOMEM. */
int tsk_policy_trust_is(const struct tsk_settings *set, const char *text);
/* In place of what the settings trust: 0 or E_NOMEM. */
int tsk_policy_trust_put(struct tsk_settings *set, const char *text,
                         tlsock_error *err);

#endif
