#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

int beneath_visible(const char *name)
{
    return name[0] != '.' || strcmp(name, ".well-known") == 0; /* RFC 8615 */
}

static int check_name(const char *name)
{
    if (strcmp(name, "..") == 0 || strcmp(name, ".") == 0)
        return EACCES;
    return beneath_visible(name) ? 0 : ENOENT;
}

/* One step down: *at is closed and replaced. O_NONBLOCK, since a FIFO would
 * make us wait for its writer. */
static int step_down(int *at, const char *name)
{
    int fd, rc = check_name(name);

    if (rc != 0)
        return rc;
    fd = openat(*at, name,
                O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ELOOP ? EACCES : errno;
    close(*at);
    *at = fd;
    return 0;
}

static int walk(int *at, const char *path)
{
    char name[NAME_MAX + 1];

    for (;;) {
        size_t n;
        int rc;

        path += strspn(path, "/");
        n = strcspn(path, "/");
        if (n == 0)
            return 0;
        if (n >= sizeof(name))
            return ENOENT;
        memcpy(name, path, n);
        name[n] = '\0';
        path += n;
        rc = step_down(at, name);
        if (rc != 0)
            return rc;
    }
}

int beneath_open(int root, const char *path, int *fd, struct stat *st)
{
    int at = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = at < 0 ? errno : walk(&at, path);

    if (rc == 0 && fstat(at, st) < 0)
        rc = errno;
    if (rc == 0 && !S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
        rc = EACCES;
    if (rc == 0 && S_ISREG(st->st_mode) && path[strlen(path) - 1] == '/')
        rc = ENOTDIR;
    if (rc != 0) {
        if (at >= 0)
            close(at);
        return rc;
    }
    *fd = at;
    return 0;
}
