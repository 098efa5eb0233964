#include "tls/trace.h"

#include "core/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HEAD 4 /* type and length of a handshake message */
#define TEXT 512
#define PACKET 64 /* bytes of one that are shown */
#define CLIENT_HELLO 1
#define SERVER_HELLO 2

unsigned tsk_trace_16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

int tsk_trace_skip(struct tsk_span *s, size_t n)
{
    if (n > s->len)
        return -1;
    s->at += n;
    s->len -= n;
    return 0;
}

int tsk_trace_vector(struct tsk_span *s, size_t width, struct tsk_span *out)
{
    size_t n = 0;

    if (s->len < width)
        return -1;
    for (size_t i = 0; i < width; i++)
        n = n << 8 | s->at[i];
    (void)tsk_trace_skip(s, width);
    *out = (struct tsk_span){s->at, n};
    return tsk_trace_skip(s, n);
}

void tsk_trace_fact(struct tsk_trace *t, const char *name, const char *fmt, ...)
{
    char text[TEXT];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    tsk_append(t->out, t->size, &t->at, " %s%s%s", name,
               name[0] != '\0' ? "=" : "", text);
}

/* A blank would look like the next fact. */
void tsk_trace_text(struct tsk_trace *t, const char *name, const char *escaped)
{
    tsk_trace_fact(t, name, strchr(escaped, ' ') != NULL ? "\"%s\"" : "%s",
                   escaped);
}

/* RFC 8446, 6 */
static int alert(struct tsk_trace *t, const uint8_t *p, size_t len)
{
    const char *name;

    if (len != 2)
        return -1;
    name = SSL_alert_desc_string_long(p[1]);
    tsk_trace_fact(t, "",
                   p[0] == SSL3_AL_WARNING ? "warning"
                   : p[0] == SSL3_AL_FATAL ? "fatal"
                                           : "level %d",
                   p[0]);
    tsk_trace_fact(t, "", strcmp(name, "unknown") == 0 ? "%s (%d)" : "%s", name,
                   p[1]);
    return 0;
}

static int handshake(struct tsk_trace *t, const uint8_t *p, size_t len)
{
    struct tsk_span body, rest = {p, len};

    if (tsk_trace_skip(&rest, 1) != 0 ||
        tsk_trace_vector(&rest, 3, &body) != 0 || rest.len != 0)
        return -1;
    if (p[0] == CLIENT_HELLO || p[0] == SERVER_HELLO)
        return tsk_trace_hello(t, p, len);
    return tsk_trace_body(t, p[0], body);
}

static int is_retry(const uint8_t *p, size_t len)
{
    struct tsk_greeting g;

    return len > HEAD && p[0] == SERVER_HELLO &&
           tsk_greeting_parse(&g, p, len) == 0 && g.retry;
}

static void name(struct tsk_trace *t, const uint8_t *p, size_t len)
{
    const char *known = t->e->type == SSL3_RT_ALERT ? "Alert"
                        : t->e->type == SSL3_RT_CHANGE_CIPHER_SPEC
                            ? "ChangeCipherSpec"
                        : len == 0         ? "?"
                        : is_retry(p, len) ? "HelloRetryRequest"
                                           : tsk_trace_message(p[0]);

    if (known != NULL)
        tsk_append(t->out, t->size, &t->at, " %s %zu", known, len);
    else
        tsk_append(t->out, t->size, &t->at, " handshake-%d %zu", p[0], len);
}

static int facts(struct tsk_trace *t, const uint8_t *p, size_t len)
{
    if (t->e->version == SSL2_VERSION)
        return 0; /* a hello of another form */
    if (t->e->type == SSL3_RT_ALERT)
        return alert(t, p, len);
    if (t->e->type == SSL3_RT_HANDSHAKE)
        return handshake(t, p, len);
    return 0;
}

static void message(struct tsk_trace *t)
{
    char room[8];

    tsk_append(t->out, t->size, &t->at, " %s",
               tsk_trace_version(t->e->version, room));
    name(t, t->e->data, t->e->len);
    if (facts(t, t->e->data, t->e->len) != 0)
        tsk_append(t->out, t->size, &t->at, " malformed");
}

static int is_text(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((p[i] < 0x20 && strchr("\r\n\t", p[i]) == NULL) || p[i] == 0 ||
            p[i] == 0x7f)
            return 0;
    return 1;
}

/* Lines of a text, their ends between them; not the last one's. */
static void say_text(struct tsk_trace *t, const char *p, size_t len)
{
    char line[TEXT];

    if (len != 0 && p[len - 1] == '\n')
        len--;
    if (len != 0 && p[len - 1] == '\r')
        len--;
    tsk_append(t->out, t->size, &t->at, " \"");
    while (len != 0) {
        const char *lf = memchr(p, '\n', len);
        size_t n = lf != NULL ? (size_t)(lf - p) : len;
        size_t cr = lf != NULL && n != 0 && p[n - 1] == '\r' ? 1 : 0;

        tsk_printable(line, sizeof(line), p, n - cr);
        tsk_append(t->out, t->size, &t->at, "%s%s%s", line, cr ? "\\r" : "",
                   lf != NULL ? "\\n" : "");
        n += lf != NULL;
        p += n;
        len -= n;
    }
    tsk_append(t->out, t->size, &t->at, "\"");
}

/* What is said before TLS: text, or the bytes of a packet. */
static void plaintext(struct tsk_trace *t, const uint8_t *p, size_t len)
{
    tsk_append(t->out, t->size, &t->at, " plaintext %zu", len);
    if (is_text(p, len)) {
        say_text(t, (const char *)p, len);
        return;
    }
    for (size_t i = 0; i < len && i < PACKET; i++)
        tsk_append(t->out, t->size, &t->at, " %02x", p[i]);
    if (len > PACKET)
        tsk_append(t->out, t->size, &t->at, " ...");
}

int tsk_trace_line(const tlsock_event *e, char *out, size_t size)
{
    struct tsk_trace t = {.out = out, .size = size, .e = e};
    const char *from = e->conn != NULL ? e->conn->address : "";

    out[0] = '\0';
    tsk_append(out, size, &t.at, "%s%s%s", from, from[0] != '\0' ? " " : "",
               e->sent ? ">" : "<");
    if (e->kind == TLSOCK_ON_DIALOGUE)
        plaintext(&t, e->data, e->len);
    else
        message(&t);
    return (int)(t.at < size ? t.at : size - 1);
}
