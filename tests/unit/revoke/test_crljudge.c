/* What lists say of a certificate: RFC 5280, 6.3, rule by rule. */
#include "lists.h"

#include "revoke/crljudge.h"

#include <openssl/err.h>

static X509 *root, *other_root, *lists, *lists_of_other, *no_sign, *again,
    *other;

static const struct pki_spec leaf_spec = {.cn = "Leaf",
                                          .san = "DNS:a.test",
                                          .bc = PKI_LEAF_BC,
                                          .ku = "critical,digitalSignature",
                                          .key = KEY_LEAF,
                                          .issuer_key = KEY_ROOT};

static X509 *ca(const char *cn, const char *ku, enum pki_key key, X509 *issuer,
                enum pki_key issuer_key)
{
    return lists_cert(&(struct pki_spec){.cn = cn,
                                         .bc = PKI_CA_BC,
                                         .ku = ku,
                                         .key = key,
                                         .issuer = issuer,
                                         .issuer_key = issuer_key},
                      NULL);
}

static int setup(void **state)
{
    (void)state;
    root = ca("Root CA", PKI_CA_KU, KEY_ROOT, NULL, 0);
    other_root = ca("Root CA", PKI_CA_KU, KEY_OTHER, NULL, 0);
    lists =
        ca("Lists", "critical,cRLSign,keyCertSign", KEY_INTER, root, KEY_ROOT);
    lists_of_other = ca("Lists", "critical,cRLSign,keyCertSign", KEY_INTER,
                        other_root, KEY_OTHER);
    no_sign = ca("Lists", "critical,keyCertSign", KEY_OTHER, root, KEY_ROOT);
    again = ca("Root CA", PKI_CA_KU, KEY_INTER, root, KEY_ROOT);
    other = ca("Other", PKI_CA_KU, KEY_OTHER, root, KEY_ROOT);
    return 0;
}

static int teardown(void **state)
{
    X509 *all[] = {root,    other_root, lists, lists_of_other,
                   no_sign, again,      other};

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++)
        X509_free(all[i]);
    pki_free();
    return 0;
}

/* Which certificates are in a table that is made before they are. */
enum who { NOBODY, ROOT, LEAF, LISTS, AGAIN, OTHER, NO_SIGN, OF_OTHER, EMPTY };

struct entry {
    enum who who;
    int reason;
    enum who of;
    const char *more;
};

struct list {
    enum who by;
    enum pki_key key;
    struct entry entries[3];
    const char *idp;
    int number, base, from, to;
    int weak, keyid, spoil;
    const char *more;
};

struct row {
    const char *claim;
    const char *points;
    int is_ca;
    enum who sent; /* with the chain */
    struct list lists[4];
    enum tsk_state want;
    const char *told;
    int reason;
};

static X509 *pick(enum who w, X509 *leaf)
{
    X509 *all[] = {NULL,  root,  leaf,    lists,
                   again, other, no_sign, lists_of_other};

    return w == EMPTY ? NULL : all[w];
}

static struct list_spec spec_of(const struct list *l, X509 *leaf)
{
    struct list_spec s = {.by = pick(l->by, leaf),
                          .key = l->key,
                          .idp = l->idp,
                          .number = l->number,
                          .base = l->base,
                          .from_days = l->from,
                          .to_days = l->to,
                          .weak = l->weak,
                          .keyid = l->keyid,
                          .spoil = l->spoil,
                          .more = l->more};

    for (size_t i = 0; i < COUNT(l->entries); i++) {
        s.entries[i].who = pick(l->entries[i].who, leaf);
        s.entries[i].reason = l->entries[i].reason;
        s.entries[i].of = pick(l->entries[i].of, leaf);
        s.entries[i].more = l->entries[i].more;
        s.entries[i].serial = l->entries[i].who == EMPTY ? 77777 : 0;
    }
    return s;
}

static X509 *leaf_of(const struct row *r)
{
    struct pki_spec spec = leaf_spec;

    spec.issuer = root;
    if (r->is_ca) {
        spec.bc = PKI_CA_BC;
        spec.ku = PKI_CA_KU;
    }
    return lists_cert(&spec, r->points);
}

static void try_row(const struct row *r)
{
    X509 *leaf = leaf_of(r), *members[] = {leaf, root}, *sent;
    struct tsk_crls *given[COUNT(r->lists)];
    struct tsk_crl_question q = {.now = LISTS_NOW};
    tlsock_error err = {0};
    struct tsk_status st, silent;
    size_t n = 0;
    int rc;

    for (; n < COUNT(r->lists) && r->lists[n].by != NOBODY; n++) {
        struct list_spec s = spec_of(&r->lists[n], leaf);

        given[n] = lists_read(&s);
    }
    sent = pick(r->sent, leaf);
    q.chain = pki_stack(members, 2);
    q.untrusted = pki_stack(&sent, 1);
    for (int turn = 0; turn < 2; turn++) { /* the second knows signatures */
        memset(&err, 0, sizeof(err));
        rc = tsk_crl_judge(given, n, &q, &st, &err);
        if (rc != 0 || st.state != r->want ||
            (r->told != NULL && strstr(err.message, r->told) == NULL))
            fail_msg("%s: %d, state %d \"%s\"", r->claim, rc, st.state,
                     err.message);
        if (r->want == TSK_GOOD)
            assert_int_equal(err.code, 0);
        else
            assert_true(err.hint[0] != '\0' && err.x509_code != 0);
    }
    if (r->want == TSK_REVOKED) {
        assert_int_equal(st.reason, r->reason != 0 ? r->reason : -1);
        assert_int_equal(st.when, 1767323045);
        assert_int_equal(err.code, TLSOCK_E_REVOKED);
    }
    assert_int_equal(tsk_crl_judge(given, n, &q, &silent, NULL), 0);
    assert_memory_equal(&silent, &st, sizeof(st));
    assert_int_equal(ERR_peek_error(), 0);
    while (n > 0)
        tsk_crls_unref(given[--n]);
    sk_X509_free(q.chain);
    sk_X509_free(q.untrusted);
    X509_free(leaf);
}

static void try_all(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        try_row(&rows[i]);
}

#define BY_ROOT .by = ROOT, .key = KEY_ROOT
#define BY_LISTS .by = LISTS, .key = KEY_INTER
#define ON_IT .entries = {{.who = LEAF}}
#define NOT_ON_IT .entries = {{.who = EMPTY}}

static void an_issuers_list_tells_of_its_certificates(void **state)
{
    static const struct row rows[] = {
        {"not on it", .lists = {{BY_ROOT, NOT_ON_IT}}, .want = TSK_GOOD},
        {"an empty one", .lists = {{BY_ROOT}}, .want = TSK_GOOD},
        {"on it", .lists = {{BY_ROOT, ON_IT}}, .want = TSK_REVOKED,
         .told = "\"Leaf\" was revoked on 2026-01-02T03:04:05Z (unspecified), "
                 "says the CRL of \"Root CA\""},
        {"with a reason", .lists = {{BY_ROOT, .entries = {{EMPTY}, {LEAF, 4}}}},
         .want = TSK_REVOKED, .told = "(superseded)", .reason = 4},
        {"a removal in a list that is no delta",
         .lists = {{BY_ROOT, .entries = {{LEAF, 8}}}}, .want = TSK_GOOD},
        {"twice, once removed",
         .lists = {{BY_ROOT, .entries = {{LEAF, 8}, {LEAF, 1}}}},
         .want = TSK_REVOKED, .reason = 1},
        {"the newer of two counts: on it",
         .lists = {{BY_ROOT, .from = -3, .to = 3},
                   {BY_ROOT, ON_IT, .from = -2, .to = 3}},
         .want = TSK_REVOKED},
        {"the newer of two counts: not on it",
         .lists = {{BY_ROOT, ON_IT, .from = -3, .to = 3},
                   {BY_ROOT, .from = -2, .to = 3}},
         .want = TSK_GOOD},
        {"no list", .want = TSK_UNKNOWN, .told = "there is no CRL of"},
        {"somebody else's list", .lists = {{OTHER, KEY_OTHER, NOT_ON_IT}},
         .want = TSK_UNKNOWN, .told = "there is no CRL of \"Root CA\""},
    };

    (void)state;
    try_all(rows, COUNT(rows));
}

static void a_list_has_to_be_in_date(void **state)
{
    static const struct row rows[] = {
        {"overdue", .lists = {{BY_ROOT, .from = -9, .to = -2}},
         .want = TSK_UNKNOWN,
         .told = "was due to be renewed on 2027-01-13T08:00:00Z"},
        {"overdue beside a good one",
         .lists = {{BY_ROOT, .from = -9, .to = -2}, {BY_ROOT}},
         .want = TSK_GOOD},
        {"early", .lists = {{BY_ROOT, .from = 2, .to = 9}}, .want = TSK_UNKNOWN,
         .told = "is valid from 2027-01-17T08:00:00Z on"},
        {"without an end, young", .lists = {{BY_ROOT, .from = -9, .to = 999}},
         .want = TSK_GOOD},
        {"without an end, old", .lists = {{BY_ROOT, .from = -11, .to = 999}},
         .want = TSK_UNKNOWN, .told = "was due"},
        {"it ends before it begins", .lists = {{BY_ROOT, .from = 1, .to = -1}},
         .want = TSK_UNKNOWN, .told = "ends before it begins"},
    };

    (void)state;
    try_all(rows, COUNT(rows));
}

static void a_list_has_to_be_signed_by_one_who_may(void **state)
{
    static const struct row rows[] = {
        {"another CA of the same name", .lists = {{ROOT, KEY_OTHER}},
         .want = TSK_UNKNOWN, .told = "its signature is wrong"},
        {"a changed signature", .lists = {{BY_ROOT, .spoil = 1}},
         .want = TSK_UNKNOWN, .told = "its signature is wrong"},
        {"forged beside the true one",
         .lists = {{BY_ROOT, ON_IT, .spoil = 1}, {BY_ROOT}}, .want = TSK_GOOD},
        {"SHA-1", .lists = {{BY_ROOT, .weak = 1}}, .want = TSK_UNKNOWN,
         .told = "too weak"},
        {"the issuer's key by its identifier", .lists = {{BY_ROOT, .keyid = 1}},
         .want = TSK_GOOD},
        {"another key of the issuer's, which is certified", .sent = AGAIN,
         .lists = {{AGAIN, KEY_INTER, .keyid = 1}}, .want = TSK_GOOD},
        {"the same without its certificate",
         .lists = {{AGAIN, KEY_INTER, .keyid = 1}}, .want = TSK_UNKNOWN,
         .told = "no certificate that leads to the same root"},
        {"another key, whose certificate its CA's list clears", .sent = AGAIN,
         .lists = {{AGAIN, KEY_INTER, .keyid = 1, .idp = "i_user"},
                   {BY_ROOT, .idp = "i_ca"}},
         .want = TSK_GOOD},
        {"another key, but its certificate is revoked", .sent = AGAIN,
         .lists = {{AGAIN, KEY_INTER, .keyid = 1, .idp = "i_user"},
                   {BY_ROOT, .idp = "i_ca", .entries = {{AGAIN}}}},
         .want = TSK_UNKNOWN, .told = "no certificate"},
        {"and its own word does not help it", .sent = AGAIN,
         .lists = {{AGAIN, KEY_INTER, .keyid = 1},
                   {BY_ROOT, .idp = "i_ca", .entries = {{AGAIN}}, .from = -3,
                    .to = 3}},
         .want = TSK_UNKNOWN, .told = "no certificate"},
    };

    (void)state;
    try_all(rows, COUNT(rows));
}

static void what_is_critical_and_unknown_forbids_a_list(void **state)
{
    static const struct row rows[] = {
        {"of the list", .lists = {{BY_ROOT, .more = "!1.2.3.4"}},
         .want = TSK_UNKNOWN, .told = "critical extension that is not known"},
        {"of the list, not critical", .lists = {{BY_ROOT, .more = "1.2.3.4"}},
         .want = TSK_GOOD},
        {"of an entry, even another's",
         .lists = {{BY_ROOT, .entries = {{EMPTY, 0, 0, "!1.2.3.4"}}}},
         .want = TSK_UNKNOWN, .told = "an entry has a critical extension"},
        {"of an entry, not critical",
         .lists = {{BY_ROOT, .entries = {{LEAF, 0, 0, "1.2.3.4"}}}},
         .want = TSK_REVOKED},
    };

    (void)state;
    try_all(rows, COUNT(rows));
}

static void a_scope_is_kept(void **state)
{
    static const struct row rows[] = {
        {"users, a user", .lists = {{BY_ROOT, ON_IT, .idp = "i_user"}},
         .want = TSK_REVOKED},
        {"users, a CA", .is_ca = 1, .lists = {{BY_ROOT, .idp = "i_user"}},
         .want = TSK_UNKNOWN, .told = "for other certificates"},
        {"CAs, a CA", .is_ca = 1, .lists = {{BY_ROOT, .idp = "i_ca"}},
         .want = TSK_GOOD},
        {"CAs, a user", .lists = {{BY_ROOT, .idp = "i_ca"}},
         .want = TSK_UNKNOWN, .told = "for other certificates"},
        {"attributes", .lists = {{BY_ROOT, .idp = "i_aa"}}, .want = TSK_UNKNOWN,
         .told = "for other certificates"},
        {"users and CAs alone", .lists = {{BY_ROOT, .idp = "i_twice"}},
         .want = TSK_UNKNOWN, .told = "for other certificates"},
        {"the point that the certificate names", .points = "p_a",
         .lists = {{BY_ROOT, ON_IT, .idp = "i_a"}}, .want = TSK_REVOKED},
        {"one of several names", .points = "p_a",
         .lists = {{BY_ROOT, .idp = "i_two"}}, .want = TSK_GOOD},
        {"one of several points", .points = "p_b,p_a",
         .lists = {{BY_ROOT, .idp = "i_a"}}, .want = TSK_GOOD},
        {"another point", .points = "p_b", .lists = {{BY_ROOT, .idp = "i_a"}},
         .want = TSK_UNKNOWN, .told = "for other certificates"},
        {"a point, of which the certificate knows none",
         .lists = {{BY_ROOT, .idp = "i_a"}}, .want = TSK_UNKNOWN},
        {"a list without a point is for all", .points = "p_b",
         .lists = {{BY_ROOT}}, .want = TSK_GOOD},
        {"the issuer itself is a point", .lists = {{BY_ROOT, .idp = "i_own"}},
         .want = TSK_GOOD},
        {"relative names", .points = "p_rel",
         .lists = {{BY_ROOT, ON_IT, .idp = "i_rel"}}, .want = TSK_REVOKED},
        {"relative to full", .points = "p_rel",
         .lists = {{BY_ROOT, .idp = "i_relfull"}}, .want = TSK_GOOD},
        {"relative to another", .points = "p_a",
         .lists = {{BY_ROOT, .idp = "i_rel"}}, .want = TSK_UNKNOWN},
    };

    (void)state;
    try_all(rows, COUNT(rows));
}

static void reasons_are_collected(void **state)
{
    static const struct row rows[] = {
        {"some reasons", .lists = {{BY_ROOT, .idp = "i_key"}},
         .want = TSK_UNKNOWN, .told = "about some reasons only"},
        {"the others, too",
         .lists = {{BY_ROOT, .idp = "i_key"}, {BY_ROOT, .idp = "i_rest"}},
         .want = TSK_GOOD},
        {"on the first",
         .lists = {{BY_ROOT, ON_IT, .idp = "i_key"},
                   {BY_ROOT, .idp = "i_rest"}},
         .want = TSK_REVOKED},
        {"on the second",
         .lists = {{BY_ROOT, .idp = "i_key"},
                   {BY_ROOT, ON_IT, .idp = "i_rest"}},
         .want = TSK_REVOKED},
        {"on the only one", .lists = {{BY_ROOT, ON_IT, .idp = "i_key"}},
         .want = TSK_REVOKED},
        {"the second is overdue",
         .lists = {{BY_ROOT, .idp = "i_key"},
                   {BY_ROOT, .idp = "i_rest", .from = -9, .to = -2}},
         .want = TSK_UNKNOWN, .told = "was due"},
        {"the certificate's point is for one reason", .points = "p_key",
         .lists = {{BY_ROOT, .idp = "i_a"}}, .want = TSK_UNKNOWN,
         .told = "about some reasons only"},
    };

    (void)state;
    try_all(rows, COUNT(rows));
}

static void a_delta_brings_a_list_up_to_date(void **state)
{
    static const struct row rows[] = {
        {"revoked since",
         .lists = {{BY_ROOT, .number = 5},
                   {BY_ROOT, .entries = {{LEAF, 1}}, .number = 7, .base = 5}},
         .want = TSK_REVOKED, .reason = 1},
        {"made for an older base",
         .lists = {{BY_ROOT, .number = 6},
                   {BY_ROOT, ON_IT, .number = 7, .base = 5}},
         .want = TSK_REVOKED},
        {"made for a newer base",
         .lists = {{BY_ROOT, .number = 4},
                   {BY_ROOT, ON_IT, .number = 7, .base = 5}},
         .want = TSK_GOOD},
        {"older than the base",
         .lists = {{BY_ROOT, .number = 8},
                   {BY_ROOT, ON_IT, .number = 7, .base = 5}},
         .want = TSK_GOOD},
        {"removed since",
         .lists = {{BY_ROOT, .entries = {{LEAF, 6}}, .number = 5},
                   {BY_ROOT, .entries = {{LEAF, 8}}, .number = 7, .base = 5}},
         .want = TSK_GOOD},
        {"not in the delta, in the base",
         .lists = {{BY_ROOT, ON_IT, .number = 5},
                   {BY_ROOT, NOT_ON_IT, .number = 7, .base = 5}},
         .want = TSK_REVOKED},
        {"a delta alone", .lists = {{BY_ROOT, ON_IT, .number = 7, .base = 5}},
         .want = TSK_UNKNOWN, .told = "there is no CRL"},
        {"a base without a number",
         .lists = {{BY_ROOT}, {BY_ROOT, ON_IT, .number = 7, .base = 5}},
         .want = TSK_GOOD},
        {"the newest of two",
         .lists = {{BY_ROOT, .number = 5},
                   {BY_ROOT, ON_IT, .number = 6, .base = 5, .from = -3,
                    .to = 3},
                   {BY_ROOT, .entries = {{LEAF, 8}}, .number = 7, .base = 5}},
         .want = TSK_GOOD},
        {"an overdue base, a fresh delta",
         .lists = {{BY_ROOT, .number = 5, .from = -9, .to = -2},
                   {BY_ROOT, .number = 7, .base = 5}},
         .want = TSK_GOOD},
        {"an overdue base, an overdue delta",
         .lists = {{BY_ROOT, .number = 5, .from = -9, .to = -2},
                   {BY_ROOT, .number = 7, .base = 5, .from = -8, .to = -1}},
         .want = TSK_UNKNOWN, .told = "was due"},
        {"a fresh base, an overdue delta",
         .lists = {{BY_ROOT, .number = 5},
                   {BY_ROOT, ON_IT, .number = 7, .base = 5, .from = -8,
                    .to = -1}},
         .want = TSK_GOOD},
        {"a forged delta",
         .lists = {{BY_ROOT, .number = 5},
                   {BY_ROOT, ON_IT, .number = 7, .base = 5, .spoil = 1}},
         .want = TSK_GOOD},
        {"of another scope",
         .lists = {{BY_ROOT, .number = 5},
                   {BY_ROOT, ON_IT, .number = 7, .base = 5, .idp = "i_user"}},
         .want = TSK_GOOD},
        {"of another key identifier",
         .lists = {{BY_ROOT, .number = 5, .keyid = 1},
                   {BY_ROOT, ON_IT, .number = 7, .base = 5}},
         .want = TSK_GOOD},
        {"not to be used",
         .lists = {{BY_ROOT, .number = 5},
                   {BY_ROOT, ON_IT, .number = 7, .base = 5,
                    .more = "!1.2.3.4"}},
         .want = TSK_GOOD},
    };

    (void)state;
    try_all(rows, COUNT(rows));
}

static void others_may_list_for_an_issuer(void **state)
{
    static const struct row rows[] = {
        {"the one whom the certificate names", .points = "p_lists",
         .sent = LISTS,
         .lists = {{BY_LISTS, .idp = "i_indirect",
                    .entries = {{LEAF, 0, ROOT}}},
                   {BY_ROOT, .idp = "i_ca"}},
         .want = TSK_REVOKED, .told = "says the CRL of \"Lists\""},
        {"not on it", .points = "p_lists", .sent = LISTS,
         .lists = {{BY_LISTS, .idp = "i_indirect",
                    .entries = {{EMPTY, 0, ROOT}}},
                   {BY_ROOT, .idp = "i_ca"}},
         .want = TSK_GOOD},
        {"the same number of another issuer", .points = "p_lists",
         .sent = LISTS,
         .lists = {{BY_LISTS, .idp = "i_indirect",
                    .entries = {{LEAF, 0, OTHER}}},
                   {BY_ROOT, .idp = "i_ca"}},
         .want = TSK_GOOD},
        {"the same number of the list's issuer", .points = "p_lists",
         .sent = LISTS,
         .lists = {{BY_LISTS, .idp = "i_indirect", ON_IT},
                   {BY_ROOT, .idp = "i_ca"}},
         .want = TSK_GOOD},
        {"an issuer holds until the next one", .points = "p_lists",
         .sent = LISTS,
         .lists = {{BY_LISTS, .idp = "i_indirect",
                    .entries = {{EMPTY, 0, OTHER}, {EMPTY, 0, ROOT}, {LEAF}}},
                   {BY_ROOT, .idp = "i_ca"}},
         .want = TSK_REVOKED},
        {"and no longer", .points = "p_lists", .sent = LISTS,
         .lists = {{BY_LISTS, .idp = "i_indirect",
                    .entries = {{EMPTY, 0, ROOT}, {EMPTY, 0, OTHER}, {LEAF}}},
                   {BY_ROOT, .idp = "i_ca"}},
         .want = TSK_GOOD},
        {"not said to be indirect", .points = "p_lists", .sent = LISTS,
         .lists = {{BY_LISTS, .entries = {{LEAF, 0, ROOT}}},
                   {BY_ROOT, .idp = "i_ca"}},
         .want = TSK_UNKNOWN},
        {"not named by the certificate", .points = "p_a", .sent = LISTS,
         .lists = {{BY_LISTS, .idp = "i_indirect"}, {BY_ROOT, .idp = "i_ca"}},
         .want = TSK_UNKNOWN},
        {"named with the right point", .points = "p_lists_a", .sent = LISTS,
         .lists = {{BY_LISTS, .idp = "i_indirect_a"}, {BY_ROOT, .idp = "i_ca"}},
         .want = TSK_GOOD},
        {"named without a point: the lister is it", .points = "p_lists",
         .sent = LISTS,
         .lists = {{BY_LISTS, .idp = "i_indirect_lists"},
                   {BY_ROOT, .idp = "i_ca"}},
         .want = TSK_GOOD},
        {"named without a point, but the list has one", .points = "p_lists",
         .sent = LISTS,
         .lists = {{BY_LISTS, .idp = "i_indirect_a"}, {BY_ROOT, .idp = "i_ca"}},
         .want = TSK_UNKNOWN},
        {"a point relative to the lister", .points = "p_rel_lists",
         .sent = LISTS,
         .lists = {{BY_LISTS, .idp = "i_indirect_rel"},
                   {BY_ROOT, .idp = "i_ca"}},
         .want = TSK_GOOD},
        {"its certificate is not there", .points = "p_lists",
         .lists = {{BY_LISTS, .idp = "i_indirect"}, {BY_ROOT, .idp = "i_ca"}},
         .want = TSK_UNKNOWN,
         .told = "no certificate that leads to the same root"},
        {"its certificate is of another root", .points = "p_lists",
         .sent = OF_OTHER,
         .lists = {{BY_LISTS, .idp = "i_indirect"}, {BY_ROOT, .idp = "i_ca"}},
         .want = TSK_UNKNOWN,
         .told = "no certificate that leads to the same root"},
        {"its certificate may not sign lists", .points = "p_lists",
         .sent = NO_SIGN,
         .lists = {{NO_SIGN, KEY_OTHER, .idp = "i_indirect"},
                   {BY_ROOT, .idp = "i_ca"}},
         .want = TSK_UNKNOWN, .told = "cRLSign"},
        {"its certificate is revoked", .points = "p_lists", .sent = LISTS,
         .lists = {{BY_LISTS, .idp = "i_indirect"},
                   {BY_ROOT, .entries = {{LISTS}}, .idp = "i_ca"}},
         .want = TSK_UNKNOWN, .told = "no certificate"},
        {"nobody tells of its certificate", .points = "p_lists", .sent = LISTS,
         .lists = {{BY_LISTS, .idp = "i_indirect"}}, .want = TSK_UNKNOWN,
         .told = "no certificate"},
        {"an issuer's own list may be indirect, too",
         .lists = {{BY_ROOT, .idp = "i_indirect", ON_IT}}, .want = TSK_REVOKED},
        {"and be of others",
         .lists = {{BY_ROOT, .idp = "i_indirect",
                    .entries = {{LEAF, 0, OTHER}}}},
         .want = TSK_GOOD},
    };

    (void)state;
    try_all(rows, COUNT(rows));
}

static void clocks_may_differ_by_five_minutes(void **state)
{
    const struct {
        int64_t now;
        enum tsk_state want;
    } rows[] = {
        {LISTS_NOW - 86400 - 300, TSK_GOOD},
        {LISTS_NOW - 86400 - 301, TSK_UNKNOWN},
        {LISTS_NOW + 7 * 86400 + 300, TSK_GOOD},
        {LISTS_NOW + 7 * 86400 + 301, TSK_UNKNOWN},
    };
    struct list_spec spec = {.by = root, .key = KEY_ROOT};
    struct tsk_crls *l = lists_read(&spec);
    struct row plain = {0};
    X509 *leaf = leaf_of(&plain), *members[] = {leaf, root};
    struct tsk_crl_question q = {.chain = pki_stack(members, 2)};
    struct tsk_status st;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        q.now = rows[i].now;
        assert_int_equal(tsk_crl_judge(&l, 1, &q, &st, NULL), 0);
        assert_int_equal(st.state, rows[i].want);
        if (st.state == TSK_GOOD) {
            assert_int_equal(st.by, TSK_BY_CRL);
            assert_int_equal(st.as_of, LISTS_NOW - 86400);
            assert_int_equal(st.until, LISTS_NOW + 7 * 86400);
        }
    }
    sk_X509_free(q.chain);
    X509_free(leaf);
    tsk_crls_unref(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_issuers_list_tells_of_its_certificates),
        cmocka_unit_test(a_list_has_to_be_in_date),
        cmocka_unit_test(a_list_has_to_be_signed_by_one_who_may),
        cmocka_unit_test(what_is_critical_and_unknown_forbids_a_list),
        cmocka_unit_test(a_scope_is_kept),
        cmocka_unit_test(reasons_are_collected),
        cmocka_unit_test(a_delta_brings_a_list_up_to_date),
        cmocka_unit_test(others_may_list_for_an_issuer),
        cmocka_unit_test(clocks_may_differ_by_five_minutes),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
