#include "program.h"

#include <errno.h>
#include <event2/event.h>
#include <unistd.h>

static void close_end(struct event **ev, int *fd)
{
    if (*ev != NULL)
        event_free(*ev);
    if (*fd >= 0)
        close(*fd);
    *ev = NULL;
    *fd = -1;
}

int program_start(struct program *p, struct event_base *base, char *const *argv,
                  void (*when)(int, short, void *), void *arg)
{
    int rc = child_start(&p->child, argv);

    if (rc != 0)
        return rc;
    p->ev_to = event_new(base, p->child.to, EV_WRITE, when, arg);
    p->ev_from = event_new(base, p->child.from, EV_READ, when, arg);
    return p->ev_to != NULL && p->ev_from != NULL ? 0 : ENOMEM;
}

int program_take(struct program *p, struct chan *from)
{
    ssize_t n = (ssize_t)(from->len - from->off);

    if (p->child.to < 0) {
        from->off = from->len = 0;
        return n > 0;
    }
    if (n > 0) {
        n = write(p->child.to, from->buf + from->off, (size_t)n);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (n < 0)
            close_end(&p->ev_to, &p->child.to);
        else
            from->off += (size_t)n;
        return 1;
    }
    if (from->over)
        close_end(&p->ev_to, &p->child.to);
    return 0;
}

int program_give(struct program *p, struct chan *to)
{
    size_t room;
    unsigned char *place = chan_place(to, &room);
    ssize_t n;

    if (p->child.from < 0 || room == 0)
        return 0;
    n = read(p->child.from, place, room);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n > 0) {
        to->len += (size_t)n;
        return 1;
    }
    close_end(&p->ev_from, &p->child.from);
    to->over = 1;
    return 1;
}

int program_rearm(struct program *p, const struct chan *from, struct chan *to)
{
    if (p->child.to >= 0 && from->off < from->len &&
        event_add(p->ev_to, NULL) < 0)
        return -1;
    return p->child.from >= 0 && chan_room(to) > 0 ? event_add(p->ev_from, NULL)
                                                   : 0;
}

void program_close(struct program *p)
{
    close_end(&p->ev_to, &p->child.to);
    close_end(&p->ev_from, &p->child.from);
}
