/* child - a program whose stdin and stdout are pipes to us.
 *
 * No shell, nothing inherited but stderr. Knows nothing of connections. */
#ifndef ENGINE_CHILD_H
#define ENGINE_CHILD_H

struct child {
    int to;   /* its stdin, nonblocking, yours to close */
    int from; /* its stdout, nonblocking, yours to close */
};

/* Start argv[0], found through PATH. 0, or the errno of what failed: a
 * missing program is known here, not later. */
int child_start(struct child *c, char *const *argv);

#endif
