/* Clients that do not take our certificate: twice, and they are passed. */
#include "intercept_private.h"

#include <stdio.h>

#define AT_ONCE_MS 1000

/* Who trusts us not at all, or pins, says so; or closes without a word. */
static int is_refusal(const tlsock_error *err)
{
    if (err->alert_from_peer)
        return (err->alert >= 42 && err->alert <= 46) || err->alert == 48;
    return err->code == TLSOCK_E_CLOSED_IN_HANDSHAKE ||
           err->code == TLSOCK_E_RESET || err->code == TLSOCK_E_TRUNCATED;
}

static const char closed[] = "it closed the connection";

static const char *alert_word(const tlsock_error *err)
{
    static const char *const words[] = {
        "bad_certificate",     "unsupported_certificate", "certificate_revoked",
        "certificate_expired", "certificate_unknown",     "illegal_parameter",
        "unknown_ca"};

    return err->alert_from_peer && err->alert >= 42 && err->alert <= 48
               ? words[err->alert - 42]
               : closed;
}

/* kind: what it is if it is not passed from now on. */
static void tell(struct conn *c, int kind, const char *how)
{
    char why[160];
    time_t until;
    int n = pins_refused(c->loop->all->pins, c->client_ip, tls_name(c),
                         time(NULL), &until);
    struct intercept_event e = {.kind = until != 0 ? INTERCEPT_PASS : kind,
                                .reason = why,
                                .until = until};

    snprintf(why, sizeof(why), "client refused our certificate%s (%s)",
             n > 1 ? " twice" : "", how);
    conn_event(c, &e);
    c->o->on_event(c->o->arg, &e);
}

int refusal_told(struct conn *c, const tlsock_error *err)
{
    if (!is_refusal(err))
        return 0;
    tell(c, INTERCEPT_FAIL, alert_word(err));
    return 1;
}

/* There are clients that look at our certificate when the handshake is over:
 * who then goes at once, before anybody has said a word, has refused it. */
void refusal_opened(struct conn *c)
{
    c->mute = 1;
    c->opened_ms = conn_now_ms();
}

void refusal_heard(struct conn *c, int from)
{
    c->mute = 0;
    if (from == SERVER || c->trusted)
        return;
    c->trusted = 1;
    pins_accepted(c->loop->all->pins, c->client_ip, tls_name(c));
}

void refusal_gone(struct conn *c, ssize_t n)
{
    const tlsock_error *err = n < 0 ? tlsock_last_error(c->down) : NULL;

    if (c->mute && conn_now_ms() - c->opened_ms < AT_ONCE_MS &&
        (err == NULL || is_refusal(err)))
        c->left = err != NULL ? alert_word(err) : closed;
}

void refusal_end(struct conn *c)
{
    if (c->left != NULL)
        tell(c, INTERCEPT_NOTE, c->left);
}
