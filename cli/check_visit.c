/* A look at each address, and how they differ. */
#include "certfield.h"
#include "check.h"

#include "errors.h"

#include <errno.h>
#include <string.h>
#include <tlsock/info.h>

/* What the handshake settled on, for the document. */
static void describe(json_t *obj, const tlsock *s)
{
    static const struct {
        const char *key;
        int item;
    } rows[] = {{"version", TLSOCK_INFO_VERSION},
                {"cipher", TLSOCK_INFO_CIPHER},
                {"group", TLSOCK_INFO_GROUP},
                {"signature", TLSOCK_INFO_SIGNATURE}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *text = s != NULL ? tlsock_info(s, rows[i].item) : "";

        json_object_set_new(obj, rows[i].key,
                            out_json_text(text[0] != '\0' ? text : NULL));
    }
}

static int version_bit(const tlsock *s)
{
    int64_t v = tlsock_info_int(s, TLSOCK_INFO_VERSION);

    return v >= HELLO_SSL3 && v <= HELLO_TLS13 ? 1 << (v - HELLO_SSL3) : 0;
}

/* It may end a handshake for what is in the ClientHello, not for what it is. */
static int may_be_intolerant(const tlsock_error *err)
{
    return err->phase == TLSOCK_PHASE_HANDSHAKE &&
           (err->code == TLSOCK_E_CLOSED_IN_HANDSHAKE ||
            err->code == TLSOCK_E_RESET || err->code == TLSOCK_E_TIMEOUT ||
            err->code == TLSOCK_E_ALERT || err->code == TLSOCK_E_PROTOCOL);
}

/* Once more with less in it; what works is kept for all that follows. *s is
 * that connection then. */
static void with_less(struct check *c, tlsock **s, tlsock_error *err)
{
    tlsock_config *old = check_variant(c, "tls.max", "1.2");
    tlsock_error again = {0};
    tlsock *t = old != NULL ? check_connect(c, old, NULL, &again) : NULL;

    if (t != NULL && again.code == 0) {
        c->look = c->old = old;
        c->intolerant = "TLSv1.3";
    } else {
        tlsock_close(t);
        tlsock_config_unref(old);
        t = tlsock_info(*s, TLSOCK_INFO_SNI)[0] != '\0'
                ? check_connect(c, c->look, "", &again)
                : NULL;
        if (t != NULL && again.code == 0) {
            c->o.sni = "";
            c->intolerant = "SNI";
        }
    }
    if (t != NULL && again.code == 0) {
        c->intolerance = err->code;
        tlsock_close(*s);
        *s = t;
        *err = again;
    } else {
        tlsock_close(t);
    }
}

/* Some refuse all of the library's terms: what they are is seen later. */
static tlsock_error look(struct check *c, struct check_address *a, json_t *obj)
{
    tlsock_error err;
    tlsock *s = check_connect(c, c->look, NULL, &err);

    if (err.code == TLSOCK_E_POLICY) { /* then only what is good is seen */
        c->look = c->strict;           /* this copy of c has no reference */
        tlsock_close(s);
        s = check_connect(c, c->strict, NULL, &err);
    }
    if (s != NULL && c->intolerant == NULL && may_be_intolerant(&err))
        with_less(c, &s, &err);
    if (s != NULL) {
        snprintf(a->text, sizeof(a->text), "%s",
                 tlsock_info(s, TLSOCK_INFO_PEER_ADDRESS));
        snprintf(c->starttls, sizeof(c->starttls), "%s",
                 tlsock_info(s, TLSOCK_INFO_STARTTLS));
        snprintf(c->sni, sizeof(c->sni), "%s", tlsock_info(s, TLSOCK_INFO_SNI));
        snprintf(a->client_cas, sizeof(a->client_cas), "%s",
                 tlsock_info(s, TLSOCK_INFO_CLIENT_CAS));
        a->sent = tlsock_peer_cert(s);
        if (err.code == 0) /* whatever a hello by hand gets */
            a->versions |= version_bit(s);
    }
    if (a->text[0] == '\0')
        snprintf(a->text, sizeof(a->text), "%s",
                 err.address[0] != '\0' ? err.address
                 : a->dial[0] != '\0'   ? a->dial
                                        : c->whole);
    describe(obj, err.code == 0 ? s : NULL);
    tlsock_close(s);
    return err;
}

static void judge(struct check *c, struct check_address *a)
{
    tlsock *s = check_connect(c, c->strict, NULL, &a->verdict);

    if (s != NULL) {
        a->by_chain =
            strcmp(tlsock_info(s, TLSOCK_INFO_VERIFIED), "chain") == 0;
        snprintf(a->revocation, sizeof(a->revocation), "%s",
                 tlsock_info(s, TLSOCK_INFO_REVOCATION));
        snprintf(a->dane, sizeof(a->dane), "%s",
                 tlsock_info(s, TLSOCK_INFO_DANE));
    }
    tlsock_close(s);
}

/* Is there anything behind it that a hello by hand could still find out? */
static int may_speak_tls(const tlsock_error *err)
{
    switch (err->code) {
    case TLSOCK_E_VERSION_UNSUPPORTED:
    case TLSOCK_E_NO_COMMON_PARAMETERS:
    case TLSOCK_E_CLOSED_IN_HANDSHAKE:
    case TLSOCK_E_ALERT:
    case TLSOCK_E_PROTOCOL:
    case TLSOCK_E_RESET:
    case TLSOCK_E_CLIENT_CERT_REQUIRED:
    case TLSOCK_E_CLIENT_CERT_DENIED:
        return err->phase != TLSOCK_PHASE_PROXY;
    default:
        return err->code == 0 || -err->code / 100 == 5;
    }
}

static void ask_versions(struct check *c, struct check_address *a)
{
    for (int v = HELLO_TLS13; v >= HELLO_SSL3; v--) {
        struct hello_answer answer;
        uint16_t suites[PROBE_MOST], groups[PROBE_MOST];
        struct hello_ask ask = {.suites = suites, .groups = groups};
        int bit = 1 << (v - HELLO_SSL3);

        check_ask(c, v, &ask, suites, groups);
        if (!probe_once(&c->probe, &ask, &answer))
            a->unsure |= bit;
        else if (probe_takes(&answer, v))
            a->versions |= bit;
        if (c->probe.failed && c->probe.error.code == TLSOCK_E_TIMEOUT) {
            a->unsure |= bit - 1; /* the older ones are not waited for */
            break;
        }
    }
    a->unsure &= ~a->versions;
}

static void visit(struct check *c, struct check_address *a)
{
    json_t *obj = json_object();

    a->err = look(c, a, obj);
    if (may_speak_tls(&a->err)) {
        c->probe.o = &c->o;
        c->probe.starttls = c->starttls[0] != '\0' ? c->starttls : NULL;
        ask_versions(c, a);
        a->speaks_tls = a->err.code == 0 || a->versions != 0;
    }
    if (a->err.code == 0)
        judge(c, a);
    if (a->sent != NULL)
        snprintf(a->after, sizeof(a->after), "%.10s",
                 certfield(a->sent, TLSOCK_CERT_NOT_AFTER));
    json_object_set_new(obj, "address", out_json_text(a->text));
    json_object_set_new(obj, "tls", json_boolean(a->speaks_tls));
    json_object_set_new(
        obj, "certificate",
        a->sent != NULL ? out_json_text(certfield(a->sent, TLSOCK_CERT_SHA256))
                        : json_null());
    json_object_set_new(obj, "verified",
                        json_boolean(a->err.code == 0 && a->verdict.code == 0));
    json_object_set_new(
        obj, "error",
        a->err.code != 0       ? json_string(tlsock_errslug(a->err.code))
        : a->verdict.code != 0 ? json_string(tlsock_errslug(a->verdict.code))
                               : json_null());
    json_array_append_new(json_object_get(c->doc, "addresses"), obj);
}

int check_visit(struct check *c)
{
    const struct check_address *best = NULL;

    for (size_t i = 0; i < c->n_at; i++) {
        int rc = check_turn_to(c, &c->at[i]);

        if (rc != 0)
            return rc;
        visit(c, &c->at[i]);
        if (c->at[i].speaks_tls &&
            (best == NULL || (best->err.code != 0 && c->at[i].err.code == 0)))
            best = &c->at[i];
    }
    if (best == NULL) /* the first one's reason stands for all */
        return err_report(&c->o.out, c->target, &c->at[0].err, 0);
    c->main = best;
    return check_turn_to(c, best);
}

/* This machine has no way to addresses of this kind. */
static int no_route(const tlsock_error *err)
{
    return err->code == TLSOCK_E_CONNECT &&
           (err->sys_errno == ENETUNREACH || err->sys_errno == EADDRNOTAVAIL ||
            err->sys_errno == EAFNOSUPPORT);
}

static const char *print_of(const struct check_address *a)
{
    const char *print =
        a->sent != NULL ? certfield(a->sent, TLSOCK_CERT_SHA256) : NULL;

    return print != NULL ? print : "";
}

static void compare_one(struct check *c, const struct check_address *a)
{
    static const char fix[] = "give every address the same configuration and "
                              "the same certificate, and reload each server";
    const struct check_address *m = c->main;
    char ours[64], theirs[64];

    if (strcmp(print_of(a), print_of(m)) != 0)
        check_add(c, CHECK_WARN, "ip-differs", fix,
                  "%s serves another certificate (expires %s) than %s (expires "
                  "%s)",
                  a->text, a->after, m->text, m->after);
    if (a->verdict.code != m->verdict.code)
        check_add(c, a->verdict.code != 0 ? CHECK_ERROR : CHECK_WARN,
                  "ip-differs", fix, "%s is %s%s, but %s is %s%s", a->text,
                  a->verdict.code != 0 ? "refused: " : "good",
                  a->verdict.code != 0 ? tlsock_errslug(a->verdict.code) : "",
                  m->text, m->verdict.code != 0 ? "refused: " : "good",
                  m->verdict.code != 0 ? tlsock_errslug(m->verdict.code) : "");
    if (a->versions != m->versions && a->unsure == 0 && m->unsure == 0) {
        check_versions_text(theirs, sizeof(theirs), a->versions);
        check_versions_text(ours, sizeof(ours), m->versions);
        check_add(c, CHECK_WARN, "ip-differs", fix, "%s speaks %s, but %s %s",
                  a->text, theirs, m->text, ours);
    }
}

void check_compare(struct check *c)
{
    for (size_t i = 0; i < c->n_at; i++) {
        const struct check_address *a = &c->at[i];

        if (a == c->main)
            continue;
        if (no_route(&a->err))
            check_add(c, CHECK_NOTE, "ip-no-route",
                      "run it from a machine that has a way there, or choose "
                      "with -4 or -6",
                      "%s was not looked at: there is no way to it from here",
                      a->text);
        else if (a->err.code != 0 && a->err.code != c->main->err.code)
            check_add(c, CHECK_ERROR, "ip-unreachable",
                      "mend the server at this address, or take it out of the "
                      "DNS",
                      "%s has no TLS for us, others have: %s: %s", a->text,
                      tlsock_errslug(a->err.code), a->err.message);
        else
            compare_one(c, a);
    }
    if (c->more_at > 0)
        check_add(c, CHECK_NOTE, "ip-many", "--ip looks at one of them",
                  "%zu more addresses were not looked at", c->more_at);
}
