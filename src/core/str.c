#include "core/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Marks that make text read in another order, or are not seen at all. */
static int is_hidden(uint32_t cp)
{
    static const uint32_t ranges[][2] = {
        {0xad, 0xad},     {0x61c, 0x61c},   {0x180e, 0x180e},
        {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
        {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (cp >= ranges[i][0] && cp <= ranges[i][1])
            return 1;
    return 0;
}

/* Length of the UTF-8 sequence at p that is safe to show, or 0. C1 controls
 * (U+0080..9F) and what is_hidden() names are not. */
static size_t utf8_len(const uint8_t *p, size_t len)
{
    uint32_t cp;
    size_t n;

    if (p[0] < 0x80)
        return p[0] >= 0x20 && p[0] != 0x7f ? 1 : 0;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        n = 2, cp = p[0] & 0x1fu;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        n = 3, cp = p[0] & 0x0fu;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        n = 4, cp = p[0] & 0x07u;
    else
        return 0;
    if (n > len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        cp = cp << 6 | (p[i] & 0x3fu);
    }
    if ((n == 3 && cp < 0x800) || (n == 4 && (cp < 0x10000 || cp > 0x10ffff)) ||
        (cp >= 0xd800 && cp <= 0xdfff) || cp < 0xa0)
        return 0;
    return is_hidden(cp) ? 0 : n;
}

void tsk_printable(char *out, size_t size, const void *text, size_t len)
{
    const uint8_t *p = text;
    size_t o = 0, i = 0;

    if (size == 0)
        return;
    while (i < len) {
        size_t n = utf8_len(p + i, len - i);

        if (n != 0 && p[i] != '\\') {
            if (o + n >= size)
                break;
            memcpy(out + o, p + i, n);
            o += n;
            i += n;
        } else {
            if (o + 4 >= size)
                break;
            snprintf(out + o, 5, "\\x%02x", p[i]);
            o += 4;
            i++;
        }
    }
    out[o] = '\0';
}

void tsk_append(char *out, size_t size, size_t *pos, const char *fmt, ...)
{
    size_t left = *pos < size ? size - *pos : 0;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(left != 0 ? out + *pos : NULL, left, fmt, ap);
    va_end(ap);
    if (n > 0)
        *pos += (size_t)n;
}

void tsk_append_json(char *out, size_t size, size_t *pos, const char *text)
{
    const uint8_t *p = (const uint8_t *)text;

    if (text == NULL) {
        tsk_append(out, size, pos, "null");
        return;
    }
    tsk_append(out, size, pos, "\"");
    for (size_t len = strlen(text); len > 0;) {
        size_t n = utf8_len(p, len);

        if (n == 0) { /* JSON is UTF-8: a stray byte is shown as Latin-1 */
            tsk_append(out, size, pos, "\\u%04x", *p);
            n = 1;
        } else if (*p == '"' || *p == '\\') {
            tsk_append(out, size, pos, "\\%c", *p);
        } else {
            tsk_append(out, size, pos, "%.*s", (int)n, (const char *)p);
        }
        p += n;
        len -= n;
    }
    tsk_append(out, size, pos, "\"");
}

void tsk_hex(char *out, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = bytes;

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * len] = '\0';
}

int tsk_number(const char *text, int64_t lo, int64_t hi, int64_t *out)
{
    int64_t value = 0;
    int negative = *text == '-';
    const char *p = text + negative;

    if (*p == '\0' || strlen(p) > 18)
        return -1;
    for (; *p != '\0'; p++) {
        if (*p < '0' || *p > '9')
            return -1;
        value = value * 10 + (*p - '0');
    }
    if (negative)
        value = -value;
    if (value < lo || value > hi)
        return -1;
    *out = value;
    return 0;
}

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

int tsk_casencmp(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int d = lower((unsigned char)a[i]) - lower((unsigned char)b[i]);

        if (d != 0 || a[i] == '\0')
            return d;
    }
    return 0;
}

size_t tsk_decimal(char *out, uint32_t value)
{
    char digits[10];
    size_t n = 0;

    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    out[n] = '\0';
    return n;
}

int tsk_casecmp(const char *a, const char *b)
{
    return tsk_casencmp(a, b, SIZE_MAX);
}
