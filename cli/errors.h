/* errors - one way to say what went wrong, and the exit code that goes with
 * it. Knows tlsock_error and the exit codes; decides nothing else. */
#ifndef CLI_ERRORS_H
#define CLI_ERRORS_H

#include "out.h"

#include <tlsock.h>

#define EXIT_GOOD 0
#define EXIT_USAGE 2
#define EXIT_NETWORK 3
#define EXIT_TLS 4
#define EXIT_PEER 5
#define EXIT_OWN 6
#define EXIT_TIMEOUT 7
#define EXIT_POLICY 8
#define EXIT_INTERNAL 70
#define EXIT_SIGNAL 128

/* The exit code of an error. own: it came from our own certificate, key or
 * settings, before any peer was there. */
int err_exit_code(const tlsock_error *err, int own);
/* Print "tlsock: TARGET: slug", cause and fix (or JSON); gives the exit code,
 * which is never 0: an error without a code is out of memory. */
int err_report(const struct out *o, const char *target, const tlsock_error *err,
               int own);
/* The same for a wrong command line: gives EXIT_USAGE. fix may be NULL: then
 * it is "tlsock COMMAND --help". */
int err_usage(const struct out *o, const char *command, const char *fix,
              const char *format, ...) TLSOCK_PRINTF(4, 5);
/* The same for a failure of the tool's own: slug, cause and fix given. */
int err_plain(const struct out *o, const char *target, int exit_code,
              const char *slug, const char *fix, const char *format, ...)
    TLSOCK_PRINTF(6, 7);
/* Why did this call on a connection, or the waiting for it, give rc < 0? What
 * was not the connection's own failure it knows nothing of. */
tlsock_error err_of_call(const tlsock *s, int rc);
/* Has any of them said anything yet? */
int err_said(void);
/* The object that --json prints for an error. */
json_t *err_json(const struct out *o, const char *target,
                 const tlsock_error *err, int exit_code);

#endif
