#include "starttls/ber.h"

#include <string.h>

/* RFC 4511, 5.1: definite form alone; several servers always use four bytes
 * for the length, so a longer form than needed is taken. */
int tsk_ber_head(struct tsk_ber b, size_t *head, size_t *body)
{
    size_t n;

    if (b.len < 2)
        return 0;
    *head = 2;
    *body = b.p[1];
    if (b.p[1] < 0x80)
        return 1;
    n = b.p[1] & 0x7f;
    if (n == 0 || n > 4)
        return -1;
    if (b.len < 2 + n)
        return 0;
    *body = 0;
    for (size_t i = 0; i < n; i++)
        *body = *body << 8 | b.p[2 + i];
    *head = 2 + n;
    return 1;
}

int tsk_ber_take(struct tsk_ber *b, uint8_t tag, struct tsk_ber *content)
{
    size_t head, body;

    if (tsk_ber_head(*b, &head, &body) != 1 || b->p[0] != tag ||
        body > b->len - head)
        return -1;
    content->p = b->p + head;
    content->len = body;
    b->p += head + body;
    b->len -= head + body;
    return 0;
}

int tsk_ber_peek(struct tsk_ber b)
{
    return b.len > 0 ? b.p[0] : -1;
}

int32_t tsk_ber_number(struct tsk_ber *b, uint8_t tag)
{
    struct tsk_ber n;
    int32_t value = 0;

    if (tsk_ber_take(b, tag, &n) < 0 || n.len < 1 || n.len > 4 || n.p[0] > 0x7f)
        return -1;
    for (size_t i = 0; i < n.len; i++)
        value = value << 8 | n.p[i];
    return value;
}

int tsk_ber_is(struct tsk_ber b, const char *text)
{
    return b.len == strlen(text) && memcmp(b.p, text, b.len) == 0;
}
