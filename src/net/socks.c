#include "net/socks.h"

#include "core/mem.h"

#include <string.h>

enum { GREET, METHOD, LOGIN, REPLY, DONE };

#define VERSION 5
#define LOGIN_VERSION 1 /* RFC 1929, 2 */
#define NONE 0          /* RFC 1928, 3: methods */
#define PASSWORD 2      /* RFC 1929 */
#define NO_METHOD 0xff

/* RFC 1928, 4: types of addresses */
#define IPV4 1
#define NAME 3
#define IPV6 4

/* RFC 1928, 6 */
static const struct reply {
    const char *text, *hint;
} replies[] = {
    {"", ""},
    {"general failure", "its log says why"},
    {"its rules forbid this target", "its owner must allow this host and port"},
    {"the target's network is unreachable from it",
     "check the target's address; the proxy may lack IPv6"},
    {"the target's host is unreachable from it",
     "check the target's host; the proxy may be unable to resolve its name"},
    {"the target refused the connection",
     "check the target's port; is the server running?"},
    {"the time to live expired on the way to the target",
     "check the target's host; the way to it may be broken"},
    {"it does not support CONNECT", "it is no proxy for TCP: use another one"},
    {"it does not support this type of address",
     "try socks5h:// for names, socks5:// for addresses, or the other address "
     "family"},
    {"a code that RFC 1928 does not know", "its log says why"},
};

#define UNKNOWN (sizeof(replies) / sizeof(replies[0]) - 1)

/* n bytes of an answer, once they are there. NULL: *rc says why. */
static const uint8_t *answer(const struct tsk_hop *h, struct tsk_talk *t,
                             size_t n, int *rc, tlsock_error *err)
{
    const uint8_t *p = tsk_buf_at(t->in);
    int login = h->state == LOGIN && t->in->len > 0 && *p == LOGIN_VERSION;

    /* Another protocol may send less than n bytes, and then wait. A login's
     * answer has a version of its own, but not all proxies know that. */
    if (t->in->len > 0 && *p != VERSION && !login) {
        *rc = tsk_hop_stranger(h, t, "SOCKS5", err);
        return NULL;
    }
    p = tsk_talk_need(t, n, rc, err);
    if (p == NULL)
        *rc = tsk_hop_cut(h, *rc, err);
    return p;
}

/* n bytes that answer() gave: they are within all limits. */
static void take(struct tsk_talk *t, size_t n)
{
    (void)tsk_talk_take(t, n, NULL);
}

static int greet(struct tsk_hop *h, struct tsk_talk *t, tlsock_error *err)
{
    static const uint8_t hello[] = {VERSION, 2, NONE, PASSWORD};
    static const uint8_t hello_none[] = {VERSION, 1, NONE};

    h->state = METHOD;
    if (h->via->user != NULL)
        return tsk_talk_send(t, hello, sizeof(hello), err);
    return tsk_talk_send(t, hello_none, sizeof(hello_none), err);
}

static int send_request(struct tsk_hop *h, struct tsk_talk *t,
                        tlsock_error *err)
{
    uint8_t msg[4 + 1 + 255 + 2] = {VERSION, 1, 0, NAME};
    size_t len = strlen(h->host), pos = 4;

    if (h->is_ip != 0) {
        len = h->is_ip == 4 ? 4 : 16;
        msg[3] = h->is_ip == 4 ? IPV4 : IPV6;
        memcpy(msg + pos, h->ip, len);
    } else { /* at most 253 bytes: see tsk_host_normalise() */
        msg[pos++] = (uint8_t)len;
        memcpy(msg + pos, h->host, len);
    }
    pos += len;
    msg[pos++] = (uint8_t)(h->port >> 8);
    msg[pos++] = (uint8_t)h->port;
    h->state = REPLY;
    return tsk_talk_send(t, msg, pos, err);
}

/* RFC 1929, 2. The parser of URLs has seen to the lengths. */
static int send_login(struct tsk_talk *t, const struct tsk_proxy *p,
                      tlsock_error *err)
{
    size_t user = strlen(p->user), password = strlen(p->password);
    uint8_t msg[3 + 2 * 255];
    int rc;

    if (user > 255 || password > 255)
        return tsk_fail(err, TLSOCK_E_ARGUMENT,
                        "SOCKS5 user name or password over 255 bytes");
    msg[0] = 1;
    msg[1] = (uint8_t)user;
    memcpy(msg + 2, p->user, user);
    msg[2 + user] = (uint8_t)password;
    memcpy(msg + 3 + user, p->password, password);
    rc = tsk_talk_secret(t, msg, 3 + user + password, err);
    tsk_wipe(msg, sizeof(msg));
    return rc;
}

static int no_method(const struct tsk_hop *h, int method, tlsock_error *err)
{
    int known = h->via->user != NULL;

    if (method == NO_METHOD || method == PASSWORD) { /* the latter uninvited */
        tsk_fail(err, TLSOCK_E_PROXY_AUTH, "proxy %s, asked for %s, %s",
                 h->where, h->goal,
                 known ? "accepts neither user name and password nor none"
                       : "wants a user name and a password");
        tsk_hint(err, known ? "it may want GSSAPI, which is not supported"
                            : "write socks5h://USER:PASSWORD@HOST:PORT");
        return TLSOCK_E_PROXY_AUTH;
    }
    tsk_fail(err, TLSOCK_E_PROXY,
             "proxy %s, asked for %s, chose authentication method %d, which "
             "was not offered",
             h->where, h->goal, method);
    tsk_hint(err, "it breaks the rules of SOCKS5 (RFC 1928): check host, port "
                  "and scheme of the proxy");
    return TLSOCK_E_PROXY;
}

/* RFC 1928, 3: version, method */
static int read_method(struct tsk_hop *h, struct tsk_talk *t, tlsock_error *err)
{
    int rc, method;
    const uint8_t *p = answer(h, t, 2, &rc, err);

    if (p == NULL)
        return rc;
    method = p[1];
    if (method != NONE && (method != PASSWORD || h->via->user == NULL))
        return no_method(h, method, err);
    take(t, 2);
    if (method == NONE)
        return send_request(h, t, err);
    h->state = LOGIN;
    return send_login(t, h->via, err);
}

/* RFC 1929, 2: version, status */
static int read_login(struct tsk_hop *h, struct tsk_talk *t, tlsock_error *err)
{
    int rc;
    const uint8_t *p = answer(h, t, 2, &rc, err);

    if (p == NULL)
        return rc;
    if (p[1] != 0) {
        tsk_fail(err, TLSOCK_E_PROXY_AUTH,
                 "proxy %s, asked for %s, refuses the user name or password "
                 "(status %d)",
                 h->where, h->goal, p[1]);
        tsk_hint(err, "check user name and password in the proxy's URL");
        return TLSOCK_E_PROXY_AUTH;
    }
    take(t, 2);
    return send_request(h, t, err);
}

static int refused(const struct tsk_hop *h, uint8_t code, tlsock_error *err)
{
    const struct reply *r = &replies[code < UNKNOWN ? code : UNKNOWN];

    tsk_fail(err, TLSOCK_E_PROXY,
             "proxy %s does not connect to %s: %s (reply %d)", h->where,
             h->goal, r->text, code);
    tsk_hint(err, "%s", r->hint);
    return TLSOCK_E_PROXY;
}

/* RFC 1928, 6: version, reply, 0, type of address, address, port. 0: no such
 * type. */
static size_t reply_len(const uint8_t p[5])
{
    switch (p[3]) {
    case IPV4:
        return 4 + 4 + 2;
    case IPV6:
        return 4 + 16 + 2;
    case NAME:
        return 4 + 1 + (size_t)p[4] + 2;
    default:
        return 0;
    }
}

/* A refusal need not be whole to be understood. */
static int read_reply(struct tsk_hop *h, struct tsk_talk *t, tlsock_error *err)
{
    int rc;
    const uint8_t *p = answer(h, t, 2, &rc, err);
    size_t len;

    if (p != NULL && p[1] != 0)
        return refused(h, p[1], err);
    if (p != NULL)
        p = answer(h, t, 5, &rc, err);
    if (p == NULL)
        return rc;
    len = reply_len(p);
    if (len == 0) {
        tsk_fail(err, TLSOCK_E_PROXY,
                 "proxy %s, asked for %s, sent an address of unknown type %d",
                 h->where, h->goal, p[3]);
        tsk_hint(err, "it breaks the rules of SOCKS5 (RFC 1928): check host, "
                      "port and scheme of the proxy");
        return TLSOCK_E_PROXY;
    }
    if (answer(h, t, len, &rc, err) == NULL)
        return rc;
    take(t, len);
    h->state = DONE;
    return TLSOCK_OK;
}

int tsk_socks_step(struct tsk_hop *h, struct tsk_talk *t, tlsock_error *err)
{
    static int (*const steps[])(struct tsk_hop *, struct tsk_talk *,
                                tlsock_error *) = {
        [GREET] = greet,
        [METHOD] = read_method,
        [LOGIN] = read_login,
        [REPLY] = read_reply,
    };
    int rc = TLSOCK_OK;

    while (rc == TLSOCK_OK && h->state != DONE)
        rc = steps[h->state](h, t, err);
    return rc;
}
