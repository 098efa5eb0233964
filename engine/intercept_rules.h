/* intercept_rules - what becomes of a connection: intercept, pass or deny, by
 * the name that is asked for, by addresses, by the client's JA4.
 *
 * The first rule that fits decides; none: intercept. Knows nothing of
 * connections. */
#ifndef ENGINE_INTERCEPT_RULES_H
#define ENGINE_INTERCEPT_RULES_H

#include <stddef.h>
#include <sys/socket.h>

#define RULE_INTERCEPT 0
#define RULE_PASS 1
#define RULE_DENY 2
#define RULE_UNKNOWN 3 /* more has to be known for that */

struct intercept_rules;

struct rule_facts {
    const char *host;             /* as asked for: a name or an address */
    const char *sni;              /* "" */
    const char *ja4;              /* ""; a rule of it does not fit then */
    const struct sockaddr *from;  /* the client, or NULL */
    const struct sockaddr *to;    /* the server; NULL: not known yet,
                                     RULE_UNKNOWN if that matters */
    int early; /* SNI and JA4 are still to come: RULE_UNKNOWN if they matter */
};

/* NULL: out of memory. */
struct intercept_rules *rules_new(void);
void rules_free(struct intercept_rules *r);
/* One more rule: "NAME", "*.NAME", "*", "ADDRESS", "ADDRESS/BITS",
 * "from:ADDRESS[/BITS]", "ja4:FINGERPRINT" (may end in "*"). 0; -1: why is
 * set, of static storage. */
int rules_add(struct intercept_rules *r, int verdict, const char *what,
              const char **why);
/* A file's text: "intercept WHAT", "pass WHAT", "deny WHAT", "# comment". 0;
 * else the number of the line that is wrong. */
int rules_parse(struct intercept_rules *r, const char *text, size_t len,
                const char **why);
/* RULE_*; *what is the rule's own text, or "" if none fits. */
int rules_match(const struct intercept_rules *r, const struct rule_facts *f,
                const char **what);
/* "deny" */
const char *rules_word(int verdict);

#endif
