#include "starttls/xml.h"

#include <string.h>

#define BLANKS " \t\r\n"

static int is_blank(char c)
{
    return c != '\0' && strchr(BLANKS, c) != NULL;
}

/* Control bytes are no part of XML (XML 1.0, 2.2). */
static int is_control(uint8_t c)
{
    return c < ' ' && !is_blank((char)c);
}

/* Letters, digits and what else names have (XML 1.0, 2.3), in ASCII. */
static size_t name_len(const char *p)
{
    return strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789:_-.");
}

static int alien(const struct tsk_starttls *d, const struct tsk_talk *t,
                 tlsock_error *err)
{
    size_t len = t->in->len;

    return tsk_dlg_alien(d, "XML", tsk_buf_at(t->in), len < 64 ? len : 64, err);
}

struct attr {
    const char *name, *value;
    size_t n_name, n_value;
};

/* The attribute at *p, which goes on behind it: 1, 0 at the end, -1 nonsense */
static int attr_next(const char **p, struct attr *a)
{
    const char *q = *p + strspn(*p, BLANKS), *end;

    if (*q == '\0')
        return 0;
    if (q == *p)
        return -1; /* not parted from what is before it */
    a->name = q;
    a->n_name = name_len(q);
    q += a->n_name;
    q += strspn(q, BLANKS);
    if (a->n_name == 0 || *q != '=')
        return -1;
    q++;
    q += strspn(q, BLANKS);
    end = *q == '"' || *q == '\'' ? strchr(q + 1, *q) : NULL;
    if (end == NULL)
        return -1;
    a->value = q + 1;
    a->n_value = (size_t)(end - a->value);
    *p = end + 1;
    return 1;
}

int tsk_xml_has(const struct tsk_xml *x, const char *name, const char *value)
{
    const char *p = x->text;
    struct attr a;

    while (attr_next(&p, &a) == 1)
        if (a.n_name == strlen(name) && memcmp(a.name, name, a.n_name) == 0)
            return a.n_value == strlen(value) &&
                   memcmp(a.value, value, a.n_value) == 0;
    return 0;
}

/* Sets the kind by what stands at both ends, and takes that away. */
static char *ends(char *text, struct tsk_xml *x)
{
    size_t len = strlen(text);
    char last = len > 1 ? text[len - 1] : '\0';

    x->kind = TSK_XML_OPEN;
    if (text[0] == '?') {
        x->kind = TSK_XML_DECL;
        if (last != '?')
            return NULL;
        text[len - 1] = '\0';
        return text + 1;
    }
    if (text[0] == '/') {
        x->kind = TSK_XML_CLOSE;
        return text + 1;
    }
    if (last == '/') {
        x->kind = TSK_XML_EMPTY;
        text[len - 1] = '\0';
    }
    return text;
}

/* What stands between < and >: 0, or -1 for nonsense. */
static int parse(char *text, struct tsk_xml *x)
{
    char *name = ends(text, x);
    const char *p;
    struct attr a;
    size_t n;
    int rc, count = 0;

    if (name == NULL)
        return -1;
    n = name_len(name);
    if (n == 0 || n >= sizeof(x->name))
        return -1;
    memcpy(x->name, name, n);
    x->name[n] = '\0';
    memmove(x->text, name + n, strlen(name + n) + 1);
    if (x->kind == TSK_XML_DECL && strcmp(x->name, "xml") != 0)
        return -1;
    p = x->text;
    do {
        rc = attr_next(&p, &a);
        count += rc == 1;
    } while (rc == 1);
    return rc < 0 || (x->kind == TSK_XML_CLOSE && count > 0) ? -1 : 0;
}

/* The > of the tag in front, outside quotes: its place; 0: not there yet; -1:
 * what XML does not allow in a tag. */
static int tag_end(const uint8_t *p, size_t len)
{
    uint8_t quote = 0;

    for (size_t i = 1; i < len && i < TSK_TALK_LINE; i++) {
        if (is_control(p[i]) || p[i] == '<')
            return -1;
        if (quote != 0)
            quote = p[i] == quote ? 0 : quote;
        else if (p[i] == '"' || p[i] == '\'')
            quote = p[i];
        else if (p[i] == '>')
            return (int)i;
    }
    return 0;
}

static int too_long(tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_LIMIT,
             "the peer sent a tag of more than %d bytes before TLS",
             TSK_TALK_LINE);
    tsk_hint(err, "this is no XMPP, or a hostile peer: check host and port");
    return TLSOCK_E_LIMIT;
}

/* Takes what stands before the tag: OK or code. */
static int skip_text(struct tsk_starttls *d, struct tsk_talk *t, int text,
                     tlsock_error *err)
{
    const uint8_t *p = tsk_buf_at(t->in);
    size_t n = 0;

    while (n < t->in->len && p[n] != '<') {
        if (!(text ? !is_control(p[n]) : is_blank((char)p[n])))
            return alien(d, t, err);
        n++;
    }
    return tsk_talk_take(t, n, err);
}

int tsk_xml_next(struct tsk_starttls *d, struct tsk_talk *t, int text,
                 struct tsk_xml *x, tlsock_error *err)
{
    const uint8_t *p;
    int rc, end;

    rc = skip_text(d, t, text, err);
    if (rc < 0)
        return rc;
    p = tsk_buf_at(t->in);
    end = tag_end(p, t->in->len);
    if (end < 0)
        return alien(d, t, err);
    if (end == 0 && t->in->len >= TSK_TALK_LINE)
        return too_long(err);
    if (end == 0) {
        (void)tsk_talk_need(t, t->in->len + 1, &rc, err);
        return rc;
    }
    memcpy(x->text, p + 1, (size_t)end - 1);
    x->text[end - 1] = '\0';
    if (parse(x->text, x) < 0)
        return alien(d, t, err);
    rc = tsk_talk_take(t, (size_t)end + 1, err);
    return rc < 0 ? rc : TSK_DLG_MORE;
}
