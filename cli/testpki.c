/* testpki */
#include "commands.h"
#include "errors.h"

int cmd_testpki(int argc, const char **argv)
{
    (void)argc;
    (void)argv;
    return EXIT_INTERNAL;
}
