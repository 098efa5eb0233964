/* ca list */
#include "commands.h"
#include "errors.h"

int cmd_ca_list(int argc, const char **argv)
{
    (void)argc;
    (void)argv;
    return EXIT_INTERNAL;
}
