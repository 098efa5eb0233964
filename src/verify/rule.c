#include "verify/rule.h"

#include "core/str.h"

#include <string.h>

/* The first is the default. HTTP is under it too: RFC 9110, 4.3.4 has
 * replaced RFC 2818, which goes by its number and by "www". */
static const struct tsk_rule rules[] = {
    {"rfc9525 default https", "RFC 9525", TSK_WILD_LABEL, TSK_WILD_NONE,
     TSK_CN_NEVER, TSK_CN_IP_NO},
    {"www http", "RFC 2818", TSK_WILD_ANY, TSK_WILD_ANY, TSK_CN_WITHOUT_SAN,
     TSK_CN_IP_V4},
    {"rfc2818", "RFC 2818", TSK_WILD_ANY, TSK_WILD_ANY, TSK_CN_WITHOUT_SAN,
     TSK_CN_IP_NO},
    {"xmpp rfc3920", "RFC 3920", TSK_WILD_ANY, TSK_WILD_ANY, TSK_CN_WITHOUT_SAN,
     TSK_CN_IP_NO},
    {"ftp rfc4217", "RFC 4217", TSK_WILD_ANY, TSK_WILD_ANY, TSK_CN_WITHOUT_SAN,
     TSK_CN_IP_NO},
    {"ldap rfc4513", "RFC 4513", TSK_WILD_LABEL, TSK_WILD_NONE, TSK_CN_ALWAYS,
     TSK_CN_IP_NO},
    {"smtp rfc2595", "RFC 2595", TSK_WILD_LABEL, TSK_WILD_LABEL, TSK_CN_ALWAYS,
     TSK_CN_IP_NO},
    {"imap pop3 acap rfc4642", "RFC 4642", TSK_WILD_LABEL, TSK_WILD_LABEL,
     TSK_CN_ALWAYS, TSK_CN_IP_NO},
    {"nntp rfc5539", "RFC 5539", TSK_WILD_LABEL, TSK_WILD_LABEL, TSK_CN_ALWAYS,
     TSK_CN_IP_NO},
    {"netconf rfc5538", "RFC 5538", TSK_WILD_LABEL, TSK_WILD_LABEL,
     TSK_CN_ALWAYS, TSK_CN_IP_NO},
    {"syslog rfc5425", "RFC 5425", TSK_WILD_LABEL, TSK_WILD_LABEL,
     TSK_CN_ALWAYS, TSK_CN_IP_NO},
    {"snmp rfc5953", "RFC 5953", TSK_WILD_LABEL, TSK_WILD_LABEL, TSK_CN_ALWAYS,
     TSK_CN_IP_NO},
    {"gist rfc5971", "RFC 5971", TSK_WILD_LABEL, TSK_WILD_LABEL,
     TSK_CN_WITHOUT_SAN, TSK_CN_IP_NO},
    {"sip rfc5922", "RFC 5922", TSK_WILD_NONE, TSK_WILD_NONE, TSK_CN_ALWAYS,
     TSK_CN_IP_NO},
    {"legacy", "the legacy scheme", TSK_WILD_ANY, TSK_WILD_ANY, TSK_CN_ALWAYS,
     TSK_CN_IP_ANY},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int has_word(const char *words, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = words; *p != '\0'; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");

        if (n == len && tsk_casencmp(p, word, n) == 0)
            return 1;
        p += n;
    }
    return 0;
}

const struct tsk_rule *tsk_rule_of(const char *scheme)
{
    if (scheme == NULL)
        return &rules[0];
    for (size_t i = 0; i < COUNT(rules); i++)
        if (has_word(rules[i].names, scheme))
            return &rules[i];
    return NULL;
}

/* The numbers of RFCs are left out, but for the first. */
void tsk_rule_list(char *out, size_t size)
{
    size_t pos = 0;

    out[0] = '\0';
    for (size_t i = 0; i < COUNT(rules); i++) {
        const char *p = rules[i].names;

        while (*p != '\0') {
            size_t n = strcspn(p, " ");

            if (pos == 0 || strncmp(p, "rfc", 3) != 0)
                tsk_append(out, size, &pos, "%s%.*s", pos != 0 ? ", " : "",
                           (int)n, p);
            p += n;
            p += strspn(p, " ");
        }
    }
    tsk_append(out, size, &pos, ", or by RFC as rfc2818");
}
