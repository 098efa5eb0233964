#include "net/tlsa.h"

#include "core/str.h"

#define HEADER 3 /* usage, selector, matching type: RFC 6698, 2.1 */
#define SMTP 25

int tsk_tlsa_parse(struct tsk_tlsa *out, const void *rdata, size_t len)
{
    const uint8_t *p = rdata;

    if (len <= HEADER)
        return -1;
    out->usage = p[0];
    out->selector = p[1];
    out->matching = p[2];
    out->data = p + HEADER;
    out->len = len - HEADER;
    return 0;
}

const char *tsk_tlsa_fault(const struct tsk_tlsa *t, int port)
{
    static const size_t lengths[] = {0, 32, 64}; /* of SHA-256, SHA-512 */

    if (t->usage > 3)
        return "unknown usage";
    if (t->selector > 1)
        return "unknown selector";
    if (t->matching > 2)
        return "unknown matching type";
    if (t->matching != 0 && t->len != lengths[t->matching])
        return "hash of the wrong length";
    if (port == SMTP && t->usage < 2)
        return "usage 0 or 1 means nothing to SMTP (RFC 7672, 3.1.3)";
    return NULL;
}

void tsk_tlsa_text(char *out, size_t size, const struct tsk_tlsa *t,
                   size_t most)
{
    size_t pos = 0;

    tsk_append(out, size, &pos, "%u %u %u ", t->usage, t->selector,
               t->matching);
    for (size_t i = 0; i < t->len && i < most && pos + 2 < size; i++)
        tsk_append(out, size, &pos, "%02x", t->data[i]);
    if (t->len > most)
        tsk_append(out, size, &pos, "...");
}

const char *tsk_tlsa_usage(int usage)
{
    static const char *const names[] = {"PKIX-TA", "PKIX-EE", "DANE-TA",
                                        "DANE-EE"};

    return usage >= 0 && usage <= 3 ? names[usage] : "unknown";
}
