/* allow_private - one rule, for allow.c, which asks, and allow_rule.c, which
 * reads it. */
#ifndef TSK_VERIFY_ALLOW_PRIVATE_H
#define TSK_VERIFY_ALLOW_PRIVATE_H

#include "verify/allow.h"
#include "verify/pin.h"

#include <stdatomic.h>

enum tsk_allow_rule_kind {
    TSK_RULE_ANY,
    TSK_RULE_DNS,   /* part: the rule was "*.x", text is ".x" */
    TSK_RULE_CN,    /* UTF-8, as it is */
    TSK_RULE_URI,   /* part: the rule was "x*", text is "x" */
    TSK_RULE_EMAIL, /* domain as A-labels */
    TSK_RULE_IP,    /* text: 4 or 16 bytes */
    TSK_RULE_PIN,
    TSK_RULE_ISSUER,   /* name */
    TSK_RULE_ISSUER_CN /* text */
};

struct tsk_allow_rule {
    enum tsk_allow_rule_kind kind;
    int part;
    char *text;
    size_t len;
    struct tsk_pin pin;
    X509_NAME *name;
};

struct tsk_allow {
    atomic_int refs;
    struct tsk_allow_rule *rules;
    size_t n;
    char *text;
};

/* One rule, without blanks around it, into a zeroed struct: 0, or a code. */
int tsk_allow_rule_parse(struct tsk_allow_rule *rule, const char *text,
                         tlsock_error *err);
void tsk_allow_rule_free(struct tsk_allow_rule *rule); /* what is in it */
/* E_OPTION that shows the rule and the valid forms. */
int tsk_allow_rule_bad(tlsock_error *err, const char *rule, const char *why);

#endif
