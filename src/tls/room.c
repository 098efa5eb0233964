#include "core/mem.h"
#include "tls/conn.h"

#include <string.h>

/* Where a failure is recorded for which there is no memory: whoever asks in
 * the same thread, before the next one, gets all of it. */
static _Thread_local tlsock_error lost;
static _Thread_local const tlsock *lost_of;
/* The same of what is asked with tlsock_info(). */
static _Thread_local char scrap[TSK_CONN_TEXT];

/* What is known of a peer that was not asked who it is. Never written to. */
static struct tsk_session_facts none;

static const tlsock_error nothing;
static const tlsock_error nomem = {.code = TLSOCK_E_NOMEM,
                                   .message = "out of memory"};

static void begin_lost(tlsock *s)
{
    if (s->err_lost && lost_of == s)
        return;
    tsk_clear(&lost);
    if (s->err_lost) /* what there was is another's place by now */
        tsk_fail_nomem(&lost);
    s->err_lost = 1;
    lost_of = s;
}

tlsock_error *tsk_err(tlsock *s)
{
    if (s->err == NULL && !s->err_lost)
        s->err = tsk_alloc(sizeof(*s->err));
    if (s->err != NULL)
        return s->err;
    begin_lost(s);
    return &lost;
}

const tlsock_error *tsk_err_of(const tlsock *s)
{
    if (s->err != NULL)
        return s->err;
    if (!s->err_lost)
        return &nothing;
    return lost_of == s ? &lost : &nomem;
}

void tsk_err_clear(tlsock *s)
{
    tsk_clear(s->err);
    s->err_lost = 0;
}

void tsk_err_settle(tlsock *s)
{
    if (tsk_err_of(s)->code != TLSOCK_OK)
        return;
    tsk_free(s->err);
    s->err = NULL;
    s->err_lost = 0;
}

char *tsk_conn_text(tlsock *s)
{
    if (s->text == NULL)
        s->text = tsk_alloc(TSK_CONN_TEXT);
    return s->text != NULL ? s->text : scrap;
}

void tsk_facts_init(tlsock *s)
{
    s->facts = &none;
}

int tsk_facts_begin(tlsock *s)
{
    struct tsk_session_facts *facts;

    if (s->facts != &none)
        return TLSOCK_OK;
    facts = tsk_alloc(sizeof(*facts));
    if (facts == NULL)
        return tsk_fail_nomem(tsk_err(s));
    s->facts = facts;
    return TLSOCK_OK;
}

void tsk_facts_wipe(tlsock *s)
{
    if (s->facts != &none)
        memset(s->facts, 0, sizeof(*s->facts));
}

void tsk_facts_settle(tlsock *s)
{
    if (memcmp(s->facts, &none, sizeof(none)) == 0)
        tsk_facts_free(s);
}

void tsk_facts_free(tlsock *s)
{
    if (s->facts != &none)
        tsk_free(s->facts);
    s->facts = &none;
}
