/* LDAP: the StartTLS extended operation (RFC 4511, 4.14). */
#include "starttls/ber.h"
#include "starttls/dialogue.h"

#include "core/str.h"

#include <string.h>

#define OID_STARTTLS "1.3.6.1.4.1.1466.20037"
#define OID_DISCONNECTION "1.3.6.1.4.1.1466.20036" /* RFC 4511, 4.4.1 */

enum {
    SEQUENCE = 0x30,
    INTEGER = 0x02,
    OCTETS = 0x04,
    ENUMERATED = 0x0a,
    CONTROLS = 0xa0,
    UNBIND = 0x42,
    ABANDON = 0x50,
    EXTENDED = 0x77,
    EXTENDED_ANSWER = 0x78,
    REQUEST_NAME = 0x80,
    REFERRAL = 0xa3,
    RESPONSE_NAME = 0x8a,
    RESPONSE_VALUE = 0x8b
};

enum { SUCCESS = 0, PROTOCOL_ERROR = 2, CONFIDENTIALITY_REQUIRED = 13 };

struct message {
    size_t size; /* of all of it */
    int32_t id;
    uint8_t op;
    struct tsk_ber content;
};

static int malformed(const struct tsk_starttls *d, const struct tsk_talk *t,
                     tlsock_error *err)
{
    size_t len = t->in->len;

    return tsk_dlg_alien(d, "an LDAP message", tsk_buf_at(t->in),
                         len < 24 ? len : 24, err);
}

/* RFC 4511, 4.1.1: SEQUENCE { messageID, protocolOp, [0] controls OPTIONAL } */
static int parse(struct tsk_ber all, struct message *m)
{
    struct tsk_ber in, controls;

    if (tsk_ber_take(&all, SEQUENCE, &in) < 0 || in.len == 0)
        return -1;
    m->id = tsk_ber_number(&in, INTEGER);
    if (m->id < 0 || tsk_ber_peek(in) < 0)
        return -1;
    m->op = (uint8_t)tsk_ber_peek(in);
    if (tsk_ber_take(&in, m->op, &m->content) < 0)
        return -1;
    if (in.len > 0 && tsk_ber_take(&in, CONTROLS, &controls) < 0)
        return -1;
    return in.len == 0 ? 0 : -1;
}

static int too_long(size_t n, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_LIMIT,
             "the peer sent an LDAP message of %zu bytes (more than %d) before "
             "TLS",
             n, TSK_TALK_LINE);
    tsk_hint(err, "this is no LDAP, or a hostile peer: check host and port");
    return TLSOCK_E_LIMIT;
}

/* One whole message in front of `in`, not taken yet: MORE, AGAIN or code. */
static int receive(struct tsk_starttls *d, struct tsk_talk *t,
                   struct message *m, tlsock_error *err)
{
    struct tsk_ber all = {tsk_buf_at(t->in), t->in->len};
    size_t head = 2, body = 0;
    int rc, known;

    if (all.len > 0 && all.p[0] != SEQUENCE)
        return malformed(d, t, err);
    known = tsk_ber_head(all, &head, &body);
    if (known < 0)
        return malformed(d, t, err);
    if (known == 1 && body > TSK_TALK_LINE - head)
        return too_long(body, err);
    m->size = known == 1 ? head + body : all.len + 1;
    all.p = tsk_talk_need(t, m->size, &rc, err);
    if (all.p == NULL)
        return rc;
    all.len = m->size;
    return parse(all, m) < 0 ? malformed(d, t, err) : TSK_DLG_MORE;
}

/* RFC 4511, A.2, and what it means in answer to StartTLS (4.14.2). */
static const struct result {
    int32_t code;
    const char *name, *hint;
} results[] = {
    {1, "operationsError",
     "TLS is there already, or another operation is under way"},
    {2, "protocolError", NULL}, /* not supported */
    {8, "strongerAuthRequired", "the server wants another way to log in"},
    {10, "referral", "another server is in charge: ask that one"},
    {13, "confidentialityRequired",
     "the server wants TLS from the start: use its port 636 (ldaps://)"},
    {50, "insufficientAccessRights", "the server does not allow it to us"},
    {51, "busy", "the server is overloaded: try again later"},
    {52, "unavailable",
     "the server cannot begin TLS: it may lack a certificate; its log says"},
    {53, "unwillingToPerform",
     "the server is told not to begin TLS: its administrator can say why"},
    {80, "other", "the server's log says what went wrong"},
};

static const struct result *result_of(int32_t code)
{
    static const struct result unknown = {0, "unknown result", NULL};

    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
        if (results[i].code == code)
            return &results[i];
    return &unknown;
}

struct answer {
    int32_t result;
    struct tsk_ber text, name;
};

/* RFC 4511, 4.12: LDAPResult and then [10] and [11], each OPTIONAL */
static int parse_answer(struct tsk_ber in, struct answer *a)
{
    struct tsk_ber skipped;

    memset(a, 0, sizeof(*a));
    a->result = tsk_ber_number(&in, ENUMERATED);
    if (a->result < 0 || tsk_ber_take(&in, OCTETS, &skipped) < 0 ||
        tsk_ber_take(&in, OCTETS, &a->text) < 0)
        return -1;
    if (tsk_ber_peek(in) == REFERRAL &&
        tsk_ber_take(&in, REFERRAL, &skipped) < 0)
        return -1;
    if (tsk_ber_peek(in) == RESPONSE_NAME &&
        tsk_ber_take(&in, RESPONSE_NAME, &a->name) < 0)
        return -1;
    if (tsk_ber_peek(in) == RESPONSE_VALUE &&
        tsk_ber_take(&in, RESPONSE_VALUE, &skipped) < 0)
        return -1;
    return in.len == 0 ? 0 : -1;
}

static int client_failed(struct tsk_starttls *d, const struct answer *a,
                         tlsock_error *err)
{
    const struct result *result = result_of(a->result);
    char words[256];
    size_t pos = 0, len = a->text.len < 100 ? a->text.len : 100;

    tsk_append(words, sizeof(words), &pos, "%s (%d)", result->name,
               (int)a->result);
    if (len > 0)
        tsk_append(words, sizeof(words), &pos, ": %.*s", (int)len,
                   (const char *)a->text.p);
    if (a->result == PROTOCOL_ERROR)
        return tsk_dlg_unavailable(d, words, err);
    tsk_dlg_refused(d, words, err);
    if (result->hint != NULL)
        tsk_hint(err, "%s", result->hint);
    return TLSOCK_E_STARTTLS_REFUSED;
}

static int client_begin(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    static const char request[] =
        "\x30\x1d\x02\x01\x01\x77\x18\x80\x16" OID_STARTTLS;

    (void)d;
    return tsk_talk_send(t, request, sizeof(request) - 1, err);
}

static int client_bytes(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    struct message m = {0};
    struct answer a;
    int rc = receive(d, t, &m, err);

    if (rc != TSK_DLG_MORE)
        return rc;
    if (m.op != EXTENDED_ANSWER || parse_answer(m.content, &a) < 0)
        return malformed(d, t, err);
    if (m.id == 0 && tsk_ber_is(a.name, OID_DISCONNECTION))
        return tsk_dlg_refused(d, "notice of disconnection", err);
    if (m.id != 1 || (a.name.len > 0 && !tsk_ber_is(a.name, OID_STARTTLS)))
        return malformed(d, t, err);
    if (a.result != SUCCESS)
        return client_failed(d, &a, err);
    return tsk_talk_take(t, m.size, err);
}

const struct tsk_dlg_side tsk_ldap_client = {client_begin, NULL, client_bytes};

/* id as it came, in as few bytes as it needs */
static size_t put_id(uint8_t *p, int32_t id)
{
    uint8_t n = id < 0x80 ? 1 : id < 0x8000 ? 2 : id < 0x800000 ? 3 : 4;

    p[0] = INTEGER;
    p[1] = n;
    for (uint8_t i = 0; i < n; i++)
        p[2 + i] = (uint8_t)(id >> (8 * (n - 1 - i)));
    return 2u + n;
}

static size_t put_text(uint8_t *p, uint8_t tag, const char *text)
{
    size_t n = strlen(text);

    p[0] = tag;
    p[1] = (uint8_t)n;
    memcpy(p + 2, text, n);
    return 2 + n;
}

/* All lengths are below 128: one byte each. */
static int server_answer(struct tsk_talk *t, int32_t id, uint8_t op,
                         uint8_t result, const char *name, tlsock_error *err)
{
    const char *text = result == SUCCESS ? "" : "StartTLS first";
    uint8_t body[64] = {ENUMERATED, 1, result}, all[96] = {SEQUENCE};
    size_t n = 3, at = 2;

    n += put_text(body + n, OCTETS, "");
    n += put_text(body + n, OCTETS, text);
    if (name != NULL)
        n += put_text(body + n, RESPONSE_NAME, name);
    at += put_id(all + at, id);
    all[at++] = op;
    all[at++] = (uint8_t)n;
    memcpy(all + at, body, n);
    at += n;
    all[1] = (uint8_t)(at - 2);
    return tsk_talk_send(t, all, at, err);
}

/* The answer's tag for a request that has one, or 0 */
static uint8_t answer_to(uint8_t op)
{
    static const uint8_t pairs[][2] = {
        {0x60, 0x61}, {0x63, 0x65}, {0x66, 0x67}, {0x68, 0x69},
        {0x4a, 0x6b}, {0x6c, 0x6d}, {0x6e, 0x6f}, {EXTENDED, EXTENDED_ANSWER},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (pairs[i][0] == op)
            return pairs[i][1];
    return 0;
}

/* RFC 4511, 4.14.1: the name, and no value */
static int asks_for_tls(struct tsk_ber in)
{
    struct tsk_ber name;

    return tsk_ber_take(&in, REQUEST_NAME, &name) == 0 &&
           tsk_ber_is(name, OID_STARTTLS) && in.len == 0;
}

static int server_other(struct tsk_starttls *d, struct tsk_talk *t,
                        const struct message *m, tlsock_error *err)
{
    int rc = server_answer(t, m->id, answer_to(m->op),
                           m->op == EXTENDED ? PROTOCOL_ERROR
                                             : CONFIDENTIALITY_REQUIRED,
                           NULL, err);

    if (rc < 0)
        return rc;
    return ++d->refusals < 10 ? TSK_DLG_MORE
                              : tsk_dlg_gone_on(d, "other requests", err);
}

static int server_bytes(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    struct message m = {0};
    int rc = receive(d, t, &m, err), tls;

    if (rc != TSK_DLG_MORE)
        return rc;
    if (m.op == UNBIND)
        return tsk_dlg_gone_on(d, "unbind", err);
    if (m.id == 0 || (m.op != ABANDON && answer_to(m.op) == 0))
        return malformed(d, t, err);
    tls = m.op == EXTENDED && asks_for_tls(m.content);
    rc = tsk_talk_take(t, m.size, err); /* m.content is gone */
    if (rc == TLSOCK_OK && tls)
        return server_answer(t, m.id, EXTENDED_ANSWER, SUCCESS, OID_STARTTLS,
                             err);
    if (rc == TLSOCK_OK)
        rc = m.op == ABANDON ? TSK_DLG_MORE : server_other(d, t, &m, err);
    return rc;
}

const struct tsk_dlg_side tsk_ldap_server = {NULL, NULL, server_bytes};
