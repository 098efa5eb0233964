/* ca crl */
#include "commands.h"
#include "errors.h"

int cmd_ca_crl(int argc, const char **argv)
{
    (void)argc;
    (void)argv;
    return EXIT_INTERNAL;
}
