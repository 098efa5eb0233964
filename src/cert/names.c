#include "cert/cert.h"
#include "cert/text.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/ext.h"
#include "ossl/queue.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>

/* UTF-8 as it is: what is unsafe in it is escaped afterwards. */
#define NAME_FLAGS (XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB)

void tsk_text_name(struct tsk_text *t, const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *p = NULL;
    long n = 0;

    if (bio == NULL) {
        t->failed = 1;
        return;
    }
    if (X509_NAME_print_ex(bio, name, 0, NAME_FLAGS) >= 0) {
        n = BIO_get_mem_data(bio, &p);
        if (n > 0)
            tsk_text_escaped(t, p, (size_t)n, "", 1);
    } else {
        tsk_text_add(t, "(unreadable)");
    }
    BIO_free(bio);
}

/* The most specific attribute of a kind: the last one. */
static const ASN1_STRING *attribute(const X509_NAME *name, int nid)
{
    const ASN1_STRING *found = NULL;

    for (int at = -1;;) {
        at = X509_NAME_get_index_by_NID(name, nid, at);
        if (at < 0)
            return found;
        found = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    }
}

void tsk_text_cn(struct tsk_text *t, const X509_NAME *name)
{
    const ASN1_STRING *cn = attribute(name, NID_commonName);
    unsigned char *utf8 = NULL;
    int n = cn != NULL ? ASN1_STRING_to_UTF8(&utf8, cn) : 0;

    if (n > 0)
        tsk_text_escaped(t, utf8, (size_t)n, "", 0);
    OPENSSL_free(utf8);
}

/* A mask of leading ones, or -1 */
static int mask_bits(const unsigned char *p, int n)
{
    int bits = 0;

    while (bits < 8 * n && (p[bits / 8] >> (7 - bits % 8) & 1) != 0)
        bits++;
    for (int i = bits; i < 8 * n; i++)
        if ((p[i / 8] >> (7 - i % 8) & 1) != 0)
            return -1;
    return bits;
}

/* In name constraints a mask goes with the address (RFC 5280, 4.2.1.10). */
static void ip_text(char out[128], const ASN1_OCTET_STRING *ip)
{
    const unsigned char *p = ASN1_STRING_get0_data(ip);
    int n = ASN1_STRING_length(ip), half = n / 2, bits;
    char mask[64];

    if (n == 4 || n == 16) {
        inet_ntop(n == 4 ? AF_INET : AF_INET6, p, out, 64);
        return;
    }
    if (n != 8 && n != 32) {
        snprintf(out, 128, "(%d bytes)", n);
        return;
    }
    inet_ntop(half == 4 ? AF_INET : AF_INET6, p, out, 64);
    bits = mask_bits(p + half, half);
    if (bits >= 0)
        snprintf(mask, sizeof(mask), "%d", bits);
    else
        inet_ntop(half == 4 ? AF_INET : AF_INET6, p + half, mask, 64);
    strcat(strcat(out, "/"), mask);
}

static void dir_name(struct tsk_text *t, const X509_NAME *name,
                     const char *also)
{
    struct tsk_text dir = {0};
    char *text;

    tsk_text_name(&dir, name);
    text = tsk_text_take(&dir);
    tsk_text_add(t, "DIRNAME:");
    if (text != NULL)
        tsk_text_escaped(t, text, strlen(text), also, 1);
    else
        t->failed = 1;
    tsk_free(text);
}

/* Other names that are text have a word of their own. */
static void other_name(struct tsk_text *t, const OTHERNAME *o, const char *also)
{
    static const struct {
        const char *oid, *tag;
    } known[] = {{"1.3.6.1.4.1.311.20.2.3", "UPN:"},
                 {"1.3.6.1.5.5.7.8.5", "XMPP:"},
                 {"1.3.6.1.5.5.7.8.9", "EMAIL:"}}; /* RFC 9598 */
    char oid[128];

    if (OBJ_obj2txt(oid, sizeof(oid), o->type_id, 1) <= 0)
        oid[0] = '\0';
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(oid, known[i].oid) != 0 ||
            ASN1_TYPE_get(o->value) != V_ASN1_UTF8STRING)
            continue;
        tsk_text_add(t, known[i].tag);
        tsk_text_escaped(t, o->value->value.utf8string->data,
                         (size_t)o->value->value.utf8string->length, also, 0);
        return;
    }
    tsk_text_add(t, "OTHERNAME:");
    tsk_text_add(t, oid);
}

void tsk_text_san(struct tsk_text *t, const GENERAL_NAME *g, const char *also)
{
    const char *tag = g->type == GEN_DNS     ? "DNS:"
                      : g->type == GEN_EMAIL ? "EMAIL:"
                      : g->type == GEN_URI   ? "URI:"
                                             : NULL;
    char text[128];

    if (tag != NULL) {
        tsk_text_add(t, tag);
        tsk_text_escaped(t, ASN1_STRING_get0_data(g->d.ia5),
                         (size_t)ASN1_STRING_length(g->d.ia5), also, 0);
    } else if (g->type == GEN_IPADD) {
        ip_text(text, g->d.iPAddress);
        tsk_text_add(t, "IP:");
        tsk_text_add(t, text);
    } else if (g->type == GEN_DIRNAME) {
        dir_name(t, g->d.directoryName, also);
    } else if (g->type == GEN_OTHERNAME) {
        other_name(t, g->d.otherName, also);
    } else if (g->type == GEN_RID) {
        if (OBJ_obj2txt(text, sizeof(text), g->d.registeredID, 1) <= 0)
            text[0] = '\0';
        tsk_text_add(t, "RID:");
        tsk_text_add(t, text);
    } else {
        tsk_text_add(t, g->type == GEN_X400 ? "X400" : "EDIPARTY");
    }
}

/* The name alone: for a subject that is made from it. */
void tsk_text_general(struct tsk_text *t, const GENERAL_NAME *g)
{
    char ip[128];

    if (g->type == GEN_IPADD) {
        ip_text(ip, g->d.iPAddress);
        tsk_text_add(t, ip);
    } else {
        tsk_text_escaped(t, ASN1_STRING_get0_data(g->d.ia5),
                         (size_t)ASN1_STRING_length(g->d.ia5), "", 1);
    }
}

void tsk_text_sans(struct tsk_text *t, X509 *x)
{
    GENERAL_NAMES *names =
        tsk_ossl_ext(x, NID_subject_alt_name, NULL, &t->failed);

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        if (i > 0)
            tsk_text_add(t, ", ");
        /* a comma parts the names, so one in a name is escaped */
        tsk_text_san(t, sk_GENERAL_NAME_value(names, i), ",");
    }
    GENERAL_NAMES_free(names);
}

/* "a.test, b.test": host names and addresses, as many as there is room for. */
void tsk_cert_sans_text(X509 *x, char *out, size_t size)
{
    GENERAL_NAMES *names;
    size_t pos = 0;
    char one[512];

    if (size == 0)
        return;
    out[0] = '\0';
    tsk_ossl_enter();
    names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

        if (g->type == GEN_DNS)
            tsk_printable(one, sizeof(one), ASN1_STRING_get0_data(g->d.ia5),
                          (size_t)ASN1_STRING_length(g->d.ia5));
        else if (g->type == GEN_IPADD)
            ip_text(one, g->d.iPAddress);
        else
            continue;
        if (pos + strlen(one) + 8 > size) {
            tsk_append(out, size, &pos, pos > 0 ? ", ..." : "...");
            break;
        }
        tsk_append(out, size, &pos, "%s%s", pos > 0 ? ", " : "", one);
    }
    GENERAL_NAMES_free(names);
    tsk_ossl_leave();
}

/* 1: out holds the most telling attribute of a name. */
static int short_text(const X509_NAME *name, char *out, size_t size)
{
    static const int telling[] = {NID_commonName, NID_organizationName,
                                  NID_organizationalUnitName};

    for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++) {
        const ASN1_STRING *s = attribute(name, telling[i]);
        unsigned char *utf8 = NULL;
        int n = s != NULL ? ASN1_STRING_to_UTF8(&utf8, s) : 0;

        if (n > 0)
            tsk_printable(out, size, utf8, (size_t)n);
        OPENSSL_free(utf8);
        if (n > 0)
            return 1;
    }
    return 0;
}

void tsk_cert_short_name(X509 *x, char *out, size_t size)
{
    tsk_ossl_enter();
    if (!short_text(X509_get_subject_name(x), out, size)) {
        tsk_cert_sans_text(x, out, size);
        if (size > 0 && out[0] == '\0')
            snprintf(out, size, "(no name)");
    }
    tsk_ossl_leave();
}

void tsk_cert_short_issuer(X509 *x, char *out, size_t size)
{
    tsk_ossl_enter();
    if (!short_text(X509_get_issuer_name(x), out, size))
        snprintf(out, size, "(no name)");
    tsk_ossl_leave();
}
