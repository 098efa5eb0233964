#include "cert/save.h"

#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot(tlsock_error *err, int errnum, const char *path)
{
    char shown[200];

    tsk_printable(shown, sizeof(shown), path, strlen(path));
    tsk_fail_sys(err, TLSOCK_E_OWN_FILE, errnum, "cannot write \"%s\"", shown);
    tsk_hint(err, errnum == ENOENT    ? "make its directory first"
                  : errnum == ENOSPC  ? "the disk is full"
                  : errnum == EACCES  ? "this process may not write into its "
                                        "directory"
                                      : "see that its directory is there and "
                                        "can be written into");
    return TLSOCK_E_OWN_FILE;
}

/* "dir/.name.HEX.tmp": in the same directory, or the rename would be a copy */
static char *temp_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t dir = slash != NULL ? (size_t)(slash + 1 - path) : 0,
           size = strlen(path) + 32;
    unsigned char random[8];
    char hex[2 * sizeof(random) + 1], *temp;

    if (RAND_bytes(random, sizeof(random)) != 1)
        return NULL;
    tsk_hex(hex, random, sizeof(random));
    temp = tsk_alloc(size);
    if (temp != NULL) /* the name is cut so that a long one has room */
        snprintf(temp, size, "%.*s.%.200s.%s.tmp", (int)dir, path, path + dir,
                 hex);
    return temp;
}

static int write_all(int fd, const unsigned char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

static int write_new(const char *temp, const void *data, size_t len, int mode)
{
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  0600);
    int errnum;

    if (fd < 0)
        return errno;
    errnum = fchmod(fd, (mode_t)mode) == 0 ? write_all(fd, data, len) : errno;
    if (errnum == 0 && fsync(fd) != 0)
        errnum = errno;
    if (close(fd) != 0 && errnum == 0)
        errnum = errno;
    if (errnum != 0)
        unlink(temp);
    return errnum;
}

/* The rename itself is safe on the disk once the directory is. */
static void sync_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash != NULL ? (size_t)(slash + 1 - path) : 0;
    char dir[PATH_MAX] = ".";
    int fd;

    if (n >= sizeof(dir))
        return;
    if (n > 0) {
        memcpy(dir, path, n);
        dir[n] = '\0';
    }
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

int tsk_file_replace(const char *path, const void *data, size_t len, int mode,
                     tlsock_error *err)
{
    struct stat st;
    char *temp;
    int errnum;

    /* renaming would put a file in the place of a device or a directory */
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return cannot(err, S_ISDIR(st.st_mode) ? EISDIR : EINVAL, path);
    temp = temp_name(path);
    if (temp == NULL)
        return tsk_fail_nomem(err);
    errnum = write_new(temp, data, len, mode);
    if (errnum == 0 && rename(temp, path) != 0) {
        errnum = errno;
        unlink(temp);
    }
    tsk_free(temp);
    if (errnum != 0)
        return cannot(err, errnum, path);
    sync_dir(path);
    return TLSOCK_OK;
}
