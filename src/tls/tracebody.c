#include "tls/trace.h"

#include "cert/text.h"
#include "core/mem.h"
#include "tls/hello.h"

#include <string.h>

/* RFC 8879, 4; OpenSSL 3.0 has no name for it */
#define MT_COMPRESSED_CERTIFICATE 25
#define SHOWN 4 /* certificates whose subject is named */

static int is_13(const struct tsk_trace *t)
{
    return t->e->version >= TLS1_3_VERSION;
}

static void subject(struct tsk_trace *t, struct tsk_span der)
{
    const uint8_t *p = der.at;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);
    struct tsk_text text = {0};
    char *name;

    if (x == NULL) {
        tsk_trace_fact(t, "subject", "unreadable");
        return;
    }
    tsk_text_name(&text, X509_get_subject_name(x));
    name = tsk_text_take(&text);
    if (name != NULL)
        tsk_trace_text(t, "subject", name);
    tsk_free(name);
    X509_free(x);
}

/* RFC 8446, 4.4.2; RFC 5246, 7.4.2: that has neither context nor extensions. */
static int certificate(struct tsk_trace *t, struct tsk_span body)
{
    struct tsk_span list, der, unused;
    size_t n = 0;

    if ((is_13(t) && tsk_trace_vector(&body, 1, &unused) != 0) ||
        tsk_trace_vector(&body, 3, &list) != 0 || body.len != 0)
        return -1;
    for (struct tsk_span at = list; at.len != 0; n++)
        if (tsk_trace_vector(&at, 3, &der) != 0 ||
            (is_13(t) && tsk_trace_vector(&at, 2, &unused) != 0))
            return -1;
    tsk_trace_fact(t, "certificates", "%zu", n);
    for (size_t i = 0; i < n && i < SHOWN; i++) {
        (void)tsk_trace_vector(&list, 3, &der);
        if (is_13(t))
            (void)tsk_trace_vector(&list, 2, &unused);
        subject(t, der);
    }
    return 0;
}

/* RFC 8879, 4: libssl alone sees what is in it. */
static int compressed_certificate(struct tsk_trace *t, struct tsk_span body)
{
    static const char *const names[] = {NULL, "zlib", "brotli", "zstd"};
    const uint8_t *p = body.at;
    struct tsk_span data;
    unsigned id;

    if (tsk_trace_skip(&body, 5) != 0 ||
        tsk_trace_vector(&body, 3, &data) != 0 || body.len != 0)
        return -1;
    id = tsk_trace_16(p);
    if (id > 0 && id < sizeof(names) / sizeof(names[0]))
        tsk_trace_fact(t, "algorithm", "%s", names[id]);
    else
        tsk_trace_fact(t, "algorithm", "0x%04x", id);
    tsk_trace_fact(t, "uncompressed", "%lu",
                   (unsigned long)p[2] << 16 | tsk_trace_16(p + 3));
    return 0;
}

/* RFC 8446, 4.6.1; RFC 5077, 3.3 */
static int ticket(struct tsk_trace *t, struct tsk_span body)
{
    struct tsk_span sealed, nonce;
    const uint8_t *p = body.at;

    if (tsk_trace_skip(&body, 4) != 0)
        return -1;
    tsk_trace_fact(t, "lifetime", "%lus",
                   (unsigned long)tsk_trace_16(p) << 16 | tsk_trace_16(p + 2));
    if (is_13(t) && (tsk_trace_skip(&body, 4) != 0 ||
                     tsk_trace_vector(&body, 1, &nonce) != 0))
        return -1;
    if (tsk_trace_vector(&body, 2, &sealed) != 0)
        return -1;
    tsk_trace_fact(t, "ticket", "%zu", sealed.len);
    return 0;
}

static int encrypted_extensions(struct tsk_trace *t, struct tsk_span body)
{
    char alpn[TSK_HELLO_TEXT];
    struct tsk_span list, one;

    if (tsk_trace_vector(&body, 2, &list) != 0 || body.len != 0)
        return -1;
    while (list.len != 0) {
        int type = tsk_greeting_next(&list, &one);

        if (type < 0)
            return -1;
        if (type == TLSEXT_TYPE_application_layer_protocol_negotiation) {
            tsk_hello_alpn(one.at, one.len, alpn);
            tsk_trace_text(t, "alpn", alpn);
        }
        if (type == TLSEXT_TYPE_early_data)
            tsk_trace_fact(t, "early-data", "taken");
    }
    return 0;
}

/* RFC 8446, 4.4.3; RFC 5246, 7.4.8: the same form */
static int certificate_verify(struct tsk_trace *t, struct tsk_span body)
{
    struct tsk_span signature;
    char room[8];

    if (body.len < 2)
        return -1;
    tsk_trace_fact(t, "scheme", "%s",
                   tsk_trace_scheme(tsk_trace_16(body.at), room));
    (void)tsk_trace_skip(&body, 2);
    return tsk_trace_vector(&body, 2, &signature) != 0 || body.len != 0 ? -1
                                                                        : 0;
}

/* RFC 8422, 5.4: others than named curves have no name to show. */
static int server_key_exchange(struct tsk_trace *t, struct tsk_span body)
{
    char room[8];

    if (body.len >= 3 && body.at[0] == 3)
        tsk_trace_fact(t, "group", "%s",
                       tsk_trace_group(tsk_trace_16(body.at + 1), room));
    return 0;
}

/* Names, each with its length in front. */
static int authorities(struct tsk_trace *t, struct tsk_span list)
{
    struct tsk_span name;
    size_t n = 0;

    for (; list.len != 0; n++)
        if (tsk_trace_vector(&list, 2, &name) != 0)
            return -1;
    tsk_trace_fact(t, "authorities", "%zu", n);
    return 0;
}

/* RFC 8446, 4.3.2 and 4.2.4: they are an extension that may be left out. */
static int request13(struct tsk_trace *t, struct tsk_span body)
{
    struct tsk_span list, one, names, unused;

    if (tsk_trace_vector(&body, 1, &unused) != 0 ||
        tsk_trace_vector(&body, 2, &list) != 0 || body.len != 0)
        return -1;
    while (list.len != 0) {
        int type = tsk_greeting_next(&list, &one);

        if (type < 0)
            return -1;
        if (type == TLSEXT_TYPE_certificate_authorities &&
            (tsk_trace_vector(&one, 2, &names) != 0 || one.len != 0 ||
             authorities(t, names) != 0))
            return -1;
    }
    return 0;
}

/* RFC 5246, 7.4.4: TLS 1.2 has signature schemes between the two lists. */
static int certificate_request(struct tsk_trace *t, struct tsk_span body)
{
    struct tsk_span names, unused;

    if (is_13(t))
        return request13(t, body);
    if (tsk_trace_vector(&body, 1, &unused) != 0 ||
        (t->e->version == TLS1_2_VERSION &&
         tsk_trace_vector(&body, 2, &unused) != 0) ||
        tsk_trace_vector(&body, 2, &names) != 0 || body.len != 0)
        return -1;
    return authorities(t, names);
}

static int key_update(struct tsk_trace *t, struct tsk_span body)
{
    if (body.len != 1 || body.at[0] > 1)
        return -1;
    tsk_trace_fact(t, "", body.at[0] == 1 ? "requested" : "not requested");
    return 0;
}

/* RFC 6066, 8 */
static int status(struct tsk_trace *t, struct tsk_span body)
{
    struct tsk_span response;

    if (tsk_trace_skip(&body, 1) != 0 ||
        tsk_trace_vector(&body, 3, &response) != 0 || body.len != 0)
        return -1;
    tsk_trace_fact(t, "ocsp", "%zu", response.len);
    return 0;
}

int tsk_trace_body(struct tsk_trace *t, int type, struct tsk_span body)
{
    switch (type) {
    case SSL3_MT_CERTIFICATE:
        return certificate(t, body);
    case MT_COMPRESSED_CERTIFICATE:
        return compressed_certificate(t, body);
    case SSL3_MT_CERTIFICATE_REQUEST:
        return certificate_request(t, body);
    case SSL3_MT_NEWSESSION_TICKET:
        return ticket(t, body);
    case SSL3_MT_ENCRYPTED_EXTENSIONS:
        return encrypted_extensions(t, body);
    case SSL3_MT_CERTIFICATE_VERIFY:
        return certificate_verify(t, body);
    case SSL3_MT_SERVER_KEY_EXCHANGE:
        return server_key_exchange(t, body);
    case SSL3_MT_KEY_UPDATE:
        return key_update(t, body);
    case SSL3_MT_CERTIFICATE_STATUS:
        return status(t, body);
    default:
        return 0;
    }
}
