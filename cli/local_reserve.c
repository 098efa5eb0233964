/* Names of files that are to be made: taken before the work begins. */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whoever was killed after having taken a name leaves an empty file, which is
 * nobody's: unlike that of one who is at work, it is not locked. */
static int is_left(int fd, const char *path)
{
    struct stat st, named;

    return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 &&
           S_ISREG(st.st_mode) && st.st_size == 0 && st.st_nlink == 1 &&
           st.st_uid == geteuid() && /* else its owner reads what comes */
           lstat(path, &named) == 0 && named.st_ino == st.st_ino &&
           named.st_dev == st.st_dev;
}

static int take_left(const char *path)
{
    int fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return EEXIST;
    if (is_left(fd, path))
        return 0; /* fd: locked for as long as we live */
    close(fd);
    return EEXIST;
}

int local_reserve(const char *path, int force)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct stat st;

    if (fd >= 0)
        return flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK
                   ? 0
                   : EEXIST; /* the other one was quicker */
    if (errno == EEXIST && !force)
        return take_left(path);
    if (errno != EEXIST)
        return errno;
    /* it is replaced: a device, a pipe or a directory never is */
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    return 0;
}

void local_release(const char *path)
{
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
        unlink(path);
}
