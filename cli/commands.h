/* commands - what main.c can start: one function per word of the line.
 * Each takes its own argv (argv[0] is its last word) and gives the exit
 * code. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

int cmd_connect(int argc, const char **argv);
int cmd_serve(int argc, const char **argv);
int cmd_cert_new(int argc, const char **argv);
int cmd_cert_show(int argc, const char **argv);
int cmd_ca_init(int argc, const char **argv);
int cmd_version(int argc, const char **argv);

#endif
