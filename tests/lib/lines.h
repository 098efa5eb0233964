/* lines - a LOG hook that keeps what it is told, for tests of such lines. */
#ifndef TEST_LINES_H
#define TEST_LINES_H

#include "test.h"

#include <pthread.h>

struct lines {
    int calls;
    pthread_t thread; /* that made the last call */
    char text[4096];  /* all of them, each with a newline */
};

static inline int lines_note(const tlsock_event *e, void *arg)
{
    struct lines *l = arg;
    size_t at = strlen(l->text);

    assert_int_equal(e->kind, TLSOCK_ON_LOG);
    l->calls++;
    l->thread = pthread_self();
    snprintf(l->text + at, sizeof(l->text) - at, "%s\n", e->text);
    return 0;
}

static inline void lines_of(tlsock_config *c, struct lines *l)
{
    memset(l, 0, sizeof(*l));
    assert_int_equal(tlsock_config_on(c, TLSOCK_ON_LOG, lines_note, l), 0);
}

#endif
