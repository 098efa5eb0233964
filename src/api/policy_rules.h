/* policy_rules - what a rule of a policy does to settings: they may get
 * stricter, never looser.
 *
 * Knows each key that can be tightened, its order of strictness, and which
 * failures come from it. Knows no files, no configs and no locks. */
#ifndef TSK_API_POLICY_RULES_H
#define TSK_API_POLICY_RULES_H

#include "core/err.h"
#include "tls/settings.h"

#define TSK_SIDE_CLIENT 1
#define TSK_SIDE_SERVER 2
#define TSK_SIDE_BOTH 3

struct tsk_rulerow;

struct tsk_rule {
    const struct tsk_rulerow *row;
    int sides;      /* TSK_SIDE_*: which connections it is for */
    int section;    /* the same, as the file has it */
    int number;     /* the field's value, for what is no text */
    char *text;     /* the value of a list or store, or NULL; owned */
    char note[256]; /* "FILE:7: tls.min = 1.3"; the caller's to fill in */
};

struct tsk_rulerow {
    const char *key, *values; /* "tls.min", "1.2|1.3" */
    enum tsk_rule_kind kind;
    int first; /* number of the first of the values */
    int (*apply)(const struct tsk_rule *rule, struct tsk_settings *set,
                 const char *note, tlsock_error *err);
    size_t offset; /* of the field in struct tsk_settings */
    int sides;     /* where it has a meaning */
    const char *help;
};

/* A key and its value, for these sides: 0, or E_OPTION whose hint names the
 * valid keys or values. Free the rule in either case. */
int tsk_rule_parse(struct tsk_rule *rule, const char *key, const char *value,
                   int sides, tlsock_error *err);
void tsk_rule_free(struct tsk_rule *rule);
/* 0: the settings are as strict as the rule, or stricter; note, which has to
 * live as long as the process, stands where that changed them. E_POLICY: they
 * wish for something that the rule forbids; they are of no use any more. */
int tsk_rule_apply(const struct tsk_rule *rule, struct tsk_settings *set,
                   const char *note, tlsock_error *err);
/* 1: the settings are stricter than the value of the rule already. */
int tsk_rule_looser(const struct tsk_rule *rule,
                    const struct tsk_settings *set);
/* Puts the rule that a failure comes from in front of its hint. */
void tsk_rule_explain(const struct tsk_settings *set, tlsock_error *err);

/* policy_list.c: what both lists have, in the order of the first; yours.
 * NULL: nothing (err is E_POLICY), or out of memory. */
char *tsk_rule_common(enum tsk_rule_kind kind, const char *mine,
                      const char *theirs, tlsock_error *err);

#endif
