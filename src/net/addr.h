/* addr - numeric addresses and host names in their wire form.
 * Knows no sockets and asks no resolver. */
#ifndef TSK_NET_ADDR_H
#define TSK_NET_ADDR_H

#include "core/err.h"

#include <stdint.h>

/* 4 or 6 if text is a strict numeric address (no brackets, no zone, no octal
 * or short forms), with its 4 or 16 bytes in out; else 0. */
int tsk_ip_parse(const char *text, uint8_t out[16]);
/* The other way round; out: 46 bytes. What inet_ntop() does by sprintf(). */
void tsk_ip_text(char *out, int version, const uint8_t *ip);
/* Host name as typed (UTF-8, one trailing dot, any case) -> lower-case
 * A-labels without the dot (IDNA 2008 non-transitional with UTS 46 mapping).
 * Empty, leading dot, empty labels, labels over 63, over 253 in all, non-LDH
 * bytes (underscore is allowed), all-numeric last label: E_ARGUMENT that names
 * the fault. A numeric address passes unchanged in canonical form. */
int tsk_host_normalise(char out[256], const char *host, tlsock_error *err);

#endif
