#include "cert/text.h"

#include "core/mem.h"
#include "core/str.h"

#include <stdio.h>
#include <string.h>

static void add(struct tsk_text *t, const void *p, size_t n)
{
    if (!t->failed && tsk_buf_add(&t->buf, p, n) != TLSOCK_OK)
        t->failed = 1;
}

void tsk_text_add(struct tsk_text *t, const char *s)
{
    add(t, s, strlen(s));
}

static void piece(struct tsk_text *t, const char *p, size_t len)
{
    uint8_t *room;

    if (t->failed || len == 0)
        return;
    room = tsk_buf_room(&t->buf, 4 * len + 1);
    if (room == NULL) {
        t->failed = 1;
        return;
    }
    tsk_printable((char *)room, 4 * len + 1, p, len);
    t->buf.len += strlen((char *)room);
}

void tsk_text_escaped(struct tsk_text *t, const void *bytes, size_t len,
                      const char *also, int keep)
{
    const char *p = bytes != NULL ? bytes : ""; /* of nothing */
    char hex[5];
    size_t from = 0;

    for (size_t i = 0; i < len; i++) {
        int raw = keep && p[i] == '\\';

        if (!raw && (p[i] == '\0' || strchr(also, p[i]) == NULL))
            continue;
        piece(t, p + from, i - from);
        snprintf(hex, sizeof(hex), "\\x%02x", (unsigned char)p[i]);
        tsk_text_add(t, raw ? "\\" : hex);
        from = i + 1;
    }
    piece(t, p + from, len - from);
}

char *tsk_text_take(struct tsk_text *t)
{
    char *text = NULL;

    if (!t->failed)
        text = tsk_strndup(t->buf.len != 0 ? (const char *)tsk_buf_at(&t->buf)
                                           : "", t->buf.len);
    tsk_buf_free(&t->buf);
    return text;
}
