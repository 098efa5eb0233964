#include "verify/pin.h"

#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <openssl/evp.h>
#include <string.h>

static const struct {
    const char *bits;
    size_t len; /* bytes; 0: too weak */
    const EVP_MD *(*md)(void);
} algos[] = {
    {"256", 32, EVP_sha256},
    {"384", 48, EVP_sha384},
    {"512", 64, EVP_sha512},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char too_weak[] =
    "is of a hash that is too weak: others can make a certificate that has it "
    "too";

static int bad(tlsock_error *err, const char *text, const char *why)
{
    char shown[128];

    tsk_printable(shown, sizeof(shown), text, strnlen(text, 200));
    tsk_fail(err, TLSOCK_E_OPTION, "pin \"%s\" %s", shown, why);
    if (why == too_weak)
        tsk_hint(err, "pin its SHA-256, sha256:HEX: \"tlsock fingerprint "
                      "HOST|FILE\" prints it, and \"openssl x509 -noout "
                      "-fingerprint -sha256\"");
    else
        tsk_hint(err, "a pin is sha256:HEX of the certificate, sha256:pub:HEX "
                      "or sha256//BASE64 of its public key; \"tlsock "
                      "fingerprint HOST|FILE\" prints them");
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

/* Two digits a byte; a colon or a blank between bytes is skipped. */
static const char *read_hex(struct tsk_pin *pin, const char *p)
{
    for (size_t i = 0; i < algos[pin->algo].len; i++) {
        int hi, lo;

        if (i > 0 && (*p == ':' || *p == ' '))
            p++;
        hi = hex_digit(*p);
        lo = hi < 0 ? -1 : hex_digit(p[1]);
        if (lo < 0)
            return *p == '\0' || (hi >= 0 && p[1] == '\0')
                       ? "has too few hex digits for this hash"
                       : "has something that is no hex digit";
        pin->hash[i] = (uint8_t)(hi << 4 | lo);
        p += 2;
    }
    return *p == '\0' ? NULL : "has too many hex digits for this hash";
}

/* EVP_DecodeBlock() would take blanks at the ends, and "=" at other places
 * too. */
static const char *read_base64(struct tsk_pin *pin, const char *p)
{
    size_t len = algos[pin->algo].len, pad = (3 - len % 3) % 3;
    size_t chars = (len + pad) / 3 * 4;
    uint8_t bytes[66];

    if (strlen(p) != chars ||
        strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                  "0123456789+/") != chars - pad ||
        strspn(p + chars - pad, "=") != pad ||
        EVP_DecodeBlock(bytes, (const unsigned char *)p, (int)chars) !=
            (int)(len + pad))
        return "is not the base64 of this hash (44 characters for SHA-256, "
               "the last is \"=\")";
    memcpy(pin->hash, bytes, len);
    pin->of_public_key = 1;
    return NULL;
}

/* "sha256", "SHA-256": what follows; NULL: no hash is named. */
static const char *read_algo(struct tsk_pin *pin, const char *p,
                             const char **why)
{
    if (tsk_casencmp(p, "md5", 3) == 0) {
        *why = too_weak;
        return p;
    }
    if (tsk_casencmp(p, "sha", 3) != 0)
        return NULL;
    p += 3;
    p += *p == '-';
    for (size_t i = 0; i < COUNT(algos); i++) {
        if (strncmp(p, algos[i].bits, 3) == 0) {
            pin->algo = (int)i;
            return p + 3;
        }
    }
    *why = *p == '1' ? too_weak : "names a hash that is not known: sha256";
    return p;
}

/* Digits alone: their number tells the hash. */
static const char *read_bare(struct tsk_pin *pin, const char *p)
{
    size_t digits = 0;

    for (const char *c = p; *c != '\0'; c++) {
        if (hex_digit(*c) >= 0)
            digits++;
        else if (*c != ':' && *c != ' ')
            return "does not begin with \"sha256:\" or \"sha256//\"";
    }
    if (digits == 40 || digits == 32)
        return too_weak;
    for (size_t i = 0; i < COUNT(algos); i++) {
        if (digits == 2 * algos[i].len) {
            pin->algo = (int)i;
            return read_hex(pin, p);
        }
    }
    return "is no fingerprint: those have 64 hex digits";
}

/* What follows the name of the hash. */
static const char *read_rest(struct tsk_pin *pin, const char *p)
{
    p += strspn(p, " ");
    if (tsk_casencmp(p, "fingerprint", 11) == 0)
        p += 11 + strspn(p + 11, " ");
    if (*p == '/')
        return read_base64(pin, p + 1 + (p[1] == '/'));
    if (*p == '\0' || strchr(":$=", *p) == NULL)
        return "does not begin with \"sha256:\" or \"sha256//\"";
    p++;
    p += strspn(p, " ");
    if (tsk_casencmp(p, "pub", 3) == 0 && (p[3] == ':' || p[3] == '$')) {
        pin->of_public_key = 1;
        p += 4;
    }
    return read_hex(pin, p);
}

int tsk_pin_parse(struct tsk_pin *pin, const char *text, tlsock_error *err)
{
    const char *why = NULL, *rest;

    memset(pin, 0, sizeof(*pin));
    rest = read_algo(pin, text, &why);
    if (rest == NULL)
        why = read_bare(pin, text);
    else if (why == NULL)
        why = read_rest(pin, rest);
    return why == NULL ? TLSOCK_OK : bad(err, text, why);
}

void tsk_pin_text(const struct tsk_pin *pin, char *out, size_t size)
{
    size_t at = 0;

    tsk_append(out, size, &at, "sha%s:%s", algos[pin->algo].bits,
               pin->of_public_key ? "pub:" : "");
    for (size_t i = 0; i < algos[pin->algo].len; i++)
        tsk_append(out, size, &at, "%02x", pin->hash[i]);
}

const char *tsk_pin_next(const char *list, size_t *len, const char **rest)
{
    static const char separators[] = ",;\r\n", blanks[] = " \t,;\r\n";
    const char *start = list + strspn(list, blanks);

    *len = strcspn(start, separators);
    *rest = start + *len;
    while (*len > 0 && strchr(" \t", start[*len - 1]) != NULL)
        (*len)--;
    return *len > 0 ? start : NULL;
}

static int hash_of(uint8_t out[64], X509 *crt, int of_public_key, int algo,
                   tlsock_error *err)
{
    unsigned char *der = NULL;
    int len, rc = TLSOCK_OK;

    tsk_ossl_enter();
    len = of_public_key ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(crt), &der)
                        : i2d_X509(crt, &der);
    /* length 0 is "no key": its hash would match any certificate without one */
    if (len <= 0 ||
        EVP_Digest(der, (size_t)len, out, NULL, algos[algo].md(), NULL) != 1)
        rc = tsk_fail_ossl(err, TLSOCK_E_CERT_INVALID,
                           "cannot take the certificate's fingerprint");
    OPENSSL_free(der);
    tsk_ossl_leave();
    return rc;
}

int tsk_pin_match(const struct tsk_pin *pins, size_t n, X509 *crt,
                  tlsock_error *err)
{
    uint8_t hash[COUNT(algos)][2][64];
    int have[COUNT(algos)][2] = {{0, 0}}, found = 0;

    for (size_t i = 0; i < n; i++) {
        int which = pins[i].of_public_key != 0, algo = pins[i].algo;

        if (!have[algo][which]) {
            int rc = hash_of(hash[algo][which], crt, which, algo, err);

            if (rc < 0)
                return rc;
            have[algo][which] = 1;
        }
        found |= tsk_equal_ct(hash[algo][which], pins[i].hash, algos[algo].len);
    }
    return found;
}
