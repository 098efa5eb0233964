#include "made.h"

struct made made;

static tlsock_cert *own(const struct pki_spec *spec, int key)
{
    X509 *x = pki_make(spec);
    tlsock_cert *c = tlsock_cert_from_x509(x, key >= 0 ? pki_key(key) : NULL);

    assert_non_null(c);
    X509_free(x);
    return c;
}

static tlsock_cert *made_ca(const char *spec)
{
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.subject = "CN=Other kind", .ca = 1, .key = spec),
        &err);

    if (c == NULL)
        fail_msg("%s", err.message);
    return c;
}

static tlsock_cert *by(const tlsock_cert *ca, enum pki_key ca_key,
                       const char *eku, int from, int to)
{
    return own(&(struct pki_spec){.cn = "Resp",
                                  .san = "DNS:r.test",
                                  .bc = PKI_LEAF_BC,
                                  .ku = "critical,digitalSignature",
                                  .eku = eku,
                                  .key = KEY_INTER,
                                  .issuer = ca->leaf,
                                  .issuer_key = ca_key,
                                  .from_days = from,
                                  .to_days = to},
               KEY_INTER);
}

/* Without the extensions that it might do without. */
static tlsock_cert *bare_ca(void)
{
    X509 *x = pki_make(
        &(struct pki_spec){.cn = "Bare", .bc = PKI_CA_BC, .key = KEY_ROOT});
    int at = X509_get_ext_by_NID(x, NID_subject_key_identifier, -1);
    tlsock_cert *c;

    X509_EXTENSION_free(X509_delete_ext(x, at));
    assert_true(X509_sign(x, pki_key(KEY_ROOT), EVP_sha256()) > 0);
    c = tlsock_cert_from_x509(x, pki_key(KEY_ROOT));
    X509_free(x);
    return c;
}

int made_setup(void **state)
{
    struct pki_spec ca = {.cn = "CA",
                          .bc = PKI_CA_BC,
                          .ku = PKI_CA_KU,
                          .key = KEY_ROOT};

    (void)state;
    made.ca = own(&ca, KEY_ROOT);
    made.keyless = tlsock_cert_from_x509(made.ca->leaf, NULL);
    made.mixed = tlsock_cert_from_x509(made.ca->leaf, pki_key(KEY_OTHER));
    made.bare = bare_ca();
    made.certs_ca = own(&(struct pki_spec){.cn = "Certs",
                                           .bc = PKI_CA_BC,
                                           .ku = "critical,keyCertSign",
                                           .key = KEY_ROOT},
                        KEY_ROOT);
    made.other = own(
        &(struct pki_spec){
            .cn = "Other", .bc = PKI_CA_BC, .ku = PKI_CA_KU, .key = KEY_OTHER},
        KEY_OTHER);
    made.leaf = by(made.ca, KEY_ROOT, "serverAuth", 0, 0);
    made.responder = by(made.ca, KEY_ROOT, "OCSPSigning", 0, 0);
    made.old_responder = by(made.ca, KEY_ROOT, "OCSPSigning", -9, -3);
    made.no_eku = by(made.ca, KEY_ROOT, NULL, 0, 0);
    made.strangers = by(made.other, KEY_OTHER, "OCSPSigning", 0, 0);
    made.ed = made_ca("ed25519");
    made.rsa = made_ca("rsa:2048");
    return 0;
}

int made_teardown(void **state)
{
    tlsock_cert *all[] = {made.ca,     made.bare,      made.keyless,
                          made.mixed,  made.certs_ca,  made.leaf,
                          made.other,  made.responder, made.old_responder,
                          made.no_eku, made.strangers, made.ed,
                          made.rsa};

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++)
        tlsock_cert_unref(all[i]);
    pki_free();
    return 0;
}

const char *made_path(const char *name)
{
    static char path[4][256];
    static unsigned turn;
    char *p = path[turn++ % COUNT(path)];

    snprintf(p, sizeof(path[0]), "%s/%s", pki_dir(), name);
    return p;
}
