/* rule - what each application protocol says about names in certificates.
 *
 * RFC 9525 is the rule of all that name none. The older ones, which it has
 * replaced, are here by the protocol's name and by the number of their RFC,
 * for peers whose certificates are as old. Knows no certificate. */
#ifndef TSK_VERIFY_RULE_H
#define TSK_VERIFY_RULE_H

#include <stddef.h>

enum tsk_wild {
    TSK_WILD_NONE,
    TSK_WILD_LABEL, /* "*" is the whole first label */
    TSK_WILD_ANY    /* "w*w" may be the first label */
};
enum tsk_cn_when {
    TSK_CN_NEVER,
    TSK_CN_WITHOUT_SAN, /* only if no dNSName is there */
    TSK_CN_ALWAYS
};
enum tsk_cn_ip { TSK_CN_IP_NO, TSK_CN_IP_V4, TSK_CN_IP_ANY };

struct tsk_rule {
    const char *names;     /* of the schemes, "smtp rfc2595" */
    const char *title;     /* for messages: "RFC 2595" */
    enum tsk_wild san, cn; /* wildcards in a dNSName, in a CN */
    enum tsk_cn_when when; /* the CN is looked at */
    enum tsk_cn_ip ip;     /* addresses may be a CN */
};

/* NULL: RFC 9525. Gives NULL: there is no such scheme. */
const struct tsk_rule *tsk_rule_of(const char *scheme);
/* "rfc9525, https, ...": what may be asked for. */
void tsk_rule_list(char *out, size_t size);

#endif
