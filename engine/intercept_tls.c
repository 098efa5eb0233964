/* The client's hello is kept waiting until the server has answered one that
 * offers the same; then the client gets what the server chose. */
#include "intercept_private.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <tlsock/cert.h>
#include <tlsock/hook.h>
#include <tlsock/info.h>
#include <unistd.h>

static const char no_name[] = "the client names no server (SNI): where to?";

const char *tls_name(const struct conn *c)
{
    static _Thread_local char bare[256];
    size_t n;

    if (c->o->name != NULL)
        return c->o->name;
    if (c->sni[0] != '\0')
        return c->sni;
    if (c->host[0] != '[')
        return c->host;
    n = strlen(c->host) - 2; /* addresses are without brackets there */
    memcpy(bare, c->host + 1, n);
    bare[n] = '\0';
    return bare;
}

static int deny(struct conn *c, const char *rule)
{
    char why[300];

    snprintf(why, sizeof(why), "by the rule \"deny %s\"", rule);
    return conn_fail(c, INTERCEPT_DENY, NULL, why);
}

static int verdict(struct conn *c, int early, const char **rule)
{
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof(peer);
    struct rule_facts f = {
        .host = tls_name(c), .sni = c->sni, .ja4 = c->ja4, .early = early};

    if (c->o->name != NULL || c->sni[0] != '\0' || c->host[0] != '[')
        f.host = c->host;
    if (c->peer.ss_family != AF_UNSPEC)
        f.from = (const struct sockaddr *)&c->peer;
    if (c->wanted.ss_family != AF_UNSPEC)
        f.to = (const struct sockaddr *)&c->wanted;
    if (c->dialled &&
        getpeername(tlsock_fd(c->up), (struct sockaddr *)&peer, &len) == 0)
        f.to = (const struct sockaddr *)&peer;
    return rules_match(c->o->rules, &f, rule);
}

int tls_may(struct conn *c, int early)
{
    const char *rule;

    return verdict(c, early, &rule) == RULE_DENY ? deny(c, rule) : 0;
}

int tls_begin(struct conn *c)
{
    tlsock_error err = {0};

    c->wire.recording = 1;
    c->wire.given = 0;
    c->client_spoke = 1;
    c->down = tlsock_server_io(
        &wire_io, &c->wire, c->loop->all->down,
        TLSOCK_OPTS(.nonblocking = 1, .user = c,
                    .timeout_ms = c->o->timeout_ms < 0
                                      ? -1
                                      : c->o->hello_ms + c->o->timeout_ms),
        &err);
    if (c->down == NULL)
        return conn_fail(c, INTERCEPT_FAIL, &err, NULL);
    c->deadline_ms = conn_now_ms() + c->o->hello_ms;
    c->phase = PH_HELLO;
    return 1;
}

static unsigned big(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* Behind type and length: version, random, session id, suites, compression,
 * extensions (RFC 8446, 4.1.2); the library has parsed it before. GREASE and
 * what is unknown do not count. */
static void read_versions(struct conn *c, const unsigned char *p, size_t len)
{
    size_t at = 4 + 2 + 32, end;

    c->oldest = c->newest = 0;
    if (len < at + 1)
        return;
    c->oldest = c->newest = (int)big(p + 4);
    at += 1 + (size_t)p[at];
    at += at + 2 <= len ? 2 + (size_t)big(p + at) : len;
    at += at + 1 <= len ? 1 + (size_t)p[at] : len;
    at += 2;
    for (; at + 4 <= len; at = end) {
        end = at + 4 + big(p + at + 2);
        if (end > len)
            return;
        if (big(p + at) != 43)
            continue;
        c->newest = 0;
        c->oldest = 0xffff;
        for (at += 5; at + 2 <= end; at += 2) {
            int v = (int)big(p + at);

            if (v < 0x0301 || v > 0x0304)
                continue;
            c->newest = v > c->newest ? v : c->newest;
            c->oldest = v < c->oldest ? v : c->oldest;
        }
    }
}

/* Names of protocols that can be offered on: no GREASE, nothing escaped. */
static void keep_alpn(struct conn *c, const char *list)
{
    size_t used = 0;

    c->alpn[0] = '\0';
    while (*list != '\0') {
        size_t n = strcspn(list, ",");

        if (n > 0 && memchr(list, '\\', n) == NULL &&
            used + n + 2 < sizeof(c->alpn)) {
            if (used > 0)
                c->alpn[used++] = ',';
            memcpy(c->alpn + used, list, n);
            used += n;
            c->alpn[used] = '\0';
        }
        list += n + (list[n] == ',');
    }
}

int tls_on_hello(const tlsock_event *e, void *arg)
{
    struct conn *c = tlsock_user(e->conn);
    const char *ja4 = tlsock_info(e->conn, TLSOCK_INFO_JA4);

    (void)arg;
    snprintf(c->sni, sizeof(c->sni), "%s", e->name);
    snprintf(c->ja4, sizeof(c->ja4), "%s", ja4 != NULL ? ja4 : "");
    keep_alpn(c, e->text);
    if (e->data != NULL)
        read_versions(c, e->data, e->len);
    c->op = e->op;
    c->has_op = 1;
    return TLSOCK_AGAIN;
}

/* The client is told by an alert; the log has it already. */
static int refuse(struct conn *c, int code)
{
    c->refused = 1;
    c->answered = 1;
    (void)tlsock_op_done(c->op, code, NULL, 0);
    c->phase = PH_DOWN;
    return 1;
}

static int refuse_telling(struct conn *c, int kind, const tlsock_error *err)
{
    conn_tell(c, kind, err, NULL);
    return refuse(c, err->code);
}

/* TLS is between client and server: what was read of it goes on as it came. */
static int pass(struct conn *c, time_t until)
{
    tlsock_abandon(c->down);
    c->down = NULL;
    c->has_op = 0;
    c->wire.recording = 0;
    c->passing = 1;
    c->pass_until = until;
    if (c->up != NULL)
        return relay_begin(c, INTERCEPT_PASS, c->pass_why, until);
    if (c->target[0] == '\0')
        return conn_fail(c, INTERCEPT_FAIL, NULL, no_name);
    return dial_start(c, NULL, 1);
}

/* 1: decided otherwise, 0: decrypt, -1: over. */
static int obey(struct conn *c, int *need_address)
{
    const char *rule;
    time_t until;
    int v = verdict(c, 0, &rule);

    *need_address = v == RULE_UNKNOWN;
    if (v == RULE_DENY) {
        (void)deny(c, rule);
        return refuse(c, TLSOCK_E_POLICY);
    }
    until =
        pins_passed(c->loop->all->pins, c->client_ip, tls_name(c), time(NULL));
    if (v == RULE_PASS) {
        snprintf(c->pass_why, sizeof(c->pass_why), "by the rule \"pass %s\"",
                 rule);
        return pass(c, 0);
    }
    if (v == RULE_INTERCEPT && until != 0) {
        snprintf(c->pass_why, sizeof(c->pass_why),
                 "client refused our certificate twice");
        return pass(c, until);
    }
    return 0;
}

static int connect_up(struct conn *c, int plain)
{
    tlsock_error err = {0};
    tlsock_config *config;

    if (c->target[0] == '\0') {
        conn_tell(c, INTERCEPT_FAIL, NULL, no_name);
        return refuse(c, TLSOCK_E_NO_NAME);
    }
    config = upconf_get(c->loop->all, c, &err);
    if (config == NULL)
        return refuse_telling(c, INTERCEPT_FAIL, &err);
    c->up_is_plain = plain;
    c->up = tlsock_connect(c->target, config,
                           TLSOCK_OPTS(.nonblocking = 1, .plain = plain,
                                       .timeout_ms = c->o->timeout_ms,
                                       .name = tls_name(c)),
                           &err);
    tlsock_config_unref(config);
    if (c->up == NULL)
        return refuse_telling(c, INTERCEPT_FAIL, &err);
    c->phase = PH_UP;
    return 1;
}

static int hello_failed(struct conn *c, int rc)
{
    if (rc == TLSOCK_AGAIN)
        return conn_fail(c, INTERCEPT_FAIL, NULL,
                         "the client's hello did not come in time");
    if (c->wire.full)
        return conn_fail(c, INTERCEPT_FAIL, NULL,
                         "the client's hello is longer than 32,000 bytes");
    return conn_fail(c, INTERCEPT_FAIL, tlsock_last_error(c->down), NULL);
}

int tls_step_hello(struct conn *c)
{
    int rc = tlsock_handshake(c->down), need_address;

    if (!c->has_op) {
        if (rc != TLSOCK_AGAIN)
            return hello_failed(c, rc);
        return c->late && conn_now_ms() >= c->deadline_ms
                   ? hello_failed(c, TLSOCK_AGAIN)
                   : 0;
    }
    if (c->target[0] == '\0' && c->sni[0] != '\0')
        conn_set_target(c, c->sni, c->o->sni_port);
    rc = obey(c, &need_address);
    if (rc != 0)
        return rc;
    if (c->up == NULL)
        return connect_up(c, need_address);
    c->phase = PH_UP; /* STARTTLS: there is a connection already */
    return 1;
}

/* What the server has chosen is what the client gets. */
static int answer(struct conn *c)
{
    tlsock_error err = {0};
    tlsock_cert *seen = tlsock_peer_cert(c->up), *leaf = NULL;
    int rc = TLSOCK_E_CERT_INVALID;

    if (seen != NULL)
        leaf = c->o->leaf(c->o->arg, seen, &err);
    tlsock_cert_unref(seen);
    if (leaf != NULL)
        rc = tlsock_use_cert(c->down, leaf);
    tlsock_cert_unref(leaf);
    if (rc == 0)
        rc = tlsock_use_alpn(c->down, tlsock_info(c->up, TLSOCK_INFO_ALPN));
    if (rc == 0)
        rc = tlsock_use_version(
            c->down, tlsock_info_int(c->up, TLSOCK_INFO_VERSION) == 0x0304
                         ? "1.3"
                         : "1.2");
    if (rc == 0 && tlsock_info(c->up, TLSOCK_INFO_CLIENT_CAS)[0] != '\0')
        rc = tlsock_use_client_auth(c->down, "ask");
    if (rc != 0) {
        conn_tell(c, INTERCEPT_FAIL, err.code != 0 ? &err : NULL,
                  "no certificate can be made for what the server has shown");
        return refuse(c, rc);
    }
    c->answered = 1;
    (void)tlsock_op_done(c->op, 0, NULL, 0);
    c->phase = PH_DOWN;
    return 1;
}

static int up_failed(struct conn *c)
{
    const tlsock_error *err = tlsock_last_error(c->up);

    /* 5xx: it is not who it has to be */
    return refuse_telling(
        c, err->code <= -500 ? INTERCEPT_DENY : INTERCEPT_FAIL, err);
}

/* TLS on the connection that is there, with what the client offers: 1, 0 not
 * yet, -1 over. */
static int over_plain(struct conn *c)
{
    tlsock_error err = {0};
    tlsock_config *config = upconf_get(c->loop->all, c, &err);
    int fd = -1, rc;

    if (config == NULL)
        return refuse_telling(c, INTERCEPT_FAIL, &err);
    rc = tlsock_detach(c->up, &fd);
    if (rc == 0) {
        c->up = tlsock_client_fd(
            fd, tls_name(c), config,
            TLSOCK_OPTS(.nonblocking = 1, .timeout_ms = c->o->timeout_ms),
            &err);
        if (c->up == NULL)
            close(fd);
    }
    tlsock_config_unref(config);
    if (rc == TLSOCK_AGAIN)
        return 0;
    if (rc < 0)
        return up_failed(c);
    if (c->up == NULL)
        return refuse_telling(c, INTERCEPT_FAIL, &err);
    c->up_is_plain = c->dialled = 0;
    return 1;
}

int tls_step_up(struct conn *c)
{
    int rc, ignored;

    if (!c->dialled) {
        rc = tlsock_handshake(c->up);
        if (rc == TLSOCK_AGAIN)
            return 0;
        if (rc < 0)
            return up_failed(c);
        c->dialled = 1;
        rc = c->up_is_plain ? obey(c, &ignored) : 0;
        if (rc != 0)
            return rc;
    }
    return c->up_is_plain ? over_plain(c) : answer(c);
}

int tls_step_down(struct conn *c)
{
    int rc = tlsock_handshake(c->down);

    if (c->refused)
        return -1; /* the alert is under way, or never will be */
    if (rc == TLSOCK_AGAIN)
        return 0;
    if (rc < 0 && refusal_told(c, tlsock_last_error(c->down)))
        return -1;
    if (rc < 0)
        return conn_fail(c, INTERCEPT_FAIL, tlsock_last_error(c->down), NULL);
    refusal_opened(c);
    c->wire.recording = 0;
    c->has_op = 0;
    return relay_begin(c, INTERCEPT_OPEN, NULL, 0);
}
