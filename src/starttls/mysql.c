/* MySQL and MariaDB: protocol 10 with CLIENT_SSL. The server greets; a client
 * that wants TLS answers with the first 32 bytes of a login and begins TLS in
 * the same breath: see tsk_starttls_runs_on(). */
#include "starttls/dialogue.h"

#include "core/str.h"

#include <string.h>
#include <unistd.h>

#define HEAD 4 /* length in three bytes, and a number */

enum {
    LONG_PASSWORD = 0x1,
    PROTOCOL_41 = 0x200,
    CLIENT_SSL = 0x800,
    TRANSACTIONS = 0x2000,
    SECURE_CONNECTION = 0x8000,
    PLUGIN_AUTH = 0x80000
};

#define CAPS                                                                   \
    (LONG_PASSWORD | PROTOCOL_41 | CLIENT_SSL | TRANSACTIONS |                 \
     SECURE_CONNECTION | PLUGIN_AUTH)
#define UTF8MB4 45

static uint32_t le(const uint8_t *p, size_t n)
{
    uint32_t v = 0;

    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

static int alien(const struct tsk_starttls *d, const struct tsk_talk *t,
                 const char *wanted, tlsock_error *err)
{
    size_t len = t->in->len;

    return tsk_dlg_alien(d, wanted, tsk_buf_at(t->in), len < 24 ? len : 24,
                         err);
}

static const struct {
    unsigned code;
    const char *hint;
} errors[] = {
    {1040, "the server has too many connections: try again later"},
    {1129, "the server blocks this host after many failed connections: its "
           "administrator unblocks it with FLUSH HOSTS"},
    {1130, "the server has no account for this host: its administrator decides "
           "who may connect from where"},
    {1203, "the account has too many connections: try again later"},
};

/* An ERR packet in place of the greeting: 0xff, code, text. */
static int client_error(struct tsk_starttls *d, const uint8_t *p, size_t len,
                        tlsock_error *err)
{
    char words[160];
    size_t pos = 0;
    unsigned code = (unsigned)le(p + 1, 2);
    int n = len - 3 < 120 ? (int)len - 3 : 120;

    tsk_append(words, sizeof(words), &pos, "%u: %.*s", code, n,
               (const char *)p + 3);
    tsk_dlg_refused(d, words, err);
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (errors[i].code == code)
            tsk_hint(err, "%s", errors[i].hint);
    return TLSOCK_E_STARTTLS_REFUSED;
}

/* 10, version NUL, thread (4), salt (8), 0, capabilities (2), ... The lower
 * half of the capabilities, or -1: that is no greeting. */
static int32_t capabilities(const uint8_t *p, size_t len)
{
    const uint8_t *end = memchr(p, '\0', len);
    size_t at;

    if (p[0] != 10 || end == NULL)
        return -1;
    at = (size_t)(end - p) + 1 + 4 + 8 + 1;
    return len >= at + 2 ? (int32_t)le(p + at, 2) : -1;
}

static int client_request(struct tsk_talk *t, tlsock_error *err)
{
    uint8_t p[HEAD + 32] = {32, 0, 0, 1};

    for (int i = 0; i < 4; i++)
        p[HEAD + i] = (uint8_t)(CAPS >> (8 * i));
    p[HEAD + 7] = 1; /* packets of 16 MB at most */
    p[HEAD + 8] = UTF8MB4;
    return tsk_talk_send(t, p, sizeof(p), err);
}

static int client_greeted(struct tsk_starttls *d, struct tsk_talk *t,
                          const uint8_t *p, size_t len, tlsock_error *err)
{
    int32_t caps;
    int rc;

    if (p[0] == 0xff && len >= 3)
        return client_error(d, p, len, err);
    caps = capabilities(p, len);
    if (caps < 0)
        return alien(d, t, "a greeting of protocol 10", err);
    if ((caps & CLIENT_SSL) == 0 || (caps & PROTOCOL_41) == 0)
        return tsk_dlg_unavailable(d, NULL, err);
    rc = tsk_talk_take(t, HEAD + len, err);
    return rc < 0 ? rc : client_request(t, err);
}

static int client_bytes(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    int rc;
    const uint8_t *p = tsk_talk_need(t, HEAD, &rc, err);
    size_t len;

    if (p == NULL)
        return rc;
    len = le(p, 3);
    if (len < 1 || len > TSK_TALK_LINE || p[3] != 0)
        return alien(d, t, "a greeting of protocol 10", err);
    p = tsk_talk_need(t, HEAD + len, &rc, err);
    return p == NULL ? rc : client_greeted(d, t, p + HEAD, len, err);
}

const struct tsk_dlg_side tsk_mysql_client = {NULL, NULL, client_bytes};

/* 20 bytes of 1..127. Whoever logs in once TLS is up gets a salt of its own in
 * an auth switch, so this one protects nothing: a system without randomness
 * greets with a fixed one. */
static void salt(uint8_t *p)
{
    int failed = getentropy(p, 20) != 0;

    for (int i = 0; i < 20; i++)
        p[i] = (uint8_t)(failed ? 1 : p[i] % 127 + 1);
}

static int server_begin(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    static const char version[] = "8.0.0-tlsock",
                      plugin[] = "mysql_native_password";
    uint8_t p[128] = {0}, random[20] = {0};
    size_t at = HEAD;

    (void)d;
    salt(random);
    p[at++] = 10;
    memcpy(p + at, version, sizeof(version));
    at += sizeof(version);
    p[at] = 1; /* thread */
    at += 4;
    memcpy(p + at, random, 8);
    at += 9;
    p[at++] = CAPS & 0xff;
    p[at++] = CAPS >> 8 & 0xff;
    p[at++] = UTF8MB4;
    p[at] = 2; /* autocommit */
    at += 2;
    p[at] = CAPS >> 16;
    p[at + 2] = 21; /* of salt with its NUL */
    at += 13;
    memcpy(p + at, random + 8, 12);
    at += 13;
    memcpy(p + at, plugin, sizeof(plugin));
    at += sizeof(plugin);
    p[0] = (uint8_t)(at - HEAD);
    return tsk_talk_send(t, p, at, err);
}

static int server_refuse(struct tsk_starttls *d, struct tsk_talk *t,
                         tlsock_error *err)
{
    static const char text[] = "#HY000TLS is required";
    uint8_t head[HEAD + 3] = {sizeof(text) - 1 + 3, 0,        0, 2, 0xff,
                              3159 & 0xff,          3159 >> 8};
    int rc = tsk_talk_send(t, head, sizeof(head), err);

    if (rc == TLSOCK_OK)
        rc = tsk_talk_send(t, text, sizeof(text) - 1, err);
    return rc < 0 ? rc : tsk_dlg_gone_on(d, "a login", err);
}

/* A login has the capabilities in front, too: without CLIENT_SSL, or with more
 * than the 32 bytes, it is one in plaintext. */
static int server_bytes(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    int rc;
    const uint8_t *p = tsk_talk_need(t, HEAD, &rc, err);
    size_t len;

    if (p == NULL)
        return rc;
    len = le(p, 3);
    if (len < 32 || len > TSK_TALK_LINE || p[3] != 1)
        return alien(d, t, "an SSLRequest", err);
    p = tsk_talk_need(t, HEAD + 4, &rc, err);
    if (p == NULL)
        return rc;
    if (len != 32 || (le(p + HEAD, 4) & CLIENT_SSL) == 0)
        return server_refuse(d, t, err);
    if (tsk_talk_need(t, HEAD + 32, &rc, err) == NULL)
        return rc;
    return tsk_talk_take(t, HEAD + 32, err);
}

const struct tsk_dlg_side tsk_mysql_server = {server_begin, NULL, server_bytes};
