/* cert csr */
#include "commands.h"
#include "errors.h"

int cmd_cert_csr(int argc, const char **argv)
{
    (void)argc;
    (void)argv;
    return EXIT_INTERNAL;
}
