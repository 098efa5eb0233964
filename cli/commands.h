/* commands - what main.c can start: one function per word of the line.
 * Each takes its own argv (argv[0] is its last word) and gives the exit
 * code. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include <stddef.h>

int cmd_connect(int argc, const char **argv);
int cmd_check(int argc, const char **argv);
int cmd_serve(int argc, const char **argv);
int cmd_intercept(int argc, const char **argv);
int cmd_fingerprint(int argc, const char **argv);
int cmd_cert_new(int argc, const char **argv);
int cmd_cert_show(int argc, const char **argv);
int cmd_ca_init(int argc, const char **argv);
int cmd_cert_csr(int argc, const char **argv);
int cmd_cert_sign(int argc, const char **argv);
int cmd_cert_renew(int argc, const char **argv);
int cmd_cert_clone(int argc, const char **argv);
int cmd_cert_verify(int argc, const char **argv);
int cmd_cert_convert(int argc, const char **argv);
int cmd_cert_match(int argc, const char **argv);
int cmd_cert_fix(int argc, const char **argv);
int cmd_cert_diff(int argc, const char **argv);
int cmd_cert_lint(int argc, const char **argv);
int cmd_ca_list(int argc, const char **argv);
int cmd_ca_revoke(int argc, const char **argv);
int cmd_ca_crl(int argc, const char **argv);
int cmd_ca_serve(int argc, const char **argv);
int cmd_trust_install(int argc, const char **argv);
int cmd_trust_uninstall(int argc, const char **argv);
int cmd_trust_list(int argc, const char **argv);
int cmd_testpki(int argc, const char **argv);
int cmd_completion(int argc, const char **argv);
int cmd_version(int argc, const char **argv);

struct command {
    const char *word, *sub; /* "cert" "new"; sub NULL: no second word */
    int (*run)(int argc, const char **argv);
    const char *usage, *summary;
};

/* The n-th of them all, in the order of the overview; NULL behind the last. */
const struct command *command_at(size_t n);

#endif
