/* clock - preloaded into the tool, within a shim: its clocks are wrong by what
 * the file TLSOCK_CLOCK says at that moment. 8 bytes: by so many seconds the
 * one on the wall; 8 more, which may be missing: so many the other one is
 * ahead. */
#ifndef TEST_CLI_CLOCK_H
#define TEST_CLI_CLOCK_H

#include <time.h>

/* Of the other one; more of it. */
extern time_t clock_ahead;

#endif
