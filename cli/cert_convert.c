/* cert convert */
#include "commands.h"
#include "errors.h"

int cmd_cert_convert(int argc, const char **argv)
{
    (void)argc;
    (void)argv;
    return EXIT_INTERNAL;
}
