/* cert verify */
#include "commands.h"
#include "errors.h"

int cmd_cert_verify(int argc, const char **argv)
{
    (void)argc;
    (void)argv;
    return EXIT_INTERNAL;
}
