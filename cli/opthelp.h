/* opthelp - --help, from the same tables that parse the line. */
#ifndef CLI_OPTHELP_H
#define CLI_OPTHELP_H

#include "opt.h"

/* Print all of it on stdout; the exit code. */
int opt_help(const struct opt_spec *spec);

#endif
