/* save - writes certificates and keys as files, whole or not at all. */
#ifndef TSK_CERT_SAVE_H
#define TSK_CERT_SAVE_H

#include "cert/cert.h"

int tsk_cert_save(const tlsock_cert *c, unsigned parts, unsigned format,
                  const char *path, const char *pass_uri, tlsock_error *err);
/* Written beside path and renamed over it: on failure path is as it was and
 * nothing is left behind. mode as given, whatever the umask. E_OWN_FILE. */
int tsk_file_replace(const char *path, const void *data, size_t len, int mode,
                     tlsock_error *err);

#endif
