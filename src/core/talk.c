#include "core/talk.h"

#include "core/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int too_much(tlsock_error *err, const char *what, unsigned long most)
{
    tsk_fail(err, TLSOCK_E_LIMIT, "the peer sent %s (more than %lu) before TLS",
             what, most);
    tsk_hint(err, "the peer speaks another protocol than was asked for, or is "
                  "hostile: check host, port and protocol");
    return TLSOCK_E_LIMIT;
}

static int nul_byte(tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_PROTOCOL,
             "the peer sent a NUL byte in a line of text before TLS");
    tsk_hint(err, "text has none: check host, port and protocol");
    return TLSOCK_E_PROTOCOL;
}

static int ended(tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_CLOSED_IN_HANDSHAKE,
             "the peer closed the connection before TLS could begin");
    tsk_hint(err, "its log says why; it may refuse this address, or be "
                  "another kind of server");
    return TLSOCK_E_CLOSED_IN_HANDSHAKE;
}

int tsk_talk_take(struct tsk_talk *t, size_t n, tlsock_error *err)
{
    if (t->seen != NULL && n != 0)
        t->seen(t->arg, tsk_buf_at(t->in), n);
    tsk_buf_take(t->in, n);
    t->bytes += n;
    if (t->bytes > TSK_TALK_MOST)
        return too_much(err, "too many bytes", TSK_TALK_MOST);
    return TLSOCK_OK;
}

int tsk_talk_line(struct tsk_talk *t, char *out, tlsock_error *err)
{
    const uint8_t *p = tsk_buf_at(t->in), *lf;
    size_t most = t->in->len < TSK_TALK_LINE ? t->in->len : TSK_TALK_LINE, len;
    int rc;

    lf = memchr(p, '\n', most);
    if (lf == NULL && most == TSK_TALK_LINE)
        return too_much(err, "too long a line", TSK_TALK_LINE);
    if (lf == NULL)
        return t->ended ? ended(err) : TLSOCK_AGAIN;
    if (++t->lines > TSK_TALK_LINES)
        return too_much(err, "too many lines", TSK_TALK_LINES);
    len = (size_t)(lf - p);
    if (memchr(p, '\0', len) != NULL)
        return nul_byte(err);
    memcpy(out, p, len);
    rc = tsk_talk_take(t, len + 1, err);
    if (rc < 0)
        return rc;
    if (len > 0 && out[len - 1] == '\r')
        len--;
    out[len] = '\0';
    return (int)len + 1;
}

const uint8_t *tsk_talk_need(struct tsk_talk *t, size_t n, int *rc,
                             tlsock_error *err)
{
    if (t->bytes > TSK_TALK_MOST || n > TSK_TALK_MOST - t->bytes) {
        *rc = too_much(err, "too many bytes", TSK_TALK_MOST);
        return NULL;
    }
    if (t->in->len >= n) {
        *rc = TLSOCK_OK;
        return tsk_buf_at(t->in);
    }
    *rc = t->ended ? ended(err) : TLSOCK_AGAIN;
    return NULL;
}

int tsk_talk_send(struct tsk_talk *t, const void *bytes, size_t n,
                  tlsock_error *err)
{
    if (tsk_buf_add(&t->out, bytes, n) < 0)
        return tsk_fail_nomem(err);
    t->queued += n;
    return TLSOCK_OK;
}

/* One stretch is enough: of two all that is between them counts, too. */
int tsk_talk_secret(struct tsk_talk *t, const void *bytes, size_t n,
                    tlsock_error *err)
{
    if (t->secret_to == 0)
        t->secret_from = t->queued;
    t->secret_to = t->queued + n;
    return tsk_talk_send(t, bytes, n, err);
}

int tsk_talk_say(struct tsk_talk *t, tlsock_error *err, const char *fmt, ...)
{
    char text[2048];
    va_list ap;
    int n, rc;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof(text)) {
        tsk_wipe(text, sizeof(text));
        tsk_fail(err, TLSOCK_E_LIMIT,
                 "a name or argument is too long for the dialogue before TLS");
        tsk_hint(err, "what is said before TLS has less than %zu bytes",
                 sizeof(text));
        return TLSOCK_E_LIMIT;
    }
    rc = tsk_talk_send(t, text, (size_t)n, err);
    tsk_wipe(text, (size_t)n);
    return rc;
}

void tsk_talk_free(struct tsk_talk *t)
{
    tsk_buf_free(&t->out);
}
