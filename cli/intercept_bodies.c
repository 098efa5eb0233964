/* What each side has sent, decrypted, one file for each direction of each
 * connection: secrets, so their mode is 0600. */
#include "intercept_cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bodies {
    int dir;
    char begun[32]; /* runs do not overwrite each other's */
};

struct body {
    int fd[2]; /* server's, client's */
};

struct bodies *bodies_new(const char *dir)
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
    const struct bodies *b = arg;
    struct body *body = calloc(1, sizeof(*body));
    char host[128], name[256];

    if (body == NULL)
        return NULL;
    file_part(host, sizeof(host), e->target);
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof(name), "%s-%ld-%06lu-%s.%s", b->begun,
                 (long)getpid(), e->id, host, ends[i]);
        body->fd[i] = openat(
            b->dir, name,
            O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    return body;
}

void bodies_data(void *key, int from_client, const void *bytes, size_t len)
{
    const struct body *body = key;
    const char *p = bytes;

    while (body->fd[from_client] >= 0 && len > 0) {
        ssize_t n = write(body->fd[from_client], p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
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
