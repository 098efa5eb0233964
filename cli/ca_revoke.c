/* ca revoke */
#include "commands.h"
#include "errors.h"

int cmd_ca_revoke(int argc, const char **argv)
{
    (void)argc;
    (void)argv;
    return EXIT_INTERNAL;
}
