/* pass - asks a person for a password and hands it on as a descriptor.
 * The password never sits in an argument, a file or the environment. */
#ifndef CLI_PASS_H
#define CLI_PASS_H

#include <stddef.h>

/* Asks on the terminal; uri gets "fd:N", whose first line it is. -1: there is
 * no terminal, or nothing was typed. */
int pass_prompt(char *uri, size_t size);

#endif
