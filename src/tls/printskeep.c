/* printskeep - the two hellos of a connection that wants to tell of them. */
#include "tls/prints.h"

#include "core/mem.h"
#include "ossl/queue.h"

#include <string.h>

#define SERVER_HELLO 2 /* RFC 8446, 4 */

struct tsk_prints {
    struct kept {
        uint8_t *data;
        size_t len;
    } client, server;
    char *text; /* the last item, where it is too long for that of s */
};

static struct tsk_prints *prints_of(tlsock *s)
{
    if (s->prints == NULL)
        s->prints = tsk_alloc(sizeof(*s->prints));
    return s->prints;
}

/* Without memory there is nothing to tell of; that ends no handshake. */
static void keep(struct kept *k, const void *bytes, size_t len)
{
    uint8_t *data = tsk_alloc(len);

    if (data == NULL)
        return;
    memcpy(data, bytes, len);
    tsk_free(k->data);
    *k = (struct kept){data, len};
}

static void look(tlsock *s, const uint8_t *bytes, size_t len)
{
    struct tsk_prints *p = prints_of(s);
    struct tsk_greeting g;

    if (p == NULL || tsk_greeting_parse(&g, bytes, len) != 0)
        return;
    if (g.server)
        keep(&p->server, bytes, len);
    else if (p->client.data == NULL) /* the one that answers a retry is not */
        keep(&p->client, bytes, len);
}

void tsk_prints_seen(tlsock *s, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;

    if (len >= 4 && p[0] <= SERVER_HELLO)
        look(s, bytes, len);
}

/* Where the hook of HELLO is being asked, its bytes are there in any case. */
static struct kept message(const tlsock *s, int of_server)
{
    if (s->prints != NULL && of_server)
        return s->prints->server;
    if (s->prints != NULL && s->prints->client.data != NULL)
        return s->prints->client;
    if (of_server)
        return (struct kept){NULL, 0};
    return (struct kept){s->hello.data, s->hello.len};
}

static const char *long_text(tlsock *s, const struct tsk_greeting *g, int item,
                             size_t size)
{
    struct tsk_prints *p = prints_of(s);

    if (p == NULL)
        return "";
    tsk_free(p->text);
    p->text = tsk_alloc(size);
    if (p->text == NULL || tsk_prints_text(g, item, p->text, size) < 0)
        return "";
    return p->text;
}

const char *tsk_prints_info(tlsock *s, int item)
{
    struct kept k = message(s, tsk_prints_of_server(item));
    struct tsk_greeting g;
    char *room = tsk_conn_text(s);
    const char *text = room;
    int n;

    if (k.data == NULL || tsk_greeting_parse(&g, k.data, k.len) != 0)
        return "";
    tsk_ossl_enter();
    n = tsk_prints_text(&g, item, room, TSK_CONN_TEXT);
    if (n < 0)
        text = "";
    else if (n >= TSK_CONN_TEXT)
        text = long_text(s, &g, item, (size_t)n + 1);
    tsk_ossl_leave();
    return text;
}

void tsk_prints_free(tlsock *s)
{
    if (s->prints == NULL)
        return;
    tsk_free(s->prints->client.data);
    tsk_free(s->prints->server.data);
    tsk_free(s->prints->text);
    tsk_free(s->prints);
    s->prints = NULL;
}
