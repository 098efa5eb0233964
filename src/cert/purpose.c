/* The words of "purpose". Those of the Netscape certificate type stand for what
 * took its place: sslCA is a CA whose extended key usage is that of TLS. */
#include "cert/make.h"

#include "core/str.h"

#include <stdio.h>
#include <string.h>

enum { ROLE, USAGE, AUTHORITY, BIT };

#define EKU_TLS (TSK_EKU_SERVER | TSK_EKU_CLIENT)
#define ANY_CA 0x100u /* "CA": of every kind */
#define CA_KINDS (EKU_TLS | TSK_EKU_EMAIL | TSK_EKU_CODE)

static const struct word {
    const char *name;
    int what;
    unsigned value;
} words[] = {
    {"server", ROLE, TSK_EKU_SERVER},
    {"client", ROLE, TSK_EKU_CLIENT},
    {"email", ROLE, TSK_EKU_EMAIL},
    {"objsign", ROLE, TSK_EKU_CODE},
    {"CA", AUTHORITY, ANY_CA},
    {"sslCA", AUTHORITY, EKU_TLS},
    {"emailCA", AUTHORITY, TSK_EKU_EMAIL},
    {"objCA", AUTHORITY, TSK_EKU_CODE},
    {"serverAuth", USAGE, TSK_EKU_SERVER},
    {"clientAuth", USAGE, TSK_EKU_CLIENT},
    {"emailProtection", USAGE, TSK_EKU_EMAIL},
    {"codeSigning", USAGE, TSK_EKU_CODE},
    {"timeStamping", USAGE, TSK_EKU_STAMP},
    {"OCSPSigning", USAGE, TSK_EKU_OCSP},
    {"digitalSignature", BIT, KU_DIGITAL_SIGNATURE},
    {"nonRepudiation", BIT, KU_NON_REPUDIATION},
    {"contentCommitment", BIT, KU_NON_REPUDIATION},
    {"keyEncipherment", BIT, KU_KEY_ENCIPHERMENT},
    {"dataEncipherment", BIT, KU_DATA_ENCIPHERMENT},
    {"keyAgreement", BIT, KU_KEY_AGREEMENT},
    {"keyCertSign", BIT, KU_KEY_CERT_SIGN},
    {"cRLSign", BIT, KU_CRL_SIGN},
    {"encipherOnly", BIT, KU_ENCIPHER_ONLY},
    {"decipherOnly", BIT, KU_DECIPHER_ONLY},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define WORD_MAX 24

struct parser {
    const struct tsk_make *m;
    const char *all;
    unsigned eku, kinds; /* asked for by usages and roles; by CA words */
    uint32_t add, del;
    tlsock_error *err;
};

static int bad(const struct parser *p, const char *word, const char *why)
{
    char shown[64];

    tsk_printable(shown, sizeof(shown), word, strlen(word));
    tsk_fail(p->err, TLSOCK_E_ARGUMENT, "purpose \"%s\" %s", shown, why);
    if (p->m->ca)
        tsk_hint(p->err, "words for a CA are CA, sslCA, emailCA, objCA (the "
                 "default is all four), serverAuth, clientAuth, codeSigning, "
                 "emailProtection, timeStamping, key usages; + and - before a "
                 "word change the default");
    else
        tsk_hint(p->err, "words are server,client (the default), email, "
                 "objsign, codeSigning, emailProtection, timeStamping, "
                 "OCSPSigning, key usages such as keyAgreement; + and - before "
                 "a word change the default");
    return TLSOCK_E_ARGUMENT;
}

static int misplaced(const struct parser *p, const char *word, const char *why,
                     const char *hint)
{
    tsk_fail(p->err, TLSOCK_E_ARGUMENT, "purpose \"%s\" %s", word, why);
    tsk_hint(p->err, "%s", hint);
    return TLSOCK_E_ARGUMENT;
}

static int add(struct parser *p, const struct word *w)
{
    if (w->what == AUTHORITY && !p->m->ca)
        return misplaced(p, w->name, "is for a CA alone",
                         "make a CA (option ca, or tlsock ca init), or leave "
                         "the word out");
    if (w->what == ROLE && p->m->ca)
        return misplaced(p, w->name, "is not for a CA: clients refuse a CA as "
                         "somebody's own certificate",
                         "make the CA, then a certificate below it; a CA that "
                         "may sign for this use alone has purpose sslCA, "
                         "emailCA or objCA");
    if (w->what == AUTHORITY)
        p->kinds |= w->value;
    else if (w->what == BIT)
        p->add |= w->value, p->del &= ~w->value;
    else
        p->eku |= w->value;
    return TLSOCK_OK;
}

static int drop(struct parser *p, const struct word *w)
{
    if (w->what == AUTHORITY) {
        p->kinds &= ~(w->value | ANY_CA);
        if (w->value == ANY_CA)
            p->kinds = 0;
    } else if (w->what == BIT) {
        p->del |= w->value, p->add &= ~w->value;
    } else {
        p->eku &= ~w->value;
    }
    return TLSOCK_OK;
}

static int take(struct parser *p, const char *text, size_t n)
{
    char word[WORD_MAX];

    while (n > 0 && *text == ' ')
        text++, n--;
    while (n > 0 && text[n - 1] == ' ')
        n--;
    if (n == 0)
        return bad(p, p->all, "has an empty word");
    if (n >= sizeof(word))
        return bad(p, text, "is not known");
    memcpy(word, text, n);
    word[n] = '\0';
    for (size_t i = 0; i < COUNT(words); i++) {
        int sign = *word == '+' || *word == '-';

        if (tsk_casecmp(word + sign, words[i].name) == 0)
            return *word == '-' ? drop(p, &words[i]) : add(p, &words[i]);
    }
    return bad(p, word, "is not known");
}

/* Words with a sign alone change the default, others take its place. */
static void set_default(struct parser *p, const char *text)
{
    for (int signs = 1; text != NULL; text += *text == ',') {
        text += strspn(text, " ");
        signs = signs && (*text == '+' || *text == '-');
        text += strcspn(text, ",");
        if (!signs)
            return;
        if (*text == '\0')
            break;
    }
    if (p->m->ca)
        p->kinds = ANY_CA | CA_KINDS;
    else
        p->eku = EKU_TLS;
}

/* A CA of every kind needs no extended key usage. */
static void finish(struct parser *p, struct tsk_use *use)
{
    use->eku = p->eku;
    if ((p->kinds & ANY_CA) == 0 && (p->kinds & CA_KINDS) != CA_KINDS)
        use->eku |= p->kinds & CA_KINDS;
    use->add = p->add;
    use->del = p->del;
}

int tsk_purpose_parse(struct tsk_make *m, const char *text, tlsock_error *err)
{
    struct parser p = {.m = m, .all = text, .err = err};
    int rc = TLSOCK_OK;

    set_default(&p, text);
    while (text != NULL && rc == TLSOCK_OK) {
        size_t n = strcspn(text, ",");

        rc = take(&p, text, n);
        text = text[n] == ',' ? text + n + 1 : NULL;
    }
    if (rc == TLSOCK_OK)
        finish(&p, &m->use);
    return rc;
}
