/* config - what connections need of a tlsock_config. */
#ifndef TSK_API_CONFIG_H
#define TSK_API_CONFIG_H

#include "tls/ctx.h"

#include <tlsock/config.h>

/* Freezes the config (NULL: the process's default one) and gives its snapshot,
 * one reference, yours; built at the first call, shared by all later ones.
 * server: refuses a config without identity (E_OWN_FILE, with hint). */
int tsk_config_snapshot(tlsock_config *config, int server, struct tsk_ctx **out,
                        tlsock_error *err);

#endif
