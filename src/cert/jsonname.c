/* jsonname - subject, issuer and alternative names, taken apart. */
#include "cert/json.h"
#include "core/mem.h"
#include "ossl/ext.h"

#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <string.h>

#define PUT TSK_PUT

/* Text of any ASN.1 string type; what is none: '#' and hex (RFC 4514, 2.4). */
static void value(struct tsk_json *j, const ASN1_STRING *s)
{
    unsigned char *utf8 = NULL;
    struct tsk_text t = {0};
    int n = ASN1_STRING_to_UTF8(&utf8, s);

    if (n >= 0) {
        tsk_text_escaped(&t, utf8, (size_t)n, "", 0);
    } else {
        tsk_text_add(&t, "#");
        tsk_text_hex(&t, ASN1_STRING_get0_data(s),
                     (size_t)ASN1_STRING_length(s));
    }
    tsk_json_take(j, &t);
    OPENSSL_free(utf8);
}

/* As they stand in the certificate: the most general part first. */
static void parts(struct tsk_json *j, const char *key, const X509_NAME *name)
{
    PUT(j, ",\"%s\":[", key);
    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);
        const ASN1_OBJECT *obj = X509_NAME_ENTRY_get_object(e);
        int nid = OBJ_obj2nid(obj);
        char oid[128];

        if (OBJ_obj2txt(oid, sizeof(oid), obj, 1) <= 0)
            oid[0] = '\0';
        PUT(j, "%s{\"type\":", i > 0 ? "," : "");
        tsk_json_text(j, nid != NID_undef ? OBJ_nid2sn(nid) : oid);
        PUT(j, ",\"oid\":");
        tsk_json_text(j, oid);
        PUT(j, ",\"value\":");
        value(j, X509_NAME_ENTRY_get_data(e));
        PUT(j, "}");
    }
    PUT(j, "]");
}

/* {"type":"DNS","value":"a.test"}; a kind without a text has value null. */
static void general(struct tsk_json *j, const GENERAL_NAME *g)
{
    struct tsk_text t = {0};
    char *text, *colon;

    tsk_text_san(&t, g, "");
    text = tsk_text_take(&t);
    j->failed |= text == NULL;
    colon = text != NULL ? strchr(text, ':') : NULL;
    if (colon != NULL)
        *colon++ = '\0';
    PUT(j, "{\"type\":");
    tsk_json_text(j, text);
    PUT(j, ",\"value\":");
    tsk_json_text(j, colon);
    PUT(j, "}");
    tsk_free(text);
}

void tsk_json_names(struct tsk_json *j, X509 *x)
{
    GENERAL_NAMES *names =
        tsk_ossl_ext(x, NID_subject_alt_name, NULL, &j->failed);

    parts(j, "subject_parts", X509_get_subject_name(x));
    parts(j, "issuer_parts", X509_get_issuer_name(x));
    PUT(j, ",\"subject_alt_names\":[");
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        PUT(j, "%s", i > 0 ? "," : "");
        general(j, sk_GENERAL_NAME_value(names, i));
    }
    PUT(j, "]");
    GENERAL_NAMES_free(names);
}
