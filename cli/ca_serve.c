/* ca serve */
#include "commands.h"
#include "errors.h"

int cmd_ca_serve(int argc, const char **argv)
{
    (void)argc;
    (void)argv;
    return EXIT_INTERNAL;
}
