/* What a server would agree to, found out by hand: versions, suites, groups,
 * and what it says of compression and renegotiation. */
#include "certfield.h"
#include "certtext.h"
#include "check.h"

#include "helloname.h"

#include <string.h>

static size_t ids(uint16_t *out, const struct helloname *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = list[i].id;
    return n;
}

void check_ask(struct check *c, int version, struct hello_ask *ask,
               uint16_t *suites, uint16_t *groups)
{
    *ask = (struct hello_ask){
        .version = version, .sni = c->sni, .suites = suites, .groups = groups};
    ask->n_suites = version == HELLO_TLS13
                        ? ids(suites, hello_suites13, hello_n_suites13)
                        : ids(suites, hello_suites, hello_n_suites);
    ask->n_groups = ids(groups, hello_groups, hello_n_groups);
}

static int has(const struct check *c, int version)
{
    return (c->main->versions & 1 << (version - HELLO_SSL3)) != 0;
}

static int newest(const struct check *c)
{
    int v = HELLO_TLS13;

    while (v > HELLO_SSL3 && !has(c, v))
        v--;
    return v;
}

void check_versions_text(char *text, size_t size, int versions)
{
    size_t used = 0;

    text[0] = '\0';
    for (int v = HELLO_TLS13; v >= HELLO_SSL3; v--)
        if ((versions & 1 << (v - HELLO_SSL3)) != 0 && used < size)
            used +=
                (size_t)snprintf(text + used, size - used, "%s%s",
                                 used > 0 ? " " : "", hello_version_name(v));
}

static void versions_json(struct check *c)
{
    json_t *obj = json_object();

    for (int v = HELLO_TLS13; v >= HELLO_SSL3; v--) {
        int bit = 1 << (v - HELLO_SSL3);

        json_object_set_new(obj, hello_version_name(v),
                            (c->main->unsure & bit) != 0
                                ? json_null()
                                : json_boolean(has(c, v)));
    }
    json_object_set_new(c->doc, "protocols", obj);
}

static void old_versions(struct check *c)
{
    char text[64];
    int old = c->main->versions & 6; /* TLS 1.0 and 1.1 */

    if (has(c, HELLO_SSL3))
        check_add(c, CHECK_ERROR, "protocol-broken",
                  "switch SSLv3 off: it is forbidden (RFC 7568)",
                  "the server speaks SSLv3");
    check_versions_text(text, sizeof(text), old);
    if (old != 0)
        check_add(c, CHECK_WARN, "protocol-old",
                  "let TLSv1.2 be the least: older ones are not to be used "
                  "(RFC 8996)",
                  "the server still speaks %s", text);
    if (!has(c, HELLO_TLS13) && has(c, HELLO_TLS12) &&
        (c->main->unsure & 16) == 0)
        check_add(c, CHECK_NOTE, "no-tls13",
                  "switch TLSv1.3 on, or bring the server's TLS library up to "
                  "date",
                  "the server does not speak TLSv1.3");
}

void check_protocols(struct check *c)
{
    int unsure = c->main->unsure, on = c->main->versions,
        off = 31 & ~on & ~unsure;
    char yes[64], no[64], perhaps[64];

    versions_json(c);
    check_versions_text(yes, sizeof(yes), on);
    check_versions_text(no, sizeof(no), off);
    check_versions_text(perhaps, sizeof(perhaps), unsure);
    old_versions(c);
    if (unsure != 0)
        check_add(c, CHECK_NOTE, "probe-incomplete",
                  "run it again, with a longer --timeout",
                  "whether it speaks %s could not be found out: %s", perhaps,
                  c->probe.error.message);
    /* what the look failed with says the same, with a way out */
    if ((on & 24) == 0 && unsure == 0 &&
        c->main->err.code != TLSOCK_E_VERSION_UNSUPPORTED)
        check_add(c, CHECK_ERROR, "version-unsupported",
                  "bring the server's TLS library up to date",
                  "the server speaks neither TLSv1.3 nor TLSv1.2");
    if (on != 0)
        check_add(c, CHECK_OK, "protocols", NULL, "%s%s%s", yes,
                  no[0] != '\0' ? "; off: " : "", no);
}

static void suites_json(struct check *c, int version, const uint16_t *found,
                        size_t n, const char *order)
{
    static const char *const worths[] = {"good", "no-forward-secrecy", "weak",
                                         "broken"};
    json_t *obj = json_object(), *list = json_array();
    char text[16];

    for (size_t i = 0; i < n; i++) {
        json_t *one = json_object();

        json_object_set_new(one, "id", json_integer(found[i]));
        json_object_set_new(one, "name",
                            json_string(hello_suite_name(found[i], text)));
        json_object_set_new(one, "strength",
                            json_string(worths[hello_worth(found[i])]));
        json_array_append_new(list, one);
    }
    json_object_set_new(obj, "order",
                        order != NULL ? json_string(order) : json_null());
    json_object_set_new(obj, "suites", list);
    json_object_set_new(json_object_get(c->doc, "ciphers"),
                        hello_version_name(version), obj);
}

/* The second one first: whose order counts? NULL: nobody can tell. */
static const char *whose_order(struct check *c, const struct hello_ask *all,
                               const uint16_t *found, size_t n)
{
    uint16_t swapped[2];
    struct hello_ask ask = *all;
    struct hello_answer a;

    if (n < 2)
        return NULL;
    swapped[0] = found[1];
    swapped[1] = found[0];
    ask.suites = swapped;
    ask.n_suites = 2;
    if (!probe_once(&c->probe, &ask, &a) || !probe_takes(&a, ask.version))
        return NULL;
    return a.suite == found[0]   ? "server"
           : a.suite == found[1] ? "client"
                                 : NULL; /* what was not offered */
}

static void ask_suites(struct check *c, int version)
{
    uint16_t suites[PROBE_MOST], groups[PROBE_MOST], found[PROBE_MOST];
    struct hello_ask ask;
    const char *order;
    char text[16];
    size_t n;

    check_ask(c, version, &ask, suites, groups);
    n = probe_suites(&c->probe, &ask, found);
    if (c->probe.failed)
        check_add(c, CHECK_NOTE, "probe-incomplete",
                  "run it again, with a longer --timeout",
                  "not all suites of %s could be found out: %s",
                  hello_version_name(version), c->probe.error.message);
    order = c->probe.failed ? NULL : whose_order(c, &ask, found, n);
    suites_json(c, version, found, n, order);
    if (n > 0)
        check_add(c, CHECK_OK, "ciphers", NULL, "%s: %zu suite%s, %s first%s%s",
                  hello_version_name(version), n, n == 1 ? "" : "s",
                  hello_suite_name(found[0], text),
                  order != NULL ? "; the order is the " : "",
                  order == NULL             ? ""
                  : strcmp(order, "server") ? "client's"
                                            : "server's");
}

#define SHOWN 6 /* suites by name; --json and -v have all of them */

/* Of one version, those of a kind: a row, and how many. */
static size_t row_of(json_t *finding, const char *version, const json_t *of,
                     const char *strength)
{
    const json_t *s;
    char line[500] = "";
    size_t i, n = 0, used = 0;

    json_array_foreach(json_object_get(of, "suites"), i, s)
    {
        const char *name = certtext_get(s, "name");

        if (strcmp(certtext_get(s, "strength"), strength) == 0 && n++ < SHOWN)
            used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s",
                                     used > 0 ? " " : "", name);
    }
    if (n > 0 && finding != NULL)
        check_row(finding, version, "%s%s", line, n > SHOWN ? " ..." : "");
    return n;
}

/* How many there are, of all versions. */
static size_t count_of(const struct check *c, const char *strength)
{
    const char *version;
    json_t *of;
    size_t n = 0;

    json_object_foreach(json_object_get(c->doc, "ciphers"), version, of) n +=
        row_of(NULL, version, of, strength);
    return n;
}

static void bad_suites(struct check *c, enum check_level level,
                       const char *strength, const char *code, const char *fix,
                       const char *what)
{
    size_t n = count_of(c, strength);
    const char *version;
    json_t *of, *f;

    if (n == 0)
        return;
    f = check_add(c, level, code, fix, "%zu suite%s %s", n, n == 1 ? "" : "s",
                  what);
    json_object_foreach(json_object_get(c->doc, "ciphers"), version, of)(void)
        row_of(f, version, of, strength);
}

static void judge_suites(struct check *c)
{
    bad_suites(c, CHECK_ERROR, "broken", "cipher-broken",
               "take them out of the server's list of ciphers: ECDHE with "
               "AES-GCM or ChaCha20-Poly1305 is enough",
               "without protection, or with next to none");
    bad_suites(c, CHECK_WARN, "weak", "cipher-weak",
               "take them out of the server's list of ciphers",
               "with blocks of 64 bits, or long given up");
    bad_suites(c, count_of(c, "good") > 0 ? CHECK_NOTE : CHECK_WARN,
               "no-forward-secrecy", "no-forward-secrecy",
               "leave only ECDHE suites: who steals the key later can then not "
               "read what was recorded (RFC 9325, 4.1)",
               "without forward secrecy");
}

/* Only suites whose key exchange has a group on a curve. */
static size_t only_ecdhe(uint16_t *suites, size_t n)
{
    size_t kept = 0;
    char text[16];

    for (size_t i = 0; i < n; i++)
        if (strncmp(hello_suite_name(suites[i], text), "TLS_ECDHE", 9) == 0)
            suites[kept++] = suites[i];
    return kept;
}

/* all: there are no others. */
static void say_groups(struct check *c, const uint16_t *found, size_t n,
                       int all)
{
    json_t *list = json_array();
    char line[512] = "", text[16];
    size_t used = 0;
    int pq = 0;

    for (size_t i = 0; i < n; i++) {
        const char *name = hello_group_name(found[i], text);

        pq = pq || hello_is_pq(found[i]);
        json_array_append_new(list, json_string(name));
        if (used + 64 < sizeof(line))
            used += (size_t)snprintf(
                line + used, sizeof(line) - used, "%s%s%s", used > 0 ? " " : "",
                name, hello_is_pq(found[i]) ? " (post-quantum)" : "");
    }
    json_object_set_new(c->doc, "groups", list);
    json_object_set_new(c->doc, "post_quantum",
                        pq || all ? json_boolean(pq) : json_null());
    if (n == 0)
        return;
    check_add(c, CHECK_OK, "key-exchange", NULL, "%s", line);
    if (!pq && all)
        check_add(c, CHECK_NOTE, "not-post-quantum",
                  "bring the server to OpenSSL 3.5 or the like, where "
                  "X25519MLKEM768 is on by default",
                  "no group resists a quantum computer: what is recorded today "
                  "may be read one day");
}

static int cert_group(const struct check *c)
{
    static const struct {
        const char *type;
        int id;
    } curves[] = {
        {"ECDSA P-256", 0x17}, {"ECDSA P-384", 0x18}, {"ECDSA P-521", 0x19}};
    const char *type = c->main->sent != NULL
                           ? certfield_text(c->main->sent, TLSOCK_CERT_KEY_TYPE)
                           : "";

    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
        if (strcmp(type, curves[i].type) == 0)
            return curves[i].id;
    return 0;
}

static void ask_groups(struct check *c)
{
    uint16_t suites[PROBE_MOST], groups[PROBE_MOST], found[PROBE_MOST];
    struct hello_ask ask;
    size_t n;

    check_ask(c, newest(c), &ask, suites, groups);
    if (ask.version < HELLO_TLS13)
        ask.n_suites = only_ecdhe(suites, ask.n_suites);
    if (ask.version == HELLO_SSL3)
        return;
    n = probe_groups(&c->probe, &ask, cert_group(c), found);
    if (c->probe.failed)
        check_add(c, CHECK_NOTE, "probe-incomplete",
                  "run it again, with a longer --timeout",
                  "not all groups could be found out: %s",
                  c->probe.error.message);
    say_groups(c, found, n, !c->probe.failed);
}

static size_t only_dhe(uint16_t *suites, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (hello_key_kind(suites[i]) == HELLO_KEY_DH)
            suites[kept++] = suites[i];
    return kept;
}

/* A server that is offered RFC 7919's groups may hide what it has of its own.
 */
static size_t only_curves(uint16_t *groups, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (groups[i] < 0x100)
            groups[kept++] = groups[i];
    return kept;
}

/* RFC 9325, 4.2 */
static void ask_dh(struct check *c, int version)
{
    uint16_t suites[PROBE_MOST], groups[PROBE_MOST];
    struct hello_answer a;
    struct hello_ask ask;

    check_ask(c, version, &ask, suites, groups);
    ask.n_suites = only_dhe(suites, ask.n_suites);
    ask.n_groups = only_curves(groups, ask.n_groups);
    ask.want_key = 1;
    if (!probe_once(&c->probe, &ask, &a) || !probe_takes(&a, version) ||
        a.dh_bits == 0)
        return;
    json_object_set_new(c->doc, "dh_bits", json_integer(a.dh_bits));
    if (a.dh_bits < 2048)
        check_add(c, a.dh_bits <= 1024 ? CHECK_ERROR : CHECK_WARN, "dh-weak",
                  "take DHE suites out of the server's list of ciphers, or "
                  "give it a group of 2048 bits or more, such as ffdhe2048",
                  "%s with a Diffie-Hellman group of %d bits",
                  hello_version_name(version), a.dh_bits);
}

/* What TLS 1.3 has no more: asked of the newest version before it. */
static void ask_relics(struct check *c)
{
    uint16_t suites[PROBE_MOST], groups[PROBE_MOST];
    struct hello_answer a;
    struct hello_ask ask;
    int v = HELLO_TLS12;

    while (v > HELLO_TLS10 && !has(c, v))
        v--;
    if (!has(c, v))
        return;
    ask_dh(c, v);
    check_ask(c, v, &ask, suites, groups);
    ask.compression = 1;
    if (!probe_once(&c->probe, &ask, &a) || !probe_takes(&a, v))
        return;
    if (a.compression != 0)
        check_add(c, CHECK_ERROR, "compression",
                  "switch TLS compression off (CVE-2012-4929)",
                  "the server compresses what it encrypts");
    if (!a.renegotiation)
        check_add(c, CHECK_ERROR, "renegotiation-insecure",
                  "bring the server's TLS library up to date (RFC 5746)",
                  "the server has no secure renegotiation");
    if (!a.extended_master)
        check_add(c, CHECK_NOTE, "no-extended-master-secret",
                  "bring the server's TLS library up to date (RFC 7627)",
                  "%s without extended master secret: its sessions are not "
                  "bound to the certificate that they began with",
                  hello_version_name(v));
}

void check_suites(struct check *c)
{
    for (int v = HELLO_TLS13; v >= HELLO_SSL3; v--)
        if (has(c, v))
            ask_suites(c, v);
    judge_suites(c);
    ask_groups(c);
    ask_relics(c);
}
