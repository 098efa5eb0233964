/* trust */
#include "commands.h"
#include "errors.h"

int cmd_trust_install(int argc, const char **argv)
{
    (void)argc;
    (void)argv;
    return EXIT_INTERNAL;
}

int cmd_trust_uninstall(int argc, const char **argv)
{
    (void)argc;
    (void)argv;
    return EXIT_INTERNAL;
}

int cmd_trust_list(int argc, const char **argv)
{
    (void)argc;
    (void)argv;
    return EXIT_INTERNAL;
}
