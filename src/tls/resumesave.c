/* What became of a session, in words; out to the caller, and back in. */
#include "session/codec.h"
#include "core/date.h"
#include "tls/ctx_private.h"
#include "tls/keep.h"
#include "tls/resume.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *none(const tlsock *s)
{
    if (s->server)
        return "";
    if (!s->set->session)
        return "none: session = off";
    if (s->resume.why != NULL)
        return s->resume.why;
    if (s->ssl != NULL && SSL_is_init_finished(s->ssl) &&
        SSL_version(s->ssl) < TLS1_3_VERSION)
        return "none: the server gave none";
    return "none yet";
}

const char *tsk_resume_text(tlsock *s)
{
    const struct tsk_resume *r = &s->resume;
    char *text, until[32];

    if (r->why == NULL && r->newest == NULL)
        return none(s);
    text = tsk_conn_text(s);
    if (r->why != NULL)
        snprintf(text, TSK_CONN_TEXT, "not kept: %s", r->why);
    else if (!tsk_date_text(r->until, until))
        return "kept";
    else
        snprintf(text, TSK_CONN_TEXT, "kept until %s", until);
    return text;
}

int tsk_resume_save(tlsock *s, uint8_t **out, size_t *len)
{
    struct tsk_resume *r = &s->resume;

    if (r->newest == NULL) {
        tsk_fail(tsk_err(s), TLSOCK_E_STATE, "there is no session to save: %s",
                 none(s));
        tsk_hint(tsk_err(s),
                 "a TLS 1.3 server sends it after the handshake: ask "
                 "again when something was read");
        return TLSOCK_E_STATE;
    }
    if (!tsk_resume_encode(s, r->newest, out, len))
        return tsk_fail(tsk_err(s), TLSOCK_E_NOMEM,
                        "no memory for the session, or it is larger than %zu "
                        "bytes",
                        TSK_SESSION_BYTES_MAX);
    return TLSOCK_OK;
}

static int of_no_use(tlsock_error *err, const char *why)
{
    tsk_fail(err, TLSOCK_E_STATE, "the session cannot be resumed: %s", why);
    tsk_hint(err, "go on without it: a full handshake follows");
    return TLSOCK_E_STATE;
}

static int load(struct tsk_ctx *c, struct tsk_session_item *item,
                tlsock_error *err)
{
    uint8_t binding[TSK_SESSION_KEY];
    int64_t now = tsk_wall_time();
    const char *why;

    if (!c->set->session)
        return of_no_use(err, "session = off");
    if (!tsk_keep_binding(c, binding))
        return tsk_fail_nomem(err);
    if (memcmp(binding, item->binding, sizeof(binding)) != 0)
        return of_no_use(err, "it was won with other trust or other settings");
    item->facts.process = tsk_fork_generation();
    if (!tsk_session_fresh(&item->facts, item->expires, now) ||
        item->facts.won + c->set->session_timeout_s <= now)
        return of_no_use(err, "it is over");
    why = tsk_keep_put(c, item, NULL);
    if (why == tsk_keep_lost) /* it was not too large before */
        return tsk_fail_nomem(err);
    return why == NULL ? TLSOCK_OK : of_no_use(err, why);
}

int tsk_resume_load(struct tsk_ctx *c, const void *data, size_t len,
                    tlsock_error *err)
{
    struct tsk_session_item item;
    int rc;

    if (!tsk_session_decode(data, len, &item)) {
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "these %zu bytes are no session of this version, whole and "
                 "undamaged",
                 len);
        tsk_hint(err, "give what tlsock_session_save() gave, and all of it");
        return TLSOCK_E_ARGUMENT;
    }
    rc = load(c, &item, err);
    SSL_SESSION_free(item.ses);
    return rc;
}
