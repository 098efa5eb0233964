/**
 * @file trace.h
 * A message of TLS as a line for people.
 */
#ifndef TLSOCK_TRACE_H
#define TLSOCK_TRACE_H

#include <tlsock/hook.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Longest line of tlsock_trace_line(), with its end. */
#define TLSOCK_TRACE_LINE 2048

/**
 * What an event of TLSOCK_ON_MESSAGE, or one of TLSOCK_ON_DIALOGUE that has
 * data, is, in one line without its end: the peer's
 * address, an arrow, the version, the message's name, its length in bytes, and
 * the facts that matter:
 * "192.0.2.1:443 > TLSv1.3 ClientHello 512 sni=a.test versions=1.3,1.2 ...".
 * Of a dialogue it is what was said:
 * "192.0.2.1:25 < plaintext 20 \"220 mx.test ESMTP\"".
 * ">" is sent, "<" received. Text of the network's is escaped; what is no
 * message of TLS, or a malformed one, is said to be so. No secret is in it. The
 * same as the environment's TLSOCK_TRACE writes: see tlsock_trace(7). Any
 * thread.
 * @param e     the event; its conn may be NULL
 * @param out   the text, always ended; cut to fit
 * @param size  bytes of it; TLSOCK_TRACE_LINE is enough
 * @retval >=0                  bytes of the line, without its end
 * @retval TLSOCK_E_ARGUMENT    no such event, or no room at all
 */
TLSOCK_API int tlsock_trace_line(const tlsock_event *e, char *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
