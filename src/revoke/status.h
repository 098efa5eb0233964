/* status - what is known about the revocation of one certificate. */
#ifndef TSK_REVOKE_STATUS_H
#define TSK_REVOKE_STATUS_H

#include <stdint.h>

enum tsk_state { TSK_UNKNOWN, TSK_GOOD, TSK_REVOKED };
enum tsk_by { TSK_BY_NOBODY, TSK_BY_CRL, TSK_BY_OCSP, TSK_BY_STAPLE };

struct tsk_status {
    enum tsk_state state;
    enum tsk_by by;
    int64_t as_of; /* thisUpdate of what says so, Unix seconds */
    int64_t until; /* when somebody has to be asked anew */
    int64_t when;  /* revoked: since */
    int reason;    /* revoked: RFC 5280, 5.3.1; -1: none given */
};

/* For info: "good by staple, as of 2026-01-31T12:00:00Z"; "revoked by CRL, as
 * of ..."; "not known". No allocation. */
void tsk_status_text(const struct tsk_status *st, char out[128]);

#endif
