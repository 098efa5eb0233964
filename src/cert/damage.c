/* Where exactly is a file damaged? Line numbers of base64, bytes of DER. */
#include "cert/load.h"
#include "cert/pem.h"
#include "ossl/queue.h"

#include <stdio.h>
#include <string.h>

/* Bytes a DER element announces, with its header; 0: none that is readable. */
static size_t announced(const unsigned char *p, size_t len)
{
    size_t n, need = 0;

    if (len < 2)
        return 0;
    n = p[1] & 0x7f;
    if ((p[1] & 0x80) == 0)
        return 2 + n;
    if (n == 0) /* BER, as some PKCS#12 files are */
        return 0;
    if (n > 4 || 2 + n > len)
        return SIZE_MAX;
    for (size_t i = 0; i < n; i++)
        need = need << 8 | p[2 + i];
    return 2 + n + need;
}

int tsk_der_whole(const struct tsk_source *s, tlsock_error *err)
{
    size_t need = announced(s->data, s->len);

    if (need == 0 || need == s->len || (s->data[1] & 0x80) == 0)
        return TLSOCK_OK;
    if (need == SIZE_MAX) {
        tsk_fail(err, TLSOCK_E_OWN_FILE,
                 "\"%s\" is truncated: its %zu bytes do not even hold the "
                 "length of its DER data",
                 s->name, s->len);
        tsk_hint(err, "copy the file again, in binary mode");
        return TLSOCK_E_OWN_FILE;
    }
    if (need > s->len) {
        tsk_fail(err, TLSOCK_E_OWN_FILE,
                 "\"%s\" is truncated: its DER data are %zu bytes long, and "
                 "%zu of them are there",
                 s->name, need, s->len);
        tsk_hint(err, "copy the file again, in binary mode");
        return TLSOCK_E_OWN_FILE;
    }
    tsk_fail(err, TLSOCK_E_OWN_FILE,
             "\"%s\" is %zu bytes long, and its DER data end after %zu",
             s->name, s->len, need);
    tsk_hint(err, "several certificates in one file go as PEM");
    return TLSOCK_E_OWN_FILE;
}

/* What is wrong with the text between BEGIN and END. */
struct scan {
    size_t line;             /* of the file, counted from 1 */
    size_t chars;            /* of base64 so far, without padding */
    size_t in_line, width;   /* characters of this line and of the first */
    size_t shorter;          /* the first line that is shorter than the first */
    size_t short_line;       /* the same, if it is not the last */
    size_t bad_line, padded; /* 0: none */
    unsigned char bad, after_bad;
    unsigned char head[6]; /* the first bytes */
};

static int value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static void take(struct scan *s, int v)
{
    size_t bit = 6 * s->chars;

    for (int i = 5; i >= 0 && bit / 8 < sizeof(s->head); i--, bit++)
        s->head[bit / 8] |= (unsigned char)((v >> i & 1) << (7 - bit % 8));
    s->chars++;
    s->in_line++;
}

static void end_line(struct scan *s)
{
    if (s->width == 0)
        s->width = s->in_line;
    else if (s->in_line < s->width && s->shorter == 0)
        s->shorter = s->line;
    s->in_line = 0;
}

/* Behind "Proc-Type: 4,ENCRYPTED" and what belongs to it. */
static const char *skip_headers(struct scan *s, const char *p, const char *end)
{
    const char *at = p;

    while (at < end) {
        const char *eol = memchr(at, '\n', (size_t)(end - at));

        if (eol == NULL || memchr(at, ':', (size_t)(eol - at)) == NULL)
            break;
        s->line++;
        at = eol + 1;
    }
    return at;
}

static void scan_text(struct scan *s, const char *p, const char *end)
{
    p = skip_headers(s, p, end);
    for (; p < end && s->bad_line == 0; p++) {
        unsigned char c = (unsigned char)*p;
        int v = value(c);

        if (c == '\n') {
            if (s->in_line != 0)
                end_line(s);
            s->line++;
        } else if (c == '=' && s->chars != 0) {
            s->padded = s->line;
        } else if (v >= 0 && s->padded == 0) {
            s->short_line = s->shorter;
            take(s, v);
        } else if (c != '\r' && c != '\t' && !(c == ' ' && s->in_line == 0)) {
            s->bad_line = s->line;
            s->bad = c;
            s->after_bad = p + 1 < end ? (unsigned char)p[1] : 0;
        }
    }
}

static int lines_joined(const struct scan *s, const struct tsk_pem_block *b)
{
    return memchr(b->text, '\n', b->len) == NULL && s->bad != '\\';
}

static int bad_character(const struct tsk_source *src, const char *what,
                         const struct tsk_pem_block *b, const struct scan *s,
                         tlsock_error *err)
{
    if (lines_joined(s, b)) {
        tsk_fail(err, TLSOCK_E_OWN_FILE,
                 "%s in \"%s\" is damaged: its lines are joined to one", what,
                 src->name);
        tsk_hint(err, "the BEGIN and END lines stand alone: keep the line ends "
                      "(in a shell, quote the variable)");
        return TLSOCK_E_OWN_FILE;
    }
    if (s->bad == '\\' && (s->after_bad == 'n' || s->after_bad == 'r')) {
        tsk_fail(
            err, TLSOCK_E_OWN_FILE,
            "%s in \"%s\" is damaged: its line ends are written as \"\\n\"",
            what, src->name);
        tsk_hint(err, "put real line ends in their place: printf '%%b' does "
                      "that in a shell, jq -r with JSON");
        return TLSOCK_E_OWN_FILE;
    }
    if (s->padded != 0 && value(s->bad) >= 0)
        tsk_fail(err, TLSOCK_E_OWN_FILE,
                 "%s in \"%s\" is damaged: its base64 goes on behind the end "
                 "(\"=\") in line %zu",
                 what, src->name, s->padded);
    else if (s->bad > ' ' && s->bad < 0x7f)
        tsk_fail(err, TLSOCK_E_OWN_FILE,
                 "%s in \"%s\" is damaged: \"%c\" in line %zu is not base64",
                 what, src->name, s->bad, s->bad_line);
    else
        tsk_fail(err, TLSOCK_E_OWN_FILE,
                 "%s in \"%s\" is damaged: byte 0x%02x in line %zu is not "
                 "base64",
                 what, src->name, s->bad, s->bad_line);
    tsk_hint(err, "copy the file again from where it came, as plain text");
    return TLSOCK_E_OWN_FILE;
}

/* All of it is base64: does it make the bytes that it announces? */
static int bad_bytes(const struct tsk_source *src, const char *what,
                     const struct scan *s, tlsock_error *err)
{
    size_t have = s->chars * 3 / 4,
           need = announced(s->head, have < 6 ? have : 6);

    char where[64] = "";

    if (s->short_line != 0)
        snprintf(where, sizeof(where), "; line %zu is shorter than the others",
                 s->short_line);
    if (s->chars == 0)
        tsk_fail(err, TLSOCK_E_OWN_FILE, "%s in \"%s\" has no content", what,
                 src->name);
    else if (s->head[0] == 0x30 && need != 0 && need != have &&
             need <= have + TSK_CERT_FILE_MAX)
        tsk_fail(err, TLSOCK_E_OWN_FILE,
                 "%s in \"%s\" is damaged: it says that it has %zu bytes, and "
                 "there are %zu%s",
                 what, src->name, need, have, where);
    else
        return 0;
    tsk_hint(err, "copy the file again from where it came, all of it");
    return TLSOCK_E_OWN_FILE;
}

int tsk_pem_damage(const struct tsk_source *src, const struct tsk_pem_block *b,
                   const char *what, tlsock_error *err)
{
    const char *p = b->text + strlen("-----BEGIN ") + strlen(b->label) + 5,
               *end = b->text + b->len - strlen("-----END ") -
                      strlen(b->label) - 5;
    struct scan s = {.line = b->line};
    int rc;

    scan_text(&s, p, end);
    rc = s.bad_line != 0 ? bad_character(src, what, b, &s, err)
                         : bad_bytes(src, what, &s, err);
    if (rc != 0)
        return rc;
    rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                       "%s in \"%s\" (line %zu) is damaged", what, src->name,
                       b->line);
    if (rc == TLSOCK_E_OWN_FILE)
        tsk_hint(err, "copy the file again from where it came");
    return rc;
}
