/* hook_name - the user's own rule of names: TLSOCK_ON_NAME as what policy.c
 * asks instead of the built-in rules. With a connection or without one. */
#ifndef TSK_TLS_HOOK_NAME_H
#define TSK_TLS_HOOK_NAME_H

#include "tls/settings.h"

struct tsk_hook_name {
    const struct tsk_hook *on;
    tlsock *conn; /* NULL: there is none */
};

/* If the settings have such a hook, req asks it; h lives as long as req. */
void tsk_hook_name_set(struct tsk_hook_name *h, const struct tsk_settings *set,
                       tlsock *conn, struct tsk_verify_req *req);

#endif
