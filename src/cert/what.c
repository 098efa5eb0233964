#include "cert/what.h"

#include "cert/pem.h"
#include "ossl/queue.h"

#include <openssl/ocsp.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <string.h>

/* clang-format off */
static const struct tsk_what
certificate = {"a certificate", "copy it again from where it came",
    "name the file of the private key that was made for it; a CA never sends "
    "that back"},
key = {"a private key",
    "name the certificate here and the key as the key; are the two swapped?",
    NULL},
request = {"a signing request (CSR)",
    "have it signed by a CA (tlsock cert sign) and give the certificate that "
    "comes back", "the key is in another file, made together with the request"},
crl = {"a revocation list (CRL)",
    "lists go with --crl or tlsock_config_add_crl(); give the certificate here",
    "name the file of the private key"},
public_key = {"a public key",
    "a certificate is more than its key: give the file that the CA issued",
    "give its private half, which stands in another file"},
pkcs7 = {"a PKCS#7 bundle", "copy it again from where it came",
    "such bundles hold certificates only: name the file of the private key"},
pkcs12 = {"PKCS#12", "copy it again from where it came", NULL},
parameters = {"parameters alone (of Diffie-Hellman or a curve)",
    "name the file with the certificate", "name the file with the private key"},
ocsp = {"an OCSP response", "name the file with the certificate",
    "name the file with the private key"},
session = {"a TLS session", "name the file with the certificate",
    "name the file with the private key"},
ech = {"an ECH configuration", "name the file with the certificate",
    "name the file with the private key"},
cms = {"an encrypted or signed message (CMS)",
    "name the file with the certificate", "name the file with the private key"},
openssh = {"an OpenSSH private key",
    "OpenSSH keys are no certificates: make one for it with tlsock cert new",
    "convert a copy of it: ssh-keygen -p -m PKCS8 -f COPY"},
putty = {"a private key of PuTTY",
    "such keys are no certificates: make one for it with tlsock cert new",
    "export it in OpenSSH's form with puttygen, then convert that: ssh-keygen "
    "-p -m PKCS8 -f COPY"},
ssh_public = {"a public key of SSH",
    "TLS needs an X.509 certificate: tlsock cert new makes one",
    "give the private key, in PKCS#8: ssh-keygen -p -m PKCS8 -f COPY"},
pgp = {"a PGP key or message",
    "TLS needs an X.509 certificate: tlsock cert new makes one",
    "TLS needs a key in PEM, DER or PKCS#12: tlsock cert new makes one"},
jks = {"a Java keystore (JKS)",
    "convert it: keytool -importkeystore -srckeystore FILE -destkeystore "
    "NEW.p12 -deststoretype PKCS12", NULL},
jceks = {"a Java keystore (JCEKS)",
    "convert it: keytool -importkeystore -srckeystore FILE -srcstoretype JCEKS "
    "-destkeystore NEW.p12 -deststoretype PKCS12", NULL},
nss = {"a database (SQLite), perhaps of NSS",
    "export from it: pk12util -d DIRECTORY -n NAME -o NEW.p12", NULL},
html = {"an HTML page",
    "the download gave a page in its place, perhaps an error or a login: look "
    "at it, and fetch the file itself", NULL},
xml = {"XML", "take the PEM text out of it into a file of its own", NULL},
json = {"JSON",
    "take the PEM text out of it into a file of its own, with real line ends: "
    "jq -r .FIELD", NULL},
zip = {"a ZIP archive", "unpack it and name the file in it", NULL},
gzip = {"compressed data (gzip)", "unpack it: gunzip or tar xzf", NULL},
bzip2 = {"compressed data (bzip2)", "unpack it: bunzip2 or tar xjf", NULL},
xz = {"compressed data (xz)", "unpack it: unxz or tar xJf", NULL},
seven = {"a 7z archive", "unpack it and name the file in it", NULL},
tar = {"a tar archive", "unpack it and name the file in it", NULL},
pdf = {"a PDF document", "ask for the certificate as a file of its own", NULL},
program = {"a program", "name the right file", NULL},
utf16 = {"text in UTF-16",
    "save it as plain text: iconv -f UTF-16 -t UTF-8 FILE >NEW", NULL},
blank = {"blanks only",
    "was it written completely? Put PEM, DER or PKCS#12 there", NULL},
zeros = {"zero bytes only",
    "the disk was full, or the machine went down while it was written: copy "
    "it again", NULL},
base64 = {"base64 text without BEGIN and END lines",
    "put a line -----BEGIN CERTIFICATE----- before and -----END "
    "CERTIFICATE----- behind it, or decode it: base64 -d",
    "put a line -----BEGIN PRIVATE KEY----- before and -----END PRIVATE "
    "KEY----- behind it"},
bad_begin = {"text whose BEGIN line is not as it must be",
    "-----BEGIN CERTIFICATE----- stands at the start of a line, alone, with "
    "five hyphens on either side",
    "-----BEGIN PRIVATE KEY----- stands at the start of a line, alone, with "
    "five hyphens on either side"},
no_begin = {"text with an END line and no BEGIN line",
    "its beginning is lost: copy it again, all of it", NULL};

static const struct {
    const char *label;
    const struct tsk_what *what;
} labels[] = {
    {"CERTIFICATE", &certificate}, {"X509 CERTIFICATE", &certificate},
    {"TRUSTED CERTIFICATE", &certificate},
    {"CERTIFICATE REQUEST", &request}, {"NEW CERTIFICATE REQUEST", &request},
    {"X509 CRL", &crl}, {"PUBLIC KEY", &public_key},
    {"RSA PUBLIC KEY", &public_key}, {"DSA PUBLIC KEY", &public_key},
    {"PKCS7", &pkcs7}, {"PKCS #7 SIGNED DATA", &pkcs7}, {"CMS", &cms},
    {"DH PARAMETERS", &parameters}, {"X9.42 DH PARAMETERS", &parameters},
    {"EC PARAMETERS", &parameters}, {"DSA PARAMETERS", &parameters},
    {"SSL SESSION PARAMETERS", &session}, {"ECHCONFIG", &ech},
    {"OCSP RESPONSE", &ocsp}, {"OPENSSH PRIVATE KEY", &openssh},
    {"SSH2 ENCRYPTED PRIVATE KEY", &openssh},
    {"PGP PUBLIC KEY BLOCK", &pgp}, {"PGP PRIVATE KEY BLOCK", &pgp},
    {"PGP MESSAGE", &pgp}, {"PGP SIGNED MESSAGE", &pgp},
    {"PGP SIGNATURE", &pgp},
};

#define MAGIC(bytes, what) {bytes, sizeof(bytes) - 1, what}
static const struct {
    const char *magic;
    size_t len;
    const struct tsk_what *what;
} magics[] = {
    MAGIC("\xfe\xed\xfe\xed", &jks), MAGIC("\xce\xce\xce\xce", &jceks),
    MAGIC("PuTTY-User-Key-File-", &putty), MAGIC("ssh-", &ssh_public),
    MAGIC("ecdsa-sha2-", &ssh_public), MAGIC("sk-ssh-", &ssh_public),
    MAGIC("---- BEGIN SSH2", &ssh_public),
    MAGIC("SQLite format 3", &nss), MAGIC("PK\x03\x04", &zip),
    MAGIC("\x1f\x8b", &gzip), MAGIC("BZh", &bzip2),
    MAGIC("\xfd" "7zXZ", &xz), MAGIC("7z\xbc\xaf\x27\x1c", &seven),
    MAGIC("%PDF-", &pdf), MAGIC("\x7f" "ELF", &program), MAGIC("MZ", &program),
    MAGIC("\xff\xfe", &utf16), MAGIC("\xfe\xff", &utf16),
    MAGIC("-\0-\0-\0", &utf16), MAGIC("\0-\0-\0-", &utf16),
    MAGIC("<?xml", &xml),
};
/* clang-format on */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What a block of PEM with this label is; NULL: unknown. */
static const struct tsk_what *what_label(const char *label)
{
    size_t n = strlen(label);

    for (size_t i = 0; i < COUNT(labels); i++)
        if (strcmp(label, labels[i].label) == 0)
            return labels[i].what;
    return n >= 11 && strcmp(label + n - 11, "PRIVATE KEY") == 0 ? &key : NULL;
}

static int is_blank(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int all(const unsigned char *p, size_t len, int (*is)(unsigned char))
{
    for (size_t i = 0; i < len; i++)
        if (!is(p[i]))
            return 0;
    return 1;
}

static int is_zero(unsigned char c)
{
    return c == 0;
}

static int is_base64(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=' ||
           is_blank(c);
}

static int holds(const struct tsk_source *s, const char *text)
{
    return memmem(s->data, s->len, text, strlen(text)) != NULL;
}

static int starts(const unsigned char *p, size_t len, const char *text)
{
    size_t n = strlen(text);

    for (size_t i = 0; i < n; i++)
        if (i >= len || (p[i] | 0x20) != (unsigned char)text[i])
            return 0;
    return 1;
}

static const struct tsk_what *text_is(const struct tsk_source *s)
{
    const unsigned char *p = s->data;
    size_t len = s->len;

    if (len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        p += 3;
        len -= 3;
    }
    while (len > 0 && is_blank(*p)) {
        p++;
        len--;
    }
    if (len == 0)
        return &blank;
    if (starts(p, len, "<!doctype html") || starts(p, len, "<html"))
        return &html;
    if (*p == '{' || *p == '[')
        return &json;
    if (len >= 4 && memcmp(p, "MII", 3) == 0 && all(p, len, is_base64))
        return &base64;
    if (holds(s, "BEGIN CERTIFICATE") || holds(s, "PRIVATE KEY-"))
        return holds(s, "BEGIN ") ? &bad_begin : &no_begin;
    return holds(s, "-----END ") ? &no_begin : NULL;
}

/* Does a decoder take all of it? */
#define DECODES(type)                                                          \
    static int is_##type(const unsigned char *p, long len)                     \
    {                                                                          \
        const unsigned char *at = p;                                           \
        type *object = d2i_##type(NULL, &at, len);                             \
        int whole = object != NULL && at - p == len;                           \
                                                                               \
        type##_free(object);                                                   \
        return whole;                                                          \
    }

DECODES(X509)
DECODES(X509_REQ)
DECODES(X509_CRL)
DECODES(PKCS12)
DECODES(PKCS7)
DECODES(OCSP_RESPONSE)
DECODES(X509_SIG)

static int is_public(const unsigned char *p, long len)
{
    EVP_PKEY *object = d2i_PUBKEY(NULL, &p, len);

    EVP_PKEY_free(object);
    return object != NULL;
}

static int is_private(const unsigned char *p, long len)
{
    EVP_PKEY *object = d2i_AutoPrivateKey(NULL, &p, len);

    EVP_PKEY_free(object);
    return object != NULL;
}

static const struct tsk_what *der_is(const struct tsk_source *s)
{
    static const struct {
        int (*is)(const unsigned char *, long);
        const struct tsk_what *what;
    } kinds[] = {
        {is_X509, &certificate},   {is_X509_REQ, &request},
        {is_X509_CRL, &crl},       {is_PKCS12, &pkcs12},
        {is_PKCS7, &pkcs7},        {is_public, &public_key},
        {is_private, &key},        {is_X509_SIG, &key},
        {is_OCSP_RESPONSE, &ocsp},
    };
    const struct tsk_what *what = NULL;

    tsk_ossl_enter();
    for (size_t i = 0; i < COUNT(kinds) && what == NULL; i++)
        if (kinds[i].is(s->data, (long)s->len))
            what = kinds[i].what;
    tsk_ossl_leave();
    return what;
}

/* The first block whose label is known; a file may begin with parameters. */
static const struct tsk_what *pem_is(const struct tsk_source *s)
{
    const struct tsk_what *first = NULL, *what;
    struct tsk_pem_block b;
    struct tsk_pem r;

    tsk_pem_begin(&r, s->data, s->len);
    while (tsk_pem_next(&r, &b) == 1) {
        what = what_label(b.label);
        if (what != NULL && what != &parameters)
            return what;
        if (first == NULL)
            first = what;
    }
    return first;
}

const struct tsk_what *tsk_what_is(const struct tsk_source *s)
{
    for (size_t i = 0; i < COUNT(magics); i++)
        if (s->len >= magics[i].len &&
            memcmp(s->data, magics[i].magic, magics[i].len) == 0)
            return magics[i].what;
    if (s->len > 262 && memcmp(s->data + 257, "ustar", 5) == 0)
        return &tar;
    if (s->len > 0 && all(s->data, s->len, is_zero))
        return &zeros;
    if (tsk_pem_is(s->data, s->len))
        return pem_is(s);
    return tsk_der_is(s) ? der_is(s) : text_is(s);
}

static int fail(const struct tsk_source *s, const char *wanted,
                const struct tsk_what *what, const char *fix, tlsock_error *err)
{
    if (what != NULL)
        tsk_fail(err, TLSOCK_E_OWN_FILE, "\"%s\" holds no %s, but %s", s->name,
                 wanted, what->is);
    else
        tsk_fail(err, TLSOCK_E_OWN_FILE,
                 "\"%s\" holds no %s: it is neither PEM nor DER nor PKCS#12",
                 s->name, wanted);
    tsk_hint(err, "%s", fix);
    return TLSOCK_E_OWN_FILE;
}

int tsk_no_cert(const struct tsk_source *s, tlsock_error *err)
{
    const struct tsk_what *what = tsk_what_is(s);

    return fail(s, "certificate", what,
                what != NULL ? what->no_cert
                             : "a certificate begins with -----BEGIN "
                               "CERTIFICATE-----, or is a DER or PKCS#12 file",
                err);
}

int tsk_no_key(const struct tsk_source *s, tlsock_error *err)
{
    const struct tsk_what *what;

    if (s->token != NULL)
        return tsk_token_nothing(s, "private key", err);
    what = tsk_what_is(s);
    if (what == NULL)
        return fail(s, "private key", NULL,
                    "a key begins with -----BEGIN PRIVATE KEY----- or the "
                    "like, or is a DER or PKCS#12 file",
                    err);
    return fail(s, "private key", what,
                what->no_key != NULL ? what->no_key : what->no_cert, err);
}
