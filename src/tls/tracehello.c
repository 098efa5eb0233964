#include "tls/trace.h"

#include "core/str.h"
#include "tls/hello.h"
#include "tls/prints.h"

#include <stdio.h>
#include <string.h>
#include <tlsock/prints.h>

#define LIST 512

enum {
    SERVER_NAME = 0,
    ALPN = 16,
    PSK = 41,
    EARLY = 42,
    VERSIONS = 43,
    SHARE = 51
};

typedef const char *name_fn(unsigned id, char room[8]);

/* "1.3" of 0x0304: the part of a version that tells them apart. */
static const char *short_version(unsigned id, char room[8])
{
    const char *name = tsk_trace_version((int)id, room);

    return strncmp(name, "TLSv", 4) == 0 ? name + 4 : name;
}

/* Values of 16 bits, without those that are there to be ignored. */
static void list(struct tsk_trace *t, const char *name, struct tsk_span ids,
                 name_fn *name_of)
{
    char text[LIST] = "", room[8];
    size_t at = 0;

    for (size_t i = 0; i + 1 < ids.len; i += 2) {
        unsigned id = tsk_trace_16(ids.at + i);

        if (!tsk_greeting_grease(id))
            tsk_append(text, sizeof(text), &at, "%s%s", at != 0 ? "," : "",
                       name_of(id, room));
    }
    if (at != 0)
        tsk_trace_fact(t, name, "%s", text);
}

static const char *cipher(const struct tsk_trace *t, const uint8_t *id,
                          char room[8])
{
    const SSL_CIPHER *c = NULL;

    if (t->e->conn != NULL && t->e->conn->ssl != NULL)
        c = SSL_CIPHER_find(t->e->conn->ssl, id);
    if (c != NULL && SSL_CIPHER_standard_name(c) != NULL)
        return SSL_CIPHER_standard_name(c);
    snprintf(room, 8, "0x%04x", tsk_trace_16(id));
    return room;
}

static void of_client(struct tsk_trace *t, const struct tsk_greeting *g)
{
    struct tsk_span rest = g->extensions, body;
    char text[TSK_HELLO_TEXT];
    int psk = 0, early = 0;

    while (rest.len != 0) {
        int type = tsk_greeting_next(&rest, &body);

        if (type == SERVER_NAME) {
            tsk_hello_sni(body.at, body.len, text);
            tsk_trace_text(t, "sni", text);
        } else if (type == ALPN) {
            tsk_hello_alpn(body.at, body.len, text);
            tsk_trace_text(t, "alpn", text);
        }
        psk = psk || type == PSK;
        early = early || type == EARLY;
        if (type < 0)
            break;
    }
    if (g->versions.len != 0)
        list(t, "versions", g->versions, short_version);
    else
        tsk_trace_fact(t, "versions", "%s",
                       short_version((unsigned)g->version, text));
    tsk_trace_fact(t, "ciphers", "%zu", g->ciphers.len / 2);
    list(t, "groups", g->groups, tsk_trace_group);
    if (psk)
        tsk_trace_fact(t, "psk", "offered");
    if (early)
        tsk_trace_fact(t, "early-data", "offered");
    if (tsk_prints_text(g, TLSOCK_INFO_JA4, text, sizeof(text)) > 0)
        tsk_trace_fact(t, "ja4", "%s", text);
}

static void of_server(struct tsk_trace *t, const struct tsk_greeting *g)
{
    struct tsk_span rest = g->extensions, body;
    unsigned version = (unsigned)g->version, group = 0;
    char room[8];
    int psk = 0;

    while (rest.len != 0) {
        int type = tsk_greeting_next(&rest, &body);

        if (type == VERSIONS && body.len == 2)
            version = tsk_trace_16(body.at);
        if (type == SHARE && body.len >= 2)
            group = tsk_trace_16(body.at);
        psk = psk || type == PSK;
        if (type < 0)
            break;
    }
    tsk_trace_fact(t, "version", "%s", short_version(version, room));
    if (g->ciphers.len == 2)
        tsk_trace_fact(t, "cipher", "%s", cipher(t, g->ciphers.at, room));
    if (group != 0)
        tsk_trace_fact(t, "group", "%s", tsk_trace_group(group, room));
    if (psk)
        tsk_trace_fact(t, "psk", "taken");
}

int tsk_trace_hello(struct tsk_trace *t, const uint8_t *message, size_t len)
{
    struct tsk_greeting g;

    if (tsk_greeting_parse(&g, message, len) != 0)
        return -1;
    if (g.server)
        of_server(t, &g);
    else
        of_client(t, &g);
    return 0;
}
