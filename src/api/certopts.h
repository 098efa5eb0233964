/* certopts - what callers of other versions hand over as tlsock_cert_opts. */
#ifndef TSK_API_CERTOPTS_H
#define TSK_API_CERTOPTS_H

#include <tlsock/cert.h>

/* A shorter struct is filled up, a longer one must not use what is unknown. */
int tsk_cert_opts_take(tlsock_cert_opts *to, const tlsock_cert_opts *from,
                       tlsock_error *err);

#endif
