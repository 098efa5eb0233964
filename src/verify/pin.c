#include "verify/pin.h"

#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <openssl/evp.h>
#include <string.h>

static int bad(tlsock_error *err, const char *text, const char *why)
{
    char shown[128];

    tsk_printable(shown, sizeof(shown), text, strnlen(text, 200));
    tsk_fail(err, TLSOCK_E_OPTION, "pin \"%s\" %s", shown, why);
    tsk_hint(err, "a pin is sha256:HEX of the certificate, sha256:pub:HEX or "
                  "sha256//BASE64 of its public key; \"tlsock cert show\" "
                  "prints them");
    return TLSOCK_E_OPTION;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* 64 digits, a colon between bytes is skipped. */
static const char *read_hex(uint8_t out[32], const char *p)
{
    for (int i = 0; i < 32; i++) {
        int hi, lo;

        if (i > 0 && *p == ':')
            p++;
        hi = hex_digit(*p);
        lo = hi < 0 ? -1 : hex_digit(p[1]);
        if (lo < 0)
            return *p == '\0' || (hi >= 0 && p[1] == '\0')
                       ? "has fewer than 64 hex digits"
                       : "has something that is no hex digit";
        out[i] = (uint8_t)(hi << 4 | lo);
        p += 2;
    }
    return *p == '\0' ? NULL : "has more than 64 hex digits";
}

static const char *read_base64(uint8_t out[32], const char *p)
{
    uint8_t bytes[33];

    /* 32 bytes are 43 characters and one "="; EVP_DecodeBlock() would take
     * blanks at the ends and "=" at other places too */
    if (strlen(p) != 44 || p[43] != '=' ||
        strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                  "0123456789+/") != 43 ||
        EVP_DecodeBlock(bytes, (const unsigned char *)p, 44) != 33)
        return "is not base64 of 32 bytes (44 characters, the last is \"=\")";
    memcpy(out, bytes, 32);
    return NULL;
}

int tsk_pin_parse(struct tsk_pin *pin, const char *text, tlsock_error *err)
{
    const char *why;

    memset(pin, 0, sizeof(*pin));
    if (tsk_casencmp(text, "sha256//", 8) == 0) {
        pin->of_public_key = 1;
        why = read_base64(pin->sha256, text + 8);
    } else if (tsk_casencmp(text, "sha256:pub:", 11) == 0 ||
               tsk_casencmp(text, "sha256$pub$", 11) == 0) {
        pin->of_public_key = 1;
        why = read_hex(pin->sha256, text + 11);
    } else if (tsk_casencmp(text, "sha256:", 7) == 0 ||
               tsk_casencmp(text, "sha256$", 7) == 0) {
        why = read_hex(pin->sha256, text + 7);
    } else if (tsk_casencmp(text, "sha1", 4) == 0 ||
               tsk_casencmp(text, "md5", 3) == 0) {
        why = "names a hash that is too weak; SHA-256 is taken";
    } else {
        why = "does not begin with \"sha256:\" or \"sha256//\"";
    }
    return why == NULL ? TLSOCK_OK : bad(err, text, why);
}

static int hash_of(uint8_t out[32], X509 *crt, int of_public_key,
                   tlsock_error *err)
{
    unsigned char *der = NULL;
    int len, rc = TLSOCK_OK;

    tsk_ossl_enter();
    len = of_public_key ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(crt), &der)
                        : i2d_X509(crt, &der);
    /* length 0 is "no key": its hash would match any certificate without one */
    if (len <= 0 ||
        EVP_Digest(der, (size_t)len, out, NULL, EVP_sha256(), NULL) != 1)
        rc = tsk_fail_ossl(err, TLSOCK_E_CERT_INVALID,
                           "cannot take the certificate's fingerprint");
    OPENSSL_free(der);
    tsk_ossl_leave();
    return rc;
}

int tsk_pin_match(const struct tsk_pin *pins, size_t n, X509 *crt,
                  tlsock_error *err)
{
    uint8_t hash[2][32];
    int have[2] = {0, 0}, found = 0;

    for (size_t i = 0; i < n; i++) {
        int which = pins[i].of_public_key != 0;

        if (!have[which]) {
            int rc = hash_of(hash[which], crt, which, err);

            if (rc < 0)
                return rc;
            have[which] = 1;
        }
        found |= tsk_equal_ct(hash[which], pins[i].sha256, 32);
    }
    return found;
}
