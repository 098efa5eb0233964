/* A hash of a name that is the same for all names that X509_NAME_cmp() takes
 * for equal, made from the DER alone: OpenSSL's own costs a decoded name. */
#include "verify/index_private.h"

#include <openssl/asn1.h>

#define SET_OF 0x31 /* as they are in DER */
#define SEQUENCE_OF 0x30

/* An element with this first byte, or any if it is 0, of a short or two-byte
 * length: where its contents begin, and *p behind it. NULL: something else. */
static const unsigned char *enter(const unsigned char **p,
                                  const unsigned char *end, int tag)
{
    const unsigned char *at = *p;
    size_t len, bytes;

    if (end - at < 2 || (tag != 0 && *at != tag))
        return NULL;
    len = at[1];
    at += 2;
    if (len > 127) {
        bytes = len & 127;
        if (bytes < 1 || bytes > 2 || (size_t)(end - at) < bytes)
            return NULL;
        for (len = 0; bytes > 0; bytes--)
            len = len << 8 | *at++;
    }
    if ((size_t)(end - at) < len)
        return NULL;
    *p = at + len;
    return at;
}

static int is_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* ASCII, in types whose bytes are the text then. */
static int is_plain(int type, const unsigned char *p, const unsigned char *end)
{
    if (type != V_ASN1_UTF8STRING && type != V_ASN1_PRINTABLESTRING &&
        type != V_ASN1_IA5STRING && type != V_ASN1_VISIBLESTRING &&
        type != V_ASN1_T61STRING)
        return 0;
    while (p < end)
        if (*p++ > 127)
            return 0;
    return 1;
}

static uint32_t mix(uint32_t h, unsigned char c) /* FNV-1a */
{
    return (h ^ c) * 16777619u;
}

/* Type and value of one attribute. Case and blanks do not count, nor does how
 * the text is encoded. 0: not for us */
static int hash_attribute(const unsigned char *p, const unsigned char *end,
                          uint32_t *sum)
{
    const unsigned char *oid = enter(&p, end, V_ASN1_OBJECT), *text;
    uint32_t h = 2166136261u;
    int type;

    if (oid == NULL || p >= end)
        return 0;
    while (oid < p)
        h = mix(h, *oid++);
    type = *p;
    text = enter(&p, end, 0);
    if (text == NULL || p != end || !is_plain(type, text, end))
        return 0;
    for (; text < end; text++)
        if (!is_space(*text))
            h = mix(h, *text >= 'A' && *text <= 'Z'
                           ? (unsigned char)(*text + 32)
                           : *text);
    *sum += h; /* the order within a set does not count either */
    return 1;
}

int tsk_index_name_hash(const unsigned char *der, long len, uint32_t *hash)
{
    const unsigned char *end = der + len;
    const unsigned char *set = enter(&der, end, SEQUENCE_OF);

    *hash = 0;
    if (set == NULL || der != end)
        return 0;
    while (set < end) {
        const unsigned char *one = enter(&set, end, SET_OF);

        if (one == NULL || one == set)
            return 0;
        while (one < set) {
            const unsigned char *attribute = enter(&one, set, SEQUENCE_OF);

            if (attribute == NULL || !hash_attribute(attribute, one, hash))
                return 0;
        }
    }
    *hash = *hash * 2654435761u;
    return 1;
}
