/* binding - a digest of every setting that changes what a session of a client
 * means: whom it trusts, what it asks of a peer, who it is itself, and which
 * protocol parameters it takes. A session is worth nothing under another one.
 *
 * What does not change that is left out: timeouts, buffers, where sessions and
 * answers about revocation are kept, what concerns servers alone. Hooks count
 * as there or not there: a store that processes share has to be shared by those
 * whose hooks are of one mind. */
#ifndef TSK_TLS_BINDING_H
#define TSK_TLS_BINDING_H

#include "tls/settings.h"
#include "verify/trust.h"

/* trust: opened by the settings' URIs; or NULL, where none can be opened and a
 * key stands in for it. 1, 0: no memory. */
int tsk_binding(const struct tsk_settings *set, struct tsk_trust *trust,
                uint8_t out[32]);

#endif
