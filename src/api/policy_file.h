/* policy_file - a policy as a file has it: INI text becomes rules. Knows no
 * process and no config. */
#ifndef TSK_API_POLICY_FILE_H
#define TSK_API_POLICY_FILE_H

#include "api/policy_rules.h"

struct tsk_policy_file {
    struct tsk_policy_file *next;
    char *path;
    struct tsk_rule *rules;
    size_t n;
};

/* Yours. NULL: the error is E_CONFIG_FILE, "FILE:LINE: ...", with sys_errno if
 * the file cannot be read, or E_NOMEM. */
struct tsk_policy_file *tsk_policy_file_load(const char *path,
                                             tlsock_error *err);
/* The same of a text, with name for the path. */
struct tsk_policy_file *tsk_policy_file_parse(const char *text, size_t len,
                                              const char *name,
                                              tlsock_error *err);
void tsk_policy_file_free(struct tsk_policy_file *f);

#endif
