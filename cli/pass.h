/* pass - asks a person for a password and hands it on as a descriptor.
 * The password never sits in an argument, a file or the environment. */
#ifndef CLI_PASS_H
#define CLI_PASS_H

#include <stddef.h>

/* Asks this question on the terminal, without echo; uri gets "fd:N", whose first
 * line is the answer. -1: there is no terminal, or nothing was typed. */
int pass_prompt(const char *question, char *uri, size_t size);

#endif
