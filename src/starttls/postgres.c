/* PostgreSQL: SSLRequest, and one byte for an answer (frontend/backend
 * protocol 3.0). What comes behind that byte is left for the owner to refuse:
 * it was injected. */
#include "starttls/dialogue.h"

#include "core/str.h"

#include <string.h>

enum {
    CANCEL_REQUEST = 80877102,
    SSL_REQUEST = 80877103,
    GSSENC_REQUEST = 80877104
};

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static int client_begin(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    (void)d;
    return tsk_talk_send(t, "\0\0\0\x08\x04\xd2\x16\x2f", 8, err);
}

/* Fields of a letter and a text each: the message is M. */
static const char *message_of(const uint8_t *p, size_t len)
{
    while (len > 1 && p[0] != '\0') {
        const uint8_t *end = memchr(p + 1, '\0', len - 1);

        if (end == NULL)
            break;
        if (p[0] == 'M')
            return (const char *)p + 1;
        len -= (size_t)(end + 1 - p);
        p = end + 1;
    }
    return "an error without a message";
}

/* An ErrorResponse in place of the byte: too many connections, or a server
 * that knows no SSLRequest at all. */
static int client_error(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    const uint8_t *p;
    uint32_t len;
    int rc;

    p = tsk_talk_need(t, 5, &rc, err);
    if (p == NULL)
        return rc;
    len = be32(p + 1);
    if (len < 4 || len > TSK_TALK_LINE)
        return tsk_dlg_alien(d, "an error message", p, 5, err);
    p = tsk_talk_need(t, 1 + len, &rc, err);
    if (p == NULL)
        return rc;
    return tsk_dlg_refused(d, message_of(p + 5, len - 4), err);
}

static int client_bytes(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    int rc;
    const uint8_t *p = tsk_talk_need(t, 1, &rc, err);

    if (p == NULL)
        return rc;
    if (p[0] == 'S' && (t->in->len < 4 || memcmp(p, "SSH-", 4) != 0))
        return tsk_talk_take(t, 1, err);
    if (p[0] == 'N')
        return tsk_dlg_unavailable(d, "N", err);
    if (p[0] == 'E')
        return client_error(d, t, err);
    return tsk_dlg_alien(d, "S or N", p, t->in->len < 24 ? t->in->len : 24,
                         err);
}

const struct tsk_dlg_side tsk_postgres_client = {client_begin, NULL,
                                                 client_bytes};

/* A client that begins its session in plaintext is told why, in the words that
 * pg_hba.conf's hostssl has for it. */
static int server_startup(struct tsk_starttls *d, struct tsk_talk *t,
                          tlsock_error *err)
{
    static const char fields[] = "SFATAL\0VFATAL\0C28000\0"
                                 "Mno encryption: SSL is required\0";
    uint8_t head[5] = {'E', 0, 0, 0, 4 + sizeof(fields)};
    int rc = tsk_talk_send(t, head, sizeof(head), err);

    if (rc == TLSOCK_OK)
        rc = tsk_talk_send(t, fields, sizeof(fields), err);
    return rc < 0 ? rc : tsk_dlg_gone_on(d, "StartupMessage", err);
}

static int server_other(struct tsk_starttls *d, struct tsk_talk *t,
                        const uint8_t *p, tlsock_error *err)
{
    uint32_t len = be32(p), code = be32(p + 4);
    int rc;

    if (code == GSSENC_REQUEST && len == 8 && d->count++ == 0) {
        rc = tsk_talk_take(t, 8, err);
        if (rc == TLSOCK_OK)
            rc = tsk_talk_send(t, "N", 1, err);
        return rc < 0 ? rc : TSK_DLG_MORE;
    }
    if (code == CANCEL_REQUEST)
        return tsk_dlg_gone_on(d, "CancelRequest", err);
    if (code >> 16 == 2 || code >> 16 == 3)
        return server_startup(d, t, err);
    return tsk_dlg_alien(d, "an SSLRequest", p, 8, err);
}

/* Bytes that cannot be a length below 64 K are no start of a session. */
static int server_bytes(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    int rc;
    const uint8_t *p = tsk_talk_need(t, 1, &rc, err);

    if (p == NULL)
        return rc;
    if (p[0] != 0)
        return tsk_dlg_alien(d, "an SSLRequest", p,
                             t->in->len < 24 ? t->in->len : 24, err);
    p = tsk_talk_need(t, 8, &rc, err);
    if (p == NULL)
        return rc;
    if (be32(p) != 8 || be32(p + 4) != SSL_REQUEST)
        return server_other(d, t, p, err);
    rc = tsk_talk_take(t, 8, err);
    return rc < 0 ? rc : tsk_talk_send(t, "S", 1, err);
}

const struct tsk_dlg_side tsk_postgres_server = {NULL, NULL, server_bytes};
