#include "tls/prints.h"

#include "core/err.h"
#include "core/mem.h"
#include "core/str.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <tlsock/prints.h>

#define JA4_PART 12 /* hex digits that are left of a digest */

enum { OF_CLIENT, OF_SERVER };
enum { JA3, JA4 }; /* decimal with dashes, or hex with commas */
enum { RAW = 1, SORTED = 2 };

static const struct {
    int item, of, kind, how;
} items[] = {
    {TLSOCK_INFO_JA3, OF_CLIENT, JA3, 0},
    {TLSOCK_INFO_JA3_RAW, OF_CLIENT, JA3, RAW},
    {TLSOCK_INFO_JA3N, OF_CLIENT, JA3, SORTED},
    {TLSOCK_INFO_JA3N_RAW, OF_CLIENT, JA3, RAW | SORTED},
    {TLSOCK_INFO_JA3S, OF_SERVER, JA3, 0},
    {TLSOCK_INFO_JA3S_RAW, OF_SERVER, JA3, RAW},
    {TLSOCK_INFO_JA3SN, OF_SERVER, JA3, SORTED},
    {TLSOCK_INFO_JA3SN_RAW, OF_SERVER, JA3, RAW | SORTED},
    {TLSOCK_INFO_JA4, OF_CLIENT, JA4, SORTED},
    {TLSOCK_INFO_JA4_R, OF_CLIENT, JA4, RAW | SORTED},
    {TLSOCK_INFO_JA4_O, OF_CLIENT, JA4, 0},
    {TLSOCK_INFO_JA4_RO, OF_CLIENT, JA4, RAW},
};

/* Text on its way: into memory, or into a digest. */
struct sink {
    char *out;
    size_t size, pos;
    EVP_MD_CTX *md; /* or NULL */
    int failed;
};

/* A list of numbers, freed by its maker. */
struct numbers {
    uint16_t *of;
    size_t n;
};

static void put(struct sink *to, const char *text)
{
    if (to->md == NULL)
        tsk_append(to->out, to->size, &to->pos, "%s", text);
    else if (EVP_DigestUpdate(to->md, text, strlen(text)) != 1)
        to->failed = 1;
}

static void put_list(struct sink *to, const struct numbers *list, int kind)
{
    char text[8];

    for (size_t i = 0; i < list->n; i++) {
        snprintf(text, sizeof(text), kind == JA3 ? "%s%u" : "%s%04x",
                 i == 0        ? ""
                 : kind == JA3 ? "-"
                               : ",",
                 list->of[i]);
        put(to, text);
    }
}

static int by_value(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* Each list is at most 65535 bytes: its length has 16 bits. */
static int begin(struct numbers *list, size_t most)
{
    list->n = 0;
    list->of = tsk_alloc((most + 1) * sizeof(*list->of));
    return list->of != NULL ? 0 : TLSOCK_E_NOMEM;
}

static void add(struct numbers *list, unsigned value)
{
    if (!tsk_greeting_grease(value))
        list->of[list->n++] = (uint16_t)value;
}

static int numbers_of(struct numbers *list, struct tsk_span from, int sort)
{
    if (begin(list, from.len / 2) != 0)
        return TLSOCK_E_NOMEM;
    for (size_t i = 0; i + 1 < from.len; i += 2)
        add(list, (unsigned)from.at[i] << 8 | from.at[i + 1]);
    if (sort)
        qsort(list->of, list->n, sizeof(*list->of), by_value);
    return 0;
}

static int extensions_of(struct numbers *list, const struct tsk_greeting *g,
                         int sort)
{
    struct tsk_span rest = g->extensions, body;
    int type;

    if (begin(list, rest.len / 4) != 0)
        return TLSOCK_E_NOMEM;
    while ((type = tsk_greeting_next(&rest, &body)) >= 0)
        add(list, (unsigned)type);
    if (sort)
        qsort(list->of, list->n, sizeof(*list->of), by_value);
    return 0;
}

static int put_span(struct sink *to, struct tsk_span from, int kind, int sort)
{
    struct numbers list;
    int rc = numbers_of(&list, from, sort);

    if (rc == 0)
        put_list(to, &list, kind);
    tsk_free(list.of);
    return rc;
}

/* version,ciphers,extensions[,groups,formats] */
static int put_ja3(struct sink *to, const struct tsk_greeting *g, int sort)
{
    struct numbers list;
    char text[16];
    int rc;

    snprintf(text, sizeof(text), "%d,", g->version);
    put(to, text);
    rc = put_span(to, g->ciphers, JA3, 0);
    if (rc != 0)
        return rc;
    put(to, ",");
    rc = extensions_of(&list, g, sort);
    if (rc == 0)
        put_list(to, &list, JA3);
    tsk_free(list.of);
    if (rc != 0 || g->server)
        return rc;
    put(to, ",");
    rc = put_span(to, g->groups, JA3, 0);
    put(to, ",");
    for (size_t i = 0; i < g->formats.len; i++) {
        snprintf(text, sizeof(text), "%s%u", i != 0 ? "-" : "",
                 g->formats.at[i]);
        put(to, text);
    }
    return rc;
}

static const char *version_text(const struct tsk_greeting *g)
{
    unsigned best = g->versions.at != NULL ? 0 : (unsigned)g->version;

    for (size_t i = 0; i + 1 < g->versions.len; i += 2) {
        unsigned v = (unsigned)g->versions.at[i] << 8 | g->versions.at[i + 1];

        if (!tsk_greeting_grease(v) && v > best)
            best = v;
    }
    return best == 0x0304   ? "13"
           : best == 0x0303 ? "12"
           : best == 0x0302 ? "11"
           : best == 0x0301 ? "10"
           : best == 0x0300 ? "s3"
           : best == 0x0002 ? "s2"
                            : "00";
}

static int alnum(unsigned c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z');
}

/* First and last character of the first protocol; of its hex digits if they
 * are no letters or digits. */
static void alpn_text(const struct tsk_greeting *g, char out[3])
{
    static const char digits[] = "0123456789abcdef";
    unsigned first, last;

    memcpy(out, "00", 3);
    if (g->alpn.len == 0)
        return;
    first = g->alpn.at[0];
    last = g->alpn.at[g->alpn.len - 1];
    out[0] = alnum(first) && alnum(last) ? (char)first : digits[first >> 4];
    out[1] = alnum(first) && alnum(last) ? (char)last : digits[last & 15];
}

static int two_digits(size_t n)
{
    return n < 99 ? (int)n : 99;
}

/* JA4_b: the ciphers; JA4_c: extensions, and signatures as they come. */
static int put_part(struct sink *to, const struct tsk_greeting *g,
                    const struct numbers *list, int is_c)
{
    struct numbers sig;
    int rc;

    put_list(to, list, JA4);
    if (!is_c)
        return 0;
    rc = numbers_of(&sig, g->sigalgs, 0);
    if (rc == 0 && sig.n != 0)
        put(to, "_");
    if (rc == 0)
        put_list(to, &sig, JA4);
    tsk_free(sig.of);
    return rc;
}

/* What goes into the sink between the two is digested. */
static int digest_begin(struct sink *in, const EVP_MD *md)
{
    *in = (struct sink){.md = EVP_MD_CTX_new()};
    if (in->md == NULL)
        return TLSOCK_E_NOMEM;
    return EVP_DigestInit_ex(in->md, md, NULL) == 1 ? 0 : TLSOCK_E_UNSUPPORTED;
}

static int digest_end(struct sink *in, struct sink *to, size_t digits)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    unsigned int len = 0;

    if (in->failed || EVP_DigestFinal_ex(in->md, raw, &len) != 1)
        return TLSOCK_E_UNSUPPORTED;
    tsk_hex(hex, raw, len);
    hex[digits] = '\0';
    put(to, hex);
    return 0;
}

static int ja4_part(struct sink *to, const struct tsk_greeting *g,
                    const struct numbers *list, int is_c, int raw)
{
    struct sink in;
    int rc = 0;

    if (raw)
        return put_part(to, g, list, is_c);
    if (list->n == 0) {
        put(to, "000000000000");
        return 0;
    }
    rc = digest_begin(&in, EVP_sha256());
    if (rc == 0)
        rc = put_part(&in, g, list, is_c);
    if (rc == 0)
        rc = digest_end(&in, to, JA4_PART);
    EVP_MD_CTX_free(in.md);
    return rc;
}

/* SNI and ALPN are in the first part; what sorts leaves them out. */
static void drop_names(struct numbers *ext)
{
    size_t n = 0;

    for (size_t i = 0; i < ext->n; i++)
        if (ext->of[i] != 0 && ext->of[i] != 16)
            ext->of[n++] = ext->of[i];
    ext->n = n;
}

static int put_ja4(struct sink *to, const struct tsk_greeting *g, int how)
{
    struct numbers ciphers = {0}, ext = {0};
    char text[24], alpn[3];
    int rc = numbers_of(&ciphers, g->ciphers, how & SORTED);

    if (rc == 0)
        rc = extensions_of(&ext, g, how & SORTED);
    if (rc != 0)
        goto out;
    alpn_text(g, alpn);
    snprintf(text, sizeof(text), "t%s%c%02d%02d%s_", version_text(g),
             g->sni ? 'd' : 'i', two_digits(ciphers.n), two_digits(ext.n),
             alpn);
    put(to, text);
    if (how & SORTED)
        drop_names(&ext);
    rc = ja4_part(to, g, &ciphers, 0, how & RAW);
    put(to, "_");
    if (rc == 0)
        rc = ja4_part(to, g, &ext, 1, how & RAW);
out:
    tsk_free(ciphers.of);
    tsk_free(ext.of);
    return rc;
}

static int put_ja3_digest(struct sink *to, const struct tsk_greeting *g,
                          int sort)
{
    struct sink in;
    int rc = digest_begin(&in, EVP_md5());

    if (rc == 0)
        rc = put_ja3(&in, g, sort);
    if (rc == 0)
        rc = digest_end(&in, to, 32);
    EVP_MD_CTX_free(in.md);
    return rc;
}

static size_t find(int item)
{
    size_t i = 0;

    while (i < sizeof(items) / sizeof(items[0]) && items[i].item != item)
        i++;
    return i;
}

int tsk_prints_item(int item)
{
    return find(item) < sizeof(items) / sizeof(items[0]);
}

int tsk_prints_of_server(int item)
{
    return tsk_prints_item(item) && items[find(item)].of == OF_SERVER;
}

int tsk_prints_text(const struct tsk_greeting *g, int item, char *out,
                    size_t size)
{
    struct sink to = {.out = out, .size = size};
    size_t i = find(item);
    int rc;

    if (size != 0)
        out[0] = '\0';
    if (items[i].of != (g->server ? OF_SERVER : OF_CLIENT))
        return 0;
    rc = items[i].kind == JA4 ? put_ja4(&to, g, items[i].how)
         : items[i].how & RAW ? put_ja3(&to, g, items[i].how & SORTED)
                              : put_ja3_digest(&to, g, items[i].how & SORTED);
    return rc < 0 ? rc : (int)to.pos;
}
