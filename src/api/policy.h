/* policy - the policies of this process: which are in force, and what they
 * make of a config.
 *
 * /etc/tlsock/policy.conf and the file that TLSOCK_POLICY names are read once,
 * before the first config is used; tlsock_policy_load() adds others. What is
 * in force stays so and only gets more. If one of the first two is there and
 * wrong, no connection is made at all. Files are read without a lock. */
#ifndef TSK_API_POLICY_H
#define TSK_API_POLICY_H

#include "api/config_box.h"

/* Reads the first two if that was not done yet. 0; E_POLICY: one is wrong;
 * E_NOMEM: the next call tries again. */
int tsk_policy_ready(tlsock_error *err);
/* Grows whenever a policy was added: what was built before is out of date. */
unsigned tsk_policy_generation(void);
/* 1: clients and servers get different rules. */
int tsk_policy_sided(void);
/* box itself, or a copy of it that is as strict as all policies; one reference,
 * yours. NULL: E_POLICY, E_NOMEM. */
struct tsk_box *tsk_policy_apply(struct tsk_box *box, int server,
                                 tlsock_error *err);

/* For tests alone: where to look, who is asked whether the process has rights
 * that its caller lacks; and all is forgotten, while no config is in use. */
extern const char *tsk_policy_system_file;
extern int (*tsk_policy_privileged)(void);
void tsk_policy_forget(void);

/* policy_hook.c: asks the hooks about a connection on the snapshot *ctx, which
 * is replaced by a stricter one if they wish. 0 or a code; target may be NULL.
 */
int tsk_policy_ask(tlsock_config *config, int server, const char *target,
                   struct tsk_ctx **ctx, tlsock_error *err);
/* tlsock_config_set() on the config that a hook was handed. */
int tsk_policy_set(tlsock_config *c, const char *key, const char *value);
void tsk_policy_forget_hooks(void);

#endif
