/* The way to the server without TLS of ours: what is passed, and plaintext. */
#include "intercept_private.h"

#include <string.h>

/* HTTP: 502 and why; others find the connection closed. */
static int unreachable(struct conn *c, const tlsock_error *err)
{
    char text[512];
    int n = snprintf(text, sizeof(text),
                     "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n"
                     "Content-Type: text/plain; charset=utf-8\r\n"
                     "Content-Length: %zu\r\n\r\n%s\n",
                     strlen(err->message) + 1, err->message);

    if (c->entry.kind == ENTRY_HTTP && n > 0 && (size_t)n < sizeof(text))
        (void)wire_send(c->fd, text, (size_t)n);
    return conn_fail(c, INTERCEPT_FAIL, err, NULL);
}

/* What its address decides comes late: 403 is still to be said to HTTP. */
static int denied(struct conn *c)
{
    char text[512];

    if (c->entry.kind == ENTRY_HTTP)
        (void)wire_send(c->fd, text,
                        entry_no(&c->entry, "a rule denies this", text));
    return -1;
}

int dial_start(struct conn *c, tlsock_config *config, int plain)
{
    tlsock_error err = {0};

    c->up_is_plain = plain;
    c->up = tlsock_connect(c->target, config != NULL ? config : c->o->up,
                           TLSOCK_OPTS(.nonblocking = 1, .plain = plain,
                                       .timeout_ms = c->o->timeout_ms,
                                       .name = tls_name(c)),
                           &err);
    if (c->up == NULL)
        return unreachable(c, &err);
    c->phase = c->has_op ? PH_UP : PH_DIAL;
    return 1;
}

int dial_step(struct conn *c)
{
    int rc = tlsock_handshake(c->up);

    if (rc == TLSOCK_AGAIN)
        return 0;
    if (rc < 0)
        return unreachable(c, tlsock_last_error(c->up));
    c->dialled = 1;
    if (c->passing)
        return relay_begin(c, INTERCEPT_PASS, c->pass_why, c->pass_until);
    if (tls_may(c, 0) < 0)
        return denied(c);
    return relay_begin(c, INTERCEPT_PLAIN, NULL, 0);
}
