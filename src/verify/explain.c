/* OpenSSL's verdict on a chain, as code, cause and fix. */
#include "cert/cert.h"
#include "core/clock.h"
#include "core/str.h"
#include "ossl/ext.h"
#include "verify/policy.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

struct facts {
    X509 *crt;  /* the certificate it is about, or NULL */
    int depth;  /* its place; 0 is the leaf */
    int x509;   /* X509_V_ERR_* */
    int client; /* the certificate of a client */
    int stored; /* nobody sent it */
    int64_t now;
    const char *peer; /* "server" or "client" */
    char name[96], issuer[96];
    const char *role; /* "certificate", "intermediate", "root" */
    STACK_OF(X509) * chain;
};

static int code_of(int x509)
{
    switch (x509) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return TLSOCK_E_CHAIN_INCOMPLETE;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_REJECTED:
        return TLSOCK_E_UNTRUSTED_ROOT;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return TLSOCK_E_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return TLSOCK_E_NOT_YET_VALID;
    case X509_V_ERR_INVALID_PURPOSE:
        return TLSOCK_E_PURPOSE;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return TLSOCK_E_WEAK;
    case X509_V_ERR_OUT_OF_MEM:
        return TLSOCK_E_NOMEM;
    default:
        return TLSOCK_E_CERT_INVALID;
    }
}

/* "a.test <- Inter CA <- Root CA": the path that was tried. */
static void path_text(const struct facts *f, char *out, size_t size)
{
    char name[64];
    size_t pos = 0;
    int n = sk_X509_num(f->chain);

    out[0] = '\0';
    for (int i = 0; i < n && i < 5; i++) {
        tsk_cert_short_name(sk_X509_value(f->chain, i), name, sizeof(name));
        tsk_append(out, size, &pos, "%s%.30s", i > 0 ? " <- " : "", name);
    }
    if (n > 5)
        tsk_append(out, size, &pos, " <- ...");
}

static void chain_incomplete(const struct facts *f, tlsock_error *err)
{
    char path[160];

    path_text(f, path, sizeof(path));
    if (f->stored) {
        tsk_fail(err, TLSOCK_E_CHAIN_INCOMPLETE,
                 "\"%s\" is not among the certificates given, so there is no "
                 "path to a trusted root (have: %s)",
                 f->issuer, path);
        tsk_hint(err,
                 "put \"%.60s\" behind it in its file, or give it beside: "
                 "--untrusted FILE; or trust it: --ca +FILE, "
                 "tlsock_config_add_trust()",
                 f->issuer);
        return;
    }
    tsk_fail(err, TLSOCK_E_CHAIN_INCOMPLETE,
             "the %s sends no \"%s\", so there is no path to a trusted root "
             "(have: %s)",
             f->peer, f->issuer, path);
    tsk_hint(err,
             "%s: append \"%.60s\" to the certificate file it sends; "
             "here only: trust that certificate too, --ca +FILE or "
             "tlsock_config_add_trust()",
             f->peer, f->issuer);
}

static void untrusted_root(const struct facts *f, tlsock_error *err)
{
    char print[96] = "";
    X509 *leaf = sk_X509_value(f->chain, 0);

    if (f->x509 == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT) {
        tsk_fail(err, TLSOCK_E_UNTRUSTED_ROOT,
                 "the chain ends at \"%s\", which your trust store holds, but "
                 "it is no root",
                 f->name);
        tsk_hint(err,
                 "trust its root \"%.60s\" too, or set "
                 "verify.partial-chain = on",
                 f->issuer);
        return;
    }
    if (f->x509 == X509_V_ERR_CERT_REJECTED ||
        f->x509 == X509_V_ERR_CERT_UNTRUSTED)
        tsk_fail(err, TLSOCK_E_UNTRUSTED_ROOT,
                 "the chain ends at \"%s\", which your trust store has marked "
                 "as not for this use",
                 f->name);
    else
        tsk_fail(err, TLSOCK_E_UNTRUSTED_ROOT,
                 f->depth == 0 ? "the certificate of \"%s\" is self-signed and "
                                 "your trust store does not hold it"
                               : "the chain ends at \"%s\", which your trust "
                                 "store does not hold",
                 f->name);
    if (leaf != NULL)
        (void)tsk_cert_fingerprint(leaf, "sha256", 0, print, sizeof(print));
    tsk_hint(err,
             "if it is yours: --ca +FILE with \"%.40s\" "
             "(tlsock_config_add_trust); one fixed host: --pin %s "
             "(tlsock_config_add_pin)",
             f->name, print);
}

static void day_count(int64_t seconds, char out[40])
{
    long long days = (long long)(seconds / 86400);

    if (days >= 1)
        snprintf(out, 40, "%lld day%s", days, days == 1 ? "" : "s");
    else if (seconds >= 3600)
        snprintf(out, 40, "%lld hour%s", (long long)seconds / 3600,
                 seconds >= 7200 ? "s" : "");
    else
        snprintf(out, 40, "%lld seconds", (long long)seconds);
}

static void out_of_date(const struct facts *f, int code, tlsock_error *err)
{
    char date[32], now[32], ago[40];
    ASN1_TIME *clock = tsk_ossl_time(NULL, f->now);

    snprintf(now, sizeof(now), "%lld", (long long)f->now);
    if (clock != NULL)
        tsk_cert_date(clock, now);
    ASN1_TIME_free(clock);
    if (code == TLSOCK_E_EXPIRED) {
        tsk_cert_date(X509_get0_notAfter(f->crt), date);
        day_count(f->now - tsk_cert_time(X509_get0_notAfter(f->crt)), ago);
        tsk_fail(err, code, "the %s \"%s\" expired %s ago (%s)", f->role,
                 f->name, ago, date);
        tsk_hint(err,
                 "renew it at the %s and reload it there; or correct "
                 "this clock if it is wrong (it says %s)",
                 f->peer, now);
        return;
    }
    tsk_cert_date(X509_get0_notBefore(f->crt), date);
    tsk_fail(err, code, "the %s \"%s\" is valid from %s; this clock says %s",
             f->role, f->name, date, now);
    tsk_hint(err,
             "correct this clock; if it is right, the %s uses its "
             "certificate too early",
             f->peer);
}

static void weak(const struct facts *f, tlsock_error *err)
{
    EVP_PKEY *key = X509_get0_pubkey(f->crt);
    int md = X509_get_signature_nid(f->crt);

    if (f->x509 == X509_V_ERR_CA_MD_TOO_WEAK) {
        tsk_fail(err, TLSOCK_E_WEAK,
                 "the %s \"%s\" is signed with %s, which is too weak", f->role,
                 f->name, OBJ_nid2ln(md));
        tsk_hint(err, "have it reissued by \"%.60s\" with SHA-256", f->issuer);
        return;
    }
    tsk_fail(err, TLSOCK_E_WEAK,
             "the %s \"%s\" has a key of %s %d, which is too small", f->role,
             f->name, key != NULL ? EVP_PKEY_get0_type_name(key) : "?",
             key != NULL ? EVP_PKEY_get_bits(key) : 0);
    tsk_hint(err,
             "make a new key at the %s: ECDSA P-256, Ed25519 or RSA of "
             "2048 bits and more",
             f->peer);
}

static void wrong_purpose(const struct facts *f, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_PURPOSE,
             f->depth == 0 ? "the %s \"%s\" is not made for a TLS %s"
                           : "the %s \"%s\" may not issue certificates for a "
                             "TLS %s",
             f->role, f->name, f->peer);
    tsk_hint(err,
             "have it issued with extendedKeyUsage %s (cert new "
             "--purpose %s) and keyUsage digitalSignature",
             f->client ? "clientAuth" : "serverAuth", f->peer);
}

static void invalid(const struct facts *f, int code, tlsock_error *err)
{
    const char *text = X509_verify_cert_error_string(f->x509);

    switch (f->x509) {
    case X509_V_ERR_INVALID_CA:
        tsk_fail(err, code,
                 "\"%s\" issued a certificate in this chain but is "
                 "no CA",
                 f->name);
        tsk_hint(err, "have the certificate below it issued by a real CA "
                      "(basicConstraints CA:TRUE, keyUsage keyCertSign)");
        return;
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
        tsk_fail(err, code,
                 "\"%s\" allows fewer CAs below it than this chain "
                 "has (pathlen)",
                 f->name);
        tsk_hint(err, "its owner has to issue from that CA directly, or to "
                      "raise its path length");
        return;
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
        tsk_fail(err, code,
                 "the chain of \"%s\" has more intermediates than "
                 "verify.depth allows",
                 f->name);
        tsk_hint(err, "raise verify.depth if a chain this long is meant");
        return;
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
        tsk_fail(err, code,
                 "a CA of this chain may not issue certificates for "
                 "the names of \"%s\" (%s)",
                 f->name, text);
        tsk_hint(err, "have it issued by a CA that may, or reissue it with "
                      "permitted names alone");
        return;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        tsk_fail(err, code,
                 "the signature of \"%s\" on \"%s\" is wrong: "
                 "forged, damaged, or of another key",
                 f->issuer, f->name);
        tsk_hint(err, "fetch the certificate from its issuer again; two CAs "
                      "of one name but different keys look like this too");
        return;
    default:
        tsk_fail(err, code, "the %s \"%s\" is not acceptable: %s", f->role,
                 f->name, text);
        tsk_hint(err,
                 "have it reissued by \"%.60s\" as RFC 5280 asks for it; "
                 "tlsock cert lint tells all that is wrong with it",
                 f->issuer);
        return;
    }
}

static void gather(struct facts *f, X509_STORE_CTX *ctx,
                   const struct tsk_verify_req *req)
{
    memset(f, 0, sizeof(*f));
    f->x509 = X509_STORE_CTX_get_error(ctx);
    f->depth = X509_STORE_CTX_get_error_depth(ctx);
    f->chain = X509_STORE_CTX_get0_chain(ctx);
    f->crt = X509_STORE_CTX_get_current_cert(ctx);
    if (f->crt == NULL)
        f->crt = sk_X509_value(f->chain, f->depth);
    if (f->crt == NULL)
        f->crt = X509_STORE_CTX_get0_cert(ctx);
    f->client = req->purpose == TLSOCK_PURPOSE_CLIENT;
    f->stored = req->stored;
    f->peer = f->client ? "client" : "server";
    f->now = req->time != 0 ? req->time : tsk_wall_time();
    f->role = "certificate";
    if (f->depth > 0)
        f->role = X509_get_extension_flags(f->crt) & EXFLAG_SS ? "root"
                                                               : "intermediate";
    tsk_cert_short_name(f->crt, f->name, sizeof(f->name));
    tsk_cert_short_issuer(f->crt, f->issuer, sizeof(f->issuer));
}

#define POLICIES 200 /* in all of a chain; real ones have a handful */

static int policies_of(STACK_OF(X509) * chain)
{
    int n = 0;

    for (int i = 0; i < sk_X509_num(chain); i++) {
        CERTIFICATEPOLICIES *list = X509_get_ext_d2i(
            sk_X509_value(chain, i), NID_certificate_policies, NULL, NULL);

        if (list != NULL)
            n += sk_POLICYINFO_num(list);
        CERTIFICATEPOLICIES_free(list);
    }
    return n;
}

/* OpenSSL says so, too, when a policy tree grows beyond its limits. */
static int out_of_memory(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                         tlsock_error *err)
{
    struct facts f;
    int n;

    gather(&f, ctx, req);
    n = policies_of(f.chain);
    if (n <= POLICIES)
        return tsk_fail_nomem(err);
    X509_STORE_CTX_set_error(ctx, X509_V_ERR_INVALID_POLICY_EXTENSION);
    tsk_fail(err, TLSOCK_E_CERT_INVALID,
             "the chain of \"%s\" has %d policies, which is too much work to "
             "check",
             f.name, n);
    tsk_hint(err, "no honest chain has that many; ask its owner");
    tsk_facts(err, NULL, NULL, f.name);
    if (err != NULL)
        err->x509_code = X509_V_ERR_INVALID_POLICY_EXTENSION;
    return TLSOCK_E_CERT_INVALID;
}

int tsk_explain_x509(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                     tlsock_error *err)
{
    int code = code_of(X509_STORE_CTX_get_error(ctx));
    struct facts f;

    if (code == TLSOCK_E_NOMEM)
        return out_of_memory(ctx, req, err);
    if (err == NULL)
        return code;
    gather(&f, ctx, req);
    switch (code) {
    case TLSOCK_E_CHAIN_INCOMPLETE:
        chain_incomplete(&f, err);
        break;
    case TLSOCK_E_UNTRUSTED_ROOT:
        untrusted_root(&f, err);
        break;
    case TLSOCK_E_EXPIRED:
    case TLSOCK_E_NOT_YET_VALID:
        out_of_date(&f, code, err);
        break;
    case TLSOCK_E_WEAK:
        weak(&f, err);
        break;
    case TLSOCK_E_PURPOSE:
        wrong_purpose(&f, err);
        break;
    default:
        invalid(&f, code, err);
    }
    tsk_facts(err, NULL, NULL, f.name);
    err->x509_code = f.x509;
    err->x509_depth = f.depth;
    return code;
}
