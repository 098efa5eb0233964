/* files - which files and directories settings name, and what becomes of them.
 * Opens nothing. */
#ifndef TSK_API_FILES_H
#define TSK_API_FILES_H

#include "tls/ctx.h"

#include <tlsock/config.h>

/* Those that a reload reads: certificates, keys, trust, lists, pre-shared keys.
 * The system's trust store is not among them. What call gives ends it, if it is
 * not 0. */
int tsk_files_reloaded(const struct tsk_settings *set, tlsock_file_hook *call,
                       void *arg);
int tsk_files_trust_is_system(const struct tsk_settings *set);

#endif
