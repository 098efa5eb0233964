/* cert renew */
#include "commands.h"
#include "errors.h"

int cmd_cert_renew(int argc, const char **argv)
{
    (void)argc;
    (void)argv;
    return EXIT_INTERNAL;
}
