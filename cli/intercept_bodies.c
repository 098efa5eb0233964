/* What each side has sent, decrypted, one file for each direction of each
 * connection: secrets, so their mode is 0600. */
#include "errors.h"
#include "intercept_cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bodies {
    const struct out *o;
    const char *path;
    int dir;
    char begun[32]; /* runs do not overwrite each other's */
    atomic_int failed;
};

struct body {
    struct bodies *in;
    int fd[2]; /* server's, client's; -1: nothing is kept */
};

/* Once: whoever watches the disk need not read it for each connection. */
static void cannot_keep(struct bodies *b, int errnum)
{
    if (atomic_exchange(&b->failed, 1) == 0)
        (void)err_plain(b->o, "--bodies", EXIT_OWN, "own-file",
                        "make room; a file ends where it could not be written",
                        "%s: %s", b->path, local_strerror(errnum));
}

struct bodies *bodies_new(const struct out *o, const char *dir)
{
    struct bodies *b = calloc(1, sizeof(*b));
    time_t now = time(NULL);
    struct tm tm;
    int rc;

    if (b == NULL)
        return NULL;
    rc = local_make_dir(dir);
    b->dir = rc == 0 ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (b->dir < 0) {
        rc = rc != 0 ? rc : errno;
        free(b);
        errno = rc;
        return NULL;
    }
    b->o = o;
    b->path = dir;
    gmtime_r(&now, &tm);
    strftime(b->begun, sizeof(b->begun), "%Y%m%dT%H%M%S", &tm);
    return b;
}

void bodies_free(struct bodies *b)
{
    if (b == NULL)
        return;
    close(b->dir);
    free(b);
}

/* A name of the network as part of a file's. */
static void file_part(char *out, size_t size, const char *text)
{
    size_t used = 0;

    for (; *text != '\0' && used + 1 < size; text++) {
        int plain = (*text >= 'a' && *text <= 'z') ||
                    (*text >= 'A' && *text <= 'Z') ||
                    (*text >= '0' && *text <= '9') || *text == '-' ||
                    (*text == '.' && used > 0);

        out[used++] = plain ? *text : '_';
    }
    out[used] = '\0';
}

void *bodies_open(void *arg, const struct intercept_event *e)
{
    static const char *const ends[] = {"server", "client"};
    struct bodies *b = arg;
    struct body *body = calloc(1, sizeof(*body));
    char host[128], name[256];

    if (body == NULL) {
        cannot_keep(b, ENOMEM);
        return NULL;
    }
    body->in = b;
    file_part(host, sizeof(host), e->target);
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof(name), "%s-%ld-%06lu-%s.%s", b->begun,
                 (long)getpid(), e->id, host, ends[i]);
        body->fd[i] = openat(
            b->dir, name,
            O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (body->fd[i] < 0)
            cannot_keep(b, errno);
    }
    return body;
}

void bodies_data(void *key, int from_client, const void *bytes, size_t len)
{
    struct body *body = key;
    int *fd = &body->fd[from_client];
    const char *p = bytes;

    while (*fd >= 0 && len > 0) {
        ssize_t n = write(*fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) { /* what came after a gap would be something else */
            cannot_keep(body->in, n == 0 ? ENOSPC : errno);
            close(*fd);
            *fd = -1;
            return;
        }
        p += n;
        len -= (size_t)n;
    }
}

void bodies_close(void *key)
{
    struct body *body = key;

    for (int i = 0; i < 2; i++)
        if (body->fd[i] >= 0)
            close(body->fd[i]);
    free(body);
}
