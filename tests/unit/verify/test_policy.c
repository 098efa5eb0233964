#include "pki.h"

#include "cert/cert.h"
#include "core/clock.h"
#include "fault.h"
#include "verify/policy.h"

#include <openssl/err.h>
#include <time.h>

enum {
    NONE,
    ROOT,
    INTER,
    LEAF,
    EXPIRED,
    NOT_YET,
    OLD_INTER,
    BELOW_OLD,
    OTHER_ROOT,
    STRANGER,
    SELF,
    SELF_OLD,
    CLIENT,
    FALSE_CA,
    BELOW_FALSE,
    WEAK,
    MD_SHA1,
    PL_INTER,
    PL_SUB,
    PL_LEAF,
    NC_INTER,
    NC_GOOD,
    NC_BAD,
    FORGED,
    NO_AKI_V1,
    CERTS
};
static X509 *crt[CERTS];

#define CA(name, k, ...)                                                       \
    pki_make(&(struct pki_spec){                                               \
        .cn = name, .bc = PKI_CA_BC, .ku = PKI_CA_KU, .key = k, __VA_ARGS__})
#define END(name, by, by_key, ...)                                             \
    pki_make(&(struct pki_spec){.cn = name,                                    \
                                .san = "DNS:a.test",                           \
                                .bc = PKI_LEAF_BC,                             \
                                .ku = "critical,digitalSignature",             \
                                .eku = "serverAuth",                           \
                                .key = KEY_LEAF,                               \
                                .issuer = by,                                  \
                                .issuer_key = by_key,                          \
                                __VA_ARGS__})
#pragma GCC diagnostic ignored "-Woverride-init"
#if defined(__clang__)
#pragma clang diagnostic ignored "-Winitializer-overrides"
#endif

static void make_invalid(void)
{
    ASN1_BIT_STRING *sig;
    const ASN1_BIT_STRING *csig;

    crt[FALSE_CA] = END("No CA", crt[ROOT], KEY_ROOT, .key = KEY_INTER);
    crt[BELOW_FALSE] = END("a.test", crt[FALSE_CA], KEY_INTER);
    crt[WEAK] = END("Weak", crt[INTER], KEY_INTER, .key = KEY_WEAK);
    crt[MD_SHA1] = END("Old Hash", crt[INTER], KEY_INTER, .sha1 = 1);
    crt[PL_INTER] = pki_make(&(struct pki_spec){.cn = "Path CA",
                                                .bc = PKI_CA_BC ",pathlen:0",
                                                .ku = PKI_CA_KU,
                                                .key = KEY_INTER,
                                                .issuer = crt[ROOT],
                                                .issuer_key = KEY_ROOT});
    crt[PL_SUB] = CA("Sub CA", KEY_OTHER, .issuer = crt[PL_INTER],
                     .issuer_key = KEY_INTER);
    crt[PL_LEAF] = END("a.test", crt[PL_SUB], KEY_OTHER);
    crt[NC_INTER] =
        CA("Bound CA", KEY_OTHER, .issuer = crt[ROOT], .issuer_key = KEY_ROOT,
           .more = "nameConstraints=critical,permitted;DNS:a.test");
    crt[NC_GOOD] = END("Inside", crt[NC_INTER], KEY_OTHER);
    crt[NC_BAD] = END("Outside", crt[NC_INTER], KEY_OTHER,
                      .san = "DNS:a.test,DNS:b.test");
    crt[FORGED] = X509_dup(crt[LEAF]);
    X509_get0_signature(&csig, NULL, crt[FORGED]);
    sig = (ASN1_BIT_STRING *)csig;
    sig->data[sig->length - 1] ^= 1;
    crt[NO_AKI_V1] = X509_new(); /* version 1, signed by the real CA */
    X509_set_pubkey(crt[NO_AKI_V1], pki_key(KEY_LEAF));
    X509_gmtime_adj(X509_getm_notBefore(crt[NO_AKI_V1]), -9000);
    X509_gmtime_adj(X509_getm_notAfter(crt[NO_AKI_V1]), 9000);
    X509_set_issuer_name(crt[NO_AKI_V1], X509_get_subject_name(crt[INTER]));
    X509_sign(crt[NO_AKI_V1], pki_key(KEY_INTER), EVP_sha256());
}

static int setup(void **state)
{
    (void)state;
    crt[ROOT] = CA("Root CA", KEY_ROOT);
    crt[INTER] =
        CA("Inter CA", KEY_INTER, .issuer = crt[ROOT], .issuer_key = KEY_ROOT);
    crt[LEAF] = END("a.test", crt[INTER], KEY_INTER);
    crt[EXPIRED] =
        END("Old", crt[INTER], KEY_INTER, .from_days = -9, .to_days = -3);
    crt[NOT_YET] =
        END("New", crt[INTER], KEY_INTER, .from_days = 3, .to_days = 9);
    crt[OLD_INTER] = CA("Old Inter", KEY_INTER, .issuer = crt[ROOT],
                        .issuer_key = KEY_ROOT, .from_days = -9, .to_days = -1);
    crt[BELOW_OLD] = END("a.test", crt[OLD_INTER], KEY_INTER);
    crt[OTHER_ROOT] = CA("Other Root", KEY_OTHER);
    crt[STRANGER] = END("a.test", crt[OTHER_ROOT], KEY_OTHER);
    crt[SELF] = END("Self", NULL, KEY_LEAF);
    crt[SELF_OLD] =
        END("Self Old", NULL, KEY_LEAF, .from_days = -9, .to_days = -3);
    crt[CLIENT] = END("Me", crt[INTER], KEY_INTER, .eku = "clientAuth");
    make_invalid();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 1; i < CERTS; i++)
        X509_free(crt[i]);
    pki_free();
    return 0;
}

/* Verifies leaf; sent and anchors are lists that end in 0. */
static int judge(int leaf, const int *sent, const int *anchors,
                 const struct tsk_verify_req *req, struct tsk_verdict *verdict,
                 int *x509_code, tlsock_error *err)
{
    STACK_OF(X509) *untrusted = sk_X509_new_null();
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int rc;

    for (int i = 0; i < 4 && sent[i] != NONE; i++)
        sk_X509_push(untrusted, crt[sent[i]]);
    for (int i = 0; i < 4 && anchors[i] != NONE; i++)
        X509_STORE_add_cert(store, crt[anchors[i]]);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, crt[leaf], untrusted), 1);
    rc = tsk_policy_verify(ctx, req, verdict, err);
    if (x509_code != NULL)
        *x509_code = X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    sk_X509_free(untrusted);
    return rc;
}

struct row {
    const char *claim;
    int leaf, sent[4], anchors[4];
    int want;
    const char *told;          /* in the message, or what was verified */
    const char *hint;          /* or NULL */
    struct tsk_verify_req req; /* name NULL: "a.test"; "-": none */
    int no_partial;
};

/* clang-format off */
static const struct row rows[] = {
    {"a good chain", LEAF, {INTER}, {ROOT}, 0, "chain", NULL, {0}, 0},
    {"in any order and with more", LEAF, {ROOT, STRANGER, INTER}, {ROOT}, 0,
     "chain", NULL, {0}, 0},
    {"without the intermediate", LEAF, {0}, {ROOT}, TLSOCK_E_CHAIN_INCOMPLETE,
     "the server sends no \"Inter CA\"", "append \"Inter CA\"", {0}, 0},
    {"of an unknown root", LEAF, {INTER}, {OTHER_ROOT},
     TLSOCK_E_CHAIN_INCOMPLETE, "a.test <- Inter CA", "--ca +FILE", {0}, 0},
    {"of an unknown root that was sent", LEAF, {INTER, ROOT}, {OTHER_ROOT},
     TLSOCK_E_UNTRUSTED_ROOT, "ends at \"Root CA\"", "--pin sha256:", {0}, 0},
    {"no anchors", LEAF, {INTER}, {0}, TLSOCK_E_CHAIN_INCOMPLETE, "Root CA",
     NULL, {0}, 0},
    {"self-signed", SELF, {0}, {ROOT}, TLSOCK_E_UNTRUSTED_ROOT, "self-signed",
     "--pin sha256:", {0}, 0},
    {"self-signed and trusted", SELF, {0}, {SELF}, 0, "chain", NULL, {0}, 0},
    {"self-signed, trusted, other name", SELF, {0}, {SELF},
     TLSOCK_E_NAME_MISMATCH, "b.test", NULL, {.name = "b.test"}, 0},
    {"self-signed, trusted, expired", SELF_OLD, {0}, {SELF_OLD},
     TLSOCK_E_EXPIRED, "expired 3 days ago", NULL, {0}, 0},
    {"the leaf as anchor", LEAF, {0}, {LEAF}, 0, "chain", NULL, {0}, 0},
    {"the leaf as anchor, whole chains only", LEAF, {0}, {LEAF},
     TLSOCK_E_CHAIN_INCOMPLETE, "no \"Inter CA\"", NULL, {0}, 1},
    {"the intermediate as anchor", LEAF, {0}, {INTER}, 0, "chain", NULL, {0},
     0},
    {"the intermediate as anchor, whole chains only", LEAF, {0}, {INTER},
     TLSOCK_E_UNTRUSTED_ROOT, "no root", "partial-chain", {0}, 1},
    {"expired", EXPIRED, {INTER}, {ROOT}, TLSOCK_E_EXPIRED,
     "\"Old\" expired 3 days ago (20", "reload", {0}, 0},
    {"not yet valid", NOT_YET, {INTER}, {ROOT}, TLSOCK_E_NOT_YET_VALID,
     "this clock says 20", "clock", {0}, 0},
    {"below an expired intermediate", BELOW_OLD, {OLD_INTER}, {ROOT},
     TLSOCK_E_EXPIRED, "the intermediate \"Old Inter\" expired 1 day ago",
     NULL, {0}, 0},
    {"another name", LEAF, {INTER}, {ROOT}, TLSOCK_E_NAME_MISMATCH,
     "the certificate is for a.test", "--name", {.name = "b.test"}, 0},
    {"no name asked", LEAF, {INTER}, {ROOT}, 0, "chain", NULL, {.name = "-"},
     0},
    {"a client's, as server", CLIENT, {INTER}, {ROOT}, TLSOCK_E_PURPOSE,
     "not made for a TLS server", "serverAuth", {0}, 0},
    {"a client's, as client", CLIENT, {INTER}, {ROOT}, 0, "chain", NULL,
     {.purpose = TLSOCK_PURPOSE_CLIENT, .name = "-"}, 0},
    {"a client's, as anything", CLIENT, {INTER}, {ROOT}, 0, "chain", NULL,
     {.purpose = TLSOCK_PURPOSE_ANY}, 0},
    {"a server's, as client", LEAF, {INTER}, {ROOT}, TLSOCK_E_PURPOSE,
     "not made for a TLS client", "clientAuth",
     {.purpose = TLSOCK_PURPOSE_CLIENT, .name = "-"}, 0},
    {"a client without its intermediate", CLIENT, {0}, {ROOT},
     TLSOCK_E_CHAIN_INCOMPLETE, "the client sends no", NULL,
     {.purpose = TLSOCK_PURPOSE_CLIENT, .name = "-"}, 0},
    {"issued by no CA", BELOW_FALSE, {FALSE_CA}, {ROOT},
     TLSOCK_E_CERT_INVALID, "\"No CA\" issued", "CA:TRUE", {0}, 0},
    {"RSA 1024", WEAK, {INTER}, {ROOT}, TLSOCK_E_WEAK, "RSA 1024", "P-256",
     {0}, 0},
    {"SHA-1", MD_SHA1, {INTER}, {ROOT}, TLSOCK_E_WEAK, "SHA1", "SHA-256", {0},
     0},
    {"more CAs than the path length", PL_LEAF, {PL_SUB, PL_INTER}, {ROOT},
     TLSOCK_E_CERT_INVALID, "Path CA\" allows fewer", NULL, {0}, 0},
    {"within the name constraints", NC_GOOD, {NC_INTER}, {ROOT}, 0, "chain",
     NULL, {0}, 0},
    {"outside the name constraints", NC_BAD, {NC_INTER}, {ROOT},
     TLSOCK_E_CERT_INVALID, "may not issue", NULL, {0}, 0},
    {"forged", FORGED, {INTER}, {ROOT}, TLSOCK_E_CERT_INVALID,
     "signature of \"Inter CA\"", NULL, {0}, 0},
    {"version 1", NO_AKI_V1, {INTER}, {ROOT}, TLSOCK_E_CERT_INVALID, "", NULL,
     {0}, 0},
    {"no intermediates allowed", LEAF, {INTER}, {ROOT}, TLSOCK_E_CERT_INVALID,
     "more intermediates", "verify.depth", {.depth = -1}, 0},
    {"no intermediates needed", STRANGER, {0}, {OTHER_ROOT}, 0, "chain", NULL,
     {.depth = -1}, 0},
    {"one intermediate allowed", LEAF, {INTER}, {ROOT}, 0, "chain", NULL,
     {.depth = 1}, 0},

    {"expired is forgiven", EXPIRED, {INTER}, {ROOT}, 0, "insecure expired",
     NULL, {.insecure = TSK_INSECURE_EXPIRED}, 0},
    {"not yet valid too", NOT_YET, {INTER}, {ROOT}, 0, "insecure expired",
     NULL, {.insecure = TSK_INSECURE_EXPIRED}, 0},
    {"nothing to forgive", LEAF, {INTER}, {ROOT}, 0, "chain", NULL,
     {.insecure = TSK_INSECURE_EXPIRED}, 0},
    {"expired is forgiven, the name is not", EXPIRED, {INTER}, {ROOT},
     TLSOCK_E_NAME_MISMATCH, "b.test", NULL,
     {.insecure = TSK_INSECURE_EXPIRED, .name = "b.test"}, 0},
    {"expired is forgiven, the root is not", EXPIRED, {INTER, ROOT},
     {OTHER_ROOT}, TLSOCK_E_UNTRUSTED_ROOT, "Root CA", NULL,
     {.insecure = TSK_INSECURE_EXPIRED}, 0},
    {"expired is forgiven, the purpose is not", CLIENT, {INTER}, {ROOT},
     TLSOCK_E_PURPOSE, "", NULL, {.insecure = TSK_INSECURE_EXPIRED}, 0},
    {"self-signed is forgiven", SELF, {0}, {ROOT}, 0, "insecure self-signed",
     NULL, {.insecure = TSK_INSECURE_SELF_SIGNED}, 0},
    {"self-signed is forgiven, its date is not", SELF_OLD, {0}, {ROOT},
     TLSOCK_E_EXPIRED, "", NULL, {.insecure = TSK_INSECURE_SELF_SIGNED}, 0},
    {"self-signed is forgiven, its name is not", SELF, {0}, {ROOT},
     TLSOCK_E_NAME_MISMATCH, "", NULL,
     {.insecure = TSK_INSECURE_SELF_SIGNED, .name = "b.test"}, 0},
    {"an unknown root is not self-signed", LEAF, {INTER, ROOT}, {OTHER_ROOT},
     TLSOCK_E_UNTRUSTED_ROOT, "", NULL,
     {.insecure = TSK_INSECURE_SELF_SIGNED}, 0},
    {"both are forgiven", SELF_OLD, {0}, {ROOT}, 0,
     "insecure expired self-signed", NULL,
     {.insecure = TSK_INSECURE_SELF_SIGNED | TSK_INSECURE_EXPIRED}, 0},
    {"any name", LEAF, {INTER}, {ROOT}, 0, "insecure no-name", NULL,
     {.insecure = TSK_INSECURE_NO_NAME, .name = "b.test"}, 0},
    {"any name, not any chain", EXPIRED, {INTER}, {ROOT}, TLSOCK_E_EXPIRED, "",
     NULL, {.insecure = TSK_INSECURE_NO_NAME, .name = "b.test"}, 0},
    {"any chain", STRANGER, {0}, {ROOT}, 0, "insecure no-chain", NULL,
     {.insecure = TSK_INSECURE_NO_CHAIN}, 0},
    {"any chain, not any name", STRANGER, {0}, {ROOT}, TLSOCK_E_NAME_MISMATCH,
     "", NULL, {.insecure = TSK_INSECURE_NO_CHAIN, .name = "b.test"}, 0},
    {"anything", FORGED, {0}, {0}, 0, "insecure all", NULL,
     {.insecure = TSK_INSECURE_ALL, .name = "b.test"}, 0},
};
/* clang-format on */

static void run_row(const struct row *row)
{
    struct tsk_verify_req req = row->req;
    struct tsk_verdict verdict;
    tlsock_error err = {0};
    int rc, x509 = 0;

    req.name = req.name == NULL             ? "a.test"
               : strcmp(req.name, "-") == 0 ? NULL
                                            : req.name;
    req.psl = 1;
    req.partial_chain = !row->no_partial;
    rc = judge(row->leaf, row->sent, row->anchors, &req, &verdict, &x509, &err);
    if (rc != row->want || err.code != row->want)
        fail_msg("%s: got %s \"%s\"", row->claim, tlsock_errname(rc),
                 err.message);
    if (strstr(rc < 0 ? err.message : verdict.verified, row->told) == NULL)
        fail_msg("%s: \"%s\" does not tell \"%s\"", row->claim,
                 rc < 0 ? err.message : verdict.verified, row->told);
    if (row->hint != NULL)
        assert_tells(err.hint, row->hint);
    if (rc < 0 && (x509 == X509_V_OK || err.hint[0] == '\0' ||
                   err.subject[0] == '\0' || err.x509_code == 0))
        fail_msg("%s: x509 %d/%d hint \"%s\" subject \"%s\"", row->claim, x509,
                 err.x509_code, err.hint, err.subject);
    if (rc == 0 && (x509 != X509_V_OK || verdict.expires == 0))
        fail_msg("%s: x509 %d", row->claim, x509);
    assert_int_equal(
        judge(row->leaf, row->sent, row->anchors, &req, &verdict, NULL, NULL),
        row->want);
}

static void chains_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        run_row(&rows[i]);
    assert_int_equal(ERR_peek_error(), 0);
}

static const int with_inter[4] = {INTER}, root[4] = {ROOT};

static void time_is_what_the_caller_says(void **state)
{
    struct tsk_verify_req req = {.name = "a.test", .partial_chain = 1};
    struct tsk_verdict verdict;
    static const int chain[] = {LEAF, INTER, ROOT};
    int64_t end = INT64_MAX;

    (void)state;
    /* the first end of the chain: a second may have passed between two */
    for (size_t i = 0; i < COUNT(chain); i++) {
        int64_t at = tsk_cert_time(X509_get0_notAfter(crt[chain[i]]));

        end = at < end ? at : end;
    }
    req.time = tsk_wall_time() + 5 * 86400;
    assert_code(judge(LEAF, with_inter, root, &req, &verdict, NULL, NULL), 0);
    assert_int_equal(verdict.expires, end);
    req.time = end + 5;
    assert_code(judge(LEAF, with_inter, root, &req, &verdict, NULL, NULL),
                TLSOCK_E_EXPIRED);
}

static int64_t fixed_clock(void)
{
    return 86400; /* 1970 */
}

static int64_t soon_after(void)
{
    return tsk_cert_time(X509_get0_notAfter(crt[LEAF])) + 7300;
}

/* The intermediate is told of; the leaf may be a second younger. */
static int64_t right_after(void)
{
    return tsk_cert_time(X509_get0_notAfter(crt[INTER])) + 5;
}

static void ago_is_told_in_fitting_units(void **state)
{
    struct tsk_verify_req req = {.name = "a.test", .partial_chain = 1};
    struct tsk_verdict verdict;
    tlsock_error err = {0};
    const int inter[4] = {INTER};

    (void)state;
    tsk_clock_wall = soon_after;
    assert_code(judge(LEAF, with_inter, inter, &req, &verdict, NULL, &err),
                TLSOCK_E_EXPIRED);
    assert_tells(err.message, "expired 2 hours ago");
    tsk_clock_wall = right_after;
    assert_code(judge(LEAF, with_inter, inter, &req, &verdict, NULL, &err),
                TLSOCK_E_EXPIRED);
    assert_tells(err.message, "expired 5 seconds ago");
    tsk_clock_wall = NULL;
}

/* An anchor that its store has marked as not for servers. */
static void rejected_anchor_is_told(void **state)
{
    struct tsk_verify_req req = {.name = "a.test", .partial_chain = 1};
    ASN1_OBJECT *use = OBJ_nid2obj(NID_server_auth);
    struct tsk_verdict verdict;
    tlsock_error err = {0};
    X509 *whole_root = crt[ROOT];

    (void)state;
    crt[ROOT] = X509_dup(whole_root);
    assert_int_equal(X509_add1_reject_object(crt[ROOT], use), 1);
    assert_code(judge(LEAF, with_inter, root, &req, &verdict, NULL, &err),
                TLSOCK_E_UNTRUSTED_ROOT);
    assert_tells(err.message, "not for this use");
    X509_free(crt[ROOT]);
    crt[ROOT] = whole_root;
}

static void dead_clock_is_told(void **state)
{
    struct tsk_verify_req req = {.name = "a.test", .partial_chain = 1};
    struct tsk_verdict verdict;
    tlsock_error err = {0};

    (void)state;
    tsk_clock_wall = fixed_clock;
    assert_code(judge(LEAF, with_inter, root, &req, &verdict, NULL, &err),
                TLSOCK_E_NOT_YET_VALID);
    tsk_clock_wall = NULL;
    assert_tells(err.message, "this clock says 1970-01-02");
}

static struct tsk_pin pin_of(X509 *x, int of_public_key)
{
    struct tsk_pin pin;
    char text[96];

    assert_true(tsk_cert_fingerprint(x, "sha256", of_public_key, text,
                                     sizeof(text)) > 0);
    assert_code(tsk_pin_parse(&pin, text, NULL), 0);
    return pin;
}

static const struct {
    const char *claim;
    int mode, leaf, pinned, of_public_key;
    const char *name;
    int anchor, want;
    const char *verified;
} pinned[] = {
    {"accept: fits, good chain", TSK_PIN_ACCEPT, LEAF, LEAF, 0, "a.test", ROOT,
     0, "pin sha256:"},
    {"accept: public key", TSK_PIN_ACCEPT, LEAF, LEAF, 1, "a.test", ROOT, 0,
     "pin sha256:pub:"},
    {"accept: stands in for chain and name", TSK_PIN_ACCEPT, SELF_OLD, SELF_OLD,
     0, "b.test", ROOT, 0, "pin sha256:"},
    {"accept: does not fit, good chain", TSK_PIN_ACCEPT, LEAF, SELF, 0,
     "a.test", ROOT, 0, "chain"},
    {"accept: does not fit, wrong name", TSK_PIN_ACCEPT, LEAF, SELF, 0,
     "b.test", ROOT, TLSOCK_E_NAME_MISMATCH, NULL},
    {"accept: does not fit, bad chain", TSK_PIN_ACCEPT, STRANGER, SELF, 0,
     "a.test", ROOT, TLSOCK_E_CHAIN_INCOMPLETE, NULL},
    {"accept: the intermediate's pin is none of the leaf", TSK_PIN_ACCEPT, LEAF,
     INTER, 0, "a.test", OTHER_ROOT, TLSOCK_E_CHAIN_INCOMPLETE, NULL},
    {"accept: unpinned and self-signed", TSK_PIN_ACCEPT, SELF, LEAF, 0,
     "a.test", ROOT, TLSOCK_E_UNTRUSTED_ROOT, NULL},
    {"require: fits, nothing else counts", TSK_PIN_REQUIRE, SELF_OLD, SELF_OLD,
     0, "b.test", ROOT, 0, "pin sha256:"},
    {"require: a good chain is not enough", TSK_PIN_REQUIRE, LEAF, SELF, 0,
     "a.test", ROOT, TLSOCK_E_PIN, NULL},
    {"require: the intermediate's pin is not", TSK_PIN_REQUIRE, LEAF, INTER, 0,
     "a.test", ROOT, TLSOCK_E_PIN, NULL},
    {"require-chain: leaf", TSK_PIN_REQUIRE_CHAIN, LEAF, LEAF, 0, "a.test",
     ROOT, 0, "chain"},
    {"require-chain: intermediate", TSK_PIN_REQUIRE_CHAIN, LEAF, INTER, 1,
     "a.test", ROOT, 0, "chain"},
    {"require-chain: root", TSK_PIN_REQUIRE_CHAIN, LEAF, ROOT, 1, "a.test",
     ROOT, 0, "chain"},
    {"require-chain: not in the chain", TSK_PIN_REQUIRE_CHAIN, LEAF, OTHER_ROOT,
     1, "a.test", ROOT, TLSOCK_E_PIN, NULL},
    {"require-chain: fits, wrong name", TSK_PIN_REQUIRE_CHAIN, LEAF, LEAF, 0,
     "b.test", ROOT, TLSOCK_E_NAME_MISMATCH, NULL},
    {"require-chain: fits, bad chain", TSK_PIN_REQUIRE_CHAIN, LEAF, LEAF, 0,
     "a.test", OTHER_ROOT, TLSOCK_E_CHAIN_INCOMPLETE, NULL},
};

static void pins_do_what_their_mode_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(pinned); i++) {
        struct tsk_pin pin =
            pin_of(crt[pinned[i].pinned], pinned[i].of_public_key);
        struct tsk_verify_req req = {.name = pinned[i].name,
                                     .partial_chain = 1,
                                     .pins = &pin,
                                     .n_pins = 1,
                                     .pin_mode = pinned[i].mode};
        int anchors[4] = {pinned[i].anchor}, x509 = 0, rc;
        struct tsk_verdict verdict;
        tlsock_error err = {0};

        rc = judge(pinned[i].leaf, with_inter, anchors, &req, &verdict, &x509,
                   &err);
        if (rc != pinned[i].want || err.code != rc)
            fail_msg("%s: got %s \"%s\"", pinned[i].claim, tlsock_errname(rc),
                     err.message);
        if (rc == 0 && strncmp(verdict.verified, pinned[i].verified,
                               strlen(pinned[i].verified)) != 0)
            fail_msg("%s: \"%s\"", pinned[i].claim, verdict.verified);
        if (rc == TLSOCK_E_PIN) {
            assert_int_equal(x509, X509_V_ERR_APPLICATION_VERIFICATION);
            assert_tells(err.hint, "sha256:");
            assert_tells(err.presented, "sha256:");
            assert_tells(err.expected, "sha");
            assert_int_equal(strstr(err.expected, ":pub:") != NULL,
                             req.pins[0].of_public_key);
            assert_int_equal(strstr(err.presented, ":pub:") != NULL,
                             req.pins[0].of_public_key);
            assert_string_not_equal(err.expected, err.presented);
        }
        assert_int_equal(judge(pinned[i].leaf, with_inter, anchors, &req,
                               &verdict, NULL, NULL),
                         rc);
    }
}

static void mode_that_needs_a_pin_is_not_met_by_none(void **state)
{
    struct tsk_verify_req req = {.name = "a.test", .partial_chain = 1};
    struct tsk_verdict verdict;
    tlsock_error err = {0};

    (void)state;
    for (req.pin_mode = TSK_PIN_REQUIRE; req.pin_mode <= TSK_PIN_REQUIRE_CHAIN;
         req.pin_mode++)
        assert_code(judge(LEAF, with_inter, root, &req, &verdict, NULL, &err),
                    TLSOCK_E_PIN);
    assert_tells(err.message, "there is none");
}

/* features.md F78: one failed chain must not stick to anything shared. */
static void failures_leave_nothing_behind(void **state)
{
    struct tsk_pin pin = pin_of(crt[SELF_OLD], 0);
    struct tsk_verify_req req = {
        .name = "a.test", .partial_chain = 1, .pins = &pin, .n_pins = 1};
    static const struct {
        int leaf, want;
    } sequence[] = {{LEAF, 0},     {SELF_OLD, 0},
                    {LEAF, 0},     {SELF, TLSOCK_E_UNTRUSTED_ROOT},
                    {LEAF, 0},     {EXPIRED, TLSOCK_E_EXPIRED},
                    {SELF_OLD, 0}, {LEAF, 0}};
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) *sent = pki_stack(&crt[INTER], 1);

    (void)state;
    X509_STORE_add_cert(store, crt[ROOT]);
    for (size_t i = 0; i < COUNT(sequence); i++) {
        X509_STORE_CTX *ctx = X509_STORE_CTX_new();
        struct tsk_verdict verdict;

        X509_STORE_CTX_init(ctx, store, crt[sequence[i].leaf], sent);
        assert_code(tsk_policy_verify(ctx, &req, &verdict, NULL),
                    sequence[i].want);
        X509_STORE_CTX_free(ctx);
    }
    X509_STORE_free(store);
    sk_X509_free(sent);
}

static void no_certificate_is_refused(void **state)
{
    struct tsk_verify_req req = {.insecure = TSK_INSECURE_ALL};
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_STORE *store = X509_STORE_new();
    struct tsk_verdict verdict;
    tlsock_error err = {0};

    (void)state;
    X509_STORE_CTX_init(ctx, store, NULL, NULL);
    assert_code(tsk_policy_verify(ctx, &req, &verdict, &err),
                TLSOCK_E_CERT_INVALID);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
}

/* A pin instead of a chain, with each allocation and each call of OpenSSL
 * failing: what does not have that key is never accepted. */
static void failing_memory_fits_no_pin(void **state)
{
    static const int leaves[] = {LEAF, STRANGER};

    (void)state;
    for (size_t i = 0; i < COUNT(leaves); i++) {
        for (int kind = FAULT_OWN; kind <= FAULT_REFUSED; kind++) {
            int fired = 1;

            for (long n = 1; fired && n < 3000; n++) {
                X509_STORE *store = X509_STORE_new();
                X509_STORE_CTX *ctx = X509_STORE_CTX_new();
                struct tsk_pin pin;
                struct tsk_verify_req req = {.pins = &pin, .n_pins = 1};
                struct tsk_verdict verdict;
                tlsock_error err = {0};
                int rc;

                pin = pin_of(crt[LEAF], 0);
                X509_STORE_CTX_init(ctx, store, crt[leaves[i]], NULL);
                fault_arm((enum fault_kind)kind, n, 1);
                rc = tsk_policy_verify(ctx, &req, &verdict, &err);
                fired = fault_disarm();
                if (i > 0 && rc >= 0)
                    fail_msg("%s %ld: accepted",
                             fault_name((enum fault_kind)kind), n);
                if (rc < 0 && (err.code != rc || err.message[0] == '\0'))
                    fail_msg("%s %ld: %d without a cause",
                             fault_name((enum fault_kind)kind), n, rc);
                if (!fired && i == 0) {
                    assert_code(rc, 0);
                    assert_tells(verdict.verified, "pin ");
                }
                X509_STORE_CTX_free(ctx);
                X509_STORE_free(store);
            }
            assert_int_equal(fired, 0);
        }
    }
}

/* Every n-th allocation fails once: a good chain may then be refused, a bad
 * one is never accepted. ASan looks after leaks. */
static void failing_memory_never_says_yes(void **state)
{
    static const int leaves[] = {LEAF, EXPIRED, STRANGER, SELF, WEAK};
    struct tsk_verify_req req = {.name = "a.test", .partial_chain = 1};
    struct tsk_verdict verdict;

    (void)state;
    for (size_t i = 0; i < COUNT(leaves); i++) {
        for (int kind = FAULT_OWN; kind <= FAULT_REFUSED; kind++) {
            int fired = 1;

            for (long n = 1; fired && n < 3000; n++) {
                STACK_OF(X509) *sent = pki_stack(&crt[INTER], 1);
                X509_STORE *store = X509_STORE_new();
                X509_STORE_CTX *ctx = X509_STORE_CTX_new();
                tlsock_error err = {0};
                int rc;

                X509_STORE_add_cert(store, crt[ROOT]);
                X509_STORE_CTX_init(ctx, store, crt[leaves[i]], sent);
                fault_arm((enum fault_kind)kind, n, 1);
                rc = tsk_policy_verify(ctx, &req, &verdict, &err);
                fired = fault_disarm();
                if (i > 0 && rc >= 0)
                    fail_msg("leaf %d, %s %ld: accepted", leaves[i],
                             fault_name((enum fault_kind)kind), n);
                if (rc < 0 && (err.code != rc || err.message[0] == '\0'))
                    fail_msg("leaf %d, %s %ld: %d without a cause", leaves[i],
                             fault_name((enum fault_kind)kind), n, rc);
                if (!fired && i == 0)
                    assert_code(rc, 0);
                X509_STORE_CTX_free(ctx);
                X509_STORE_free(store);
                sk_X509_free(sent);
            }
            assert_int_equal(fired, 0);
        }
    }
    assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_are_judged),
        cmocka_unit_test(time_is_what_the_caller_says),
        cmocka_unit_test(ago_is_told_in_fitting_units),
        cmocka_unit_test(rejected_anchor_is_told),
        cmocka_unit_test(dead_clock_is_told),
        cmocka_unit_test(pins_do_what_their_mode_says),
        cmocka_unit_test(mode_that_needs_a_pin_is_not_met_by_none),
        cmocka_unit_test(failures_leave_nothing_behind),
        cmocka_unit_test(no_certificate_is_refused),
        cmocka_unit_test(failing_memory_fits_no_pin),
        cmocka_unit_test(failing_memory_never_says_yes),
    };

    fault_init();
    return cmocka_run_group_tests(tests, setup, teardown);
}
