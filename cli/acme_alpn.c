/* tls-alpn-01 (RFC 8737): a handshake in which the peer shows a certificate
 * that was made for this very challenge. */
#include "acme_check.h"
#include "certfield.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <tlsock/config.h>
#include <tlsock/info.h>

#define PROTOCOL "acme-tls/1"
#define OID "1.3.6.1.5.5.7.1.31" /* id-pe-acmeIdentifier */

tlsock_config *acme_alpn_config(void)
{
    tlsock_config *c = tlsock_config_new();

    /* who it is: that is what the challenge is to find out */
    if (c == NULL ||
        tlsock_config_set(c, "insecure",
                          "all: tls-alpn-01 certificates are self-signed") <
            0 ||
        tlsock_config_set(c, "alpn", PROTOCOL) < 0 ||
        tlsock_config_set(c, "session", "off") < 0) {
        tlsock_config_unref(c);
        return NULL;
    }
    return c;
}

/* What the extension holds if all is well: an OCTET STRING of 32 octets. */
static int expected(const char *key, char der[80])
{
    unsigned char hash[EVP_MAX_MD_SIZE];

    if (EVP_Digest(key, strlen(key), hash, NULL, EVP_sha256(), NULL) != 1)
        return -1;
    snprintf(der, 80, "0420");
    for (size_t i = 0; i < 32; i++)
        snprintf(der + 4 + 2 * i, 80 - 4 - 2 * i, "%02x", hash[i]);
    return 0;
}

static json_t *facts_of(const tlsock_cert *cert)
{
    int n = certfield_json(cert, NULL, 0);
    char *text = n >= 0 ? malloc((size_t)n + 1) : NULL;
    json_t *obj = NULL;

    if (text != NULL && certfield_json(cert, text, (size_t)n + 1) == n)
        obj = json_loads(text, 0, NULL);
    free(text);
    return obj;
}

static int has_extension(const tlsock_cert *cert, const char *der)
{
    json_t *facts = facts_of(cert), *list, *ext;
    int found = 0, good = 0;
    size_t i;

    list = json_object_get(facts, "extensions");
    json_array_foreach(list, i, ext)
    {
        const char *oid = json_string_value(json_object_get(ext, "oid"));
        const char *value = json_string_value(json_object_get(ext, "der"));

        if (oid == NULL || strcmp(oid, OID) != 0)
            continue;
        found++;
        good = value != NULL && strcasecmp(value, der) == 0 &&
               json_is_true(json_object_get(ext, "critical"));
    }
    json_decref(facts);
    return found == 1 && good;
}

const char *acme_alpn_judge(const tlsock *s, const char *name, const char *key)
{
    const char *alpn = tlsock_info(s, TLSOCK_INFO_ALPN), *sans;
    tlsock_cert *cert = tlsock_peer_cert(s);
    const char *why = NULL;
    char der[80];

    sans = cert != NULL ? certfield(cert, TLSOCK_CERT_SANS) : NULL;
    if (alpn == NULL || strcmp(alpn, PROTOCOL) != 0)
        why = "it does not speak " PROTOCOL;
    else if (sans == NULL || strncmp(sans, "DNS:", 4) != 0 ||
             strcasecmp(sans + 4, name) != 0)
        why = "its certificate is not for this name alone";
    else if (expected(key, der) < 0 || !has_extension(cert, der))
        why = "its certificate does not hold the key authorization, critical";
    tlsock_cert_unref(cert);
    return why;
}
