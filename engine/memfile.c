#include "memfile.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define FIRST 4096

/* Room for so many bytes more, and a NUL. 0, or -1. */
static int make_room(struct memfile *m, size_t more)
{
    size_t room = m->room == 0 ? FIRST : m->room;
    char *text;

    while (room - m->len <= more)
        room *= 2;
    if (room == m->room)
        return 0;
    text = realloc(m->text, room);
    if (text == NULL)
        return -1;
    m->text = text;
    m->room = room;
    return 0;
}

static ssize_t take(void *cookie, const char *bytes, size_t len)
{
    struct memfile *m = cookie;

    if (!m->failed && make_room(m, len) < 0)
        m->failed = 1;
    if (m->failed)
        return 0;
    memcpy(m->text + m->len, bytes, len);
    m->len += len;
    return (ssize_t)len;
}

FILE *memfile_open(struct memfile *m)
{
    FILE *f;

    m->text = NULL;
    m->len = m->room = 0;
    m->failed = 0;
    f = fopencookie(m, "w", (cookie_io_functions_t){.write = take});
    if (f != NULL)
        setvbuf(f, m->buffer, _IOFBF, sizeof(m->buffer));
    return f;
}

char *memfile_close(struct memfile *m, FILE *f, size_t *len)
{
    int lacks = f == NULL || fclose(f) != 0 || m->failed;

    if (lacks || make_room(m, 0) < 0) {
        free(m->text);
        return NULL;
    }
    m->text[m->len] = '\0';
    *len = m->len;
    return m->text;
}
