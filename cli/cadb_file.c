/* The files of a CA's directory: its lock, and how they are read and written.
 */
#include "cadb_private.h"
#include "out.h"
#include "writeall.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_WAIT_S 60
#define LOCK_STEP_MS 5
#define FILE_MAX (512L * 1024 * 1024)

static const char *usual_hint(int errnum)
{
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
        return "make room on this disk and try again: nothing was changed";
    case EROFS:
        return "the file system is read-only: --dir and --ca name a CA "
               "elsewhere";
    case EACCES:
    case EPERM:
        return "run it as the user whom the CA belongs to";
    case ENAMETOOLONG:
        return "give it a shorter name";
    case 0:
        return "";
    default:
        return "see that the directory is there, and that its disk is well";
    }
}

int cadb_fail(tlsock_error *err, int code, int errnum, const char *hint,
              const char *format, ...)
{
    const char *why = errnum != 0 ? strerror(errnum) : "";
    char raw[sizeof(err->message)];
    size_t len, room = sizeof(raw) - strlen(why) - 3;
    va_list ap;

    va_start(ap, format);
    vsnprintf(raw, sizeof(raw), format, ap);
    va_end(ap);
    len = strlen(raw);
    if (errnum != 0 && len > room) /* a long name must not hide why */
        len = room;
    if (errnum != 0)
        snprintf(raw + len, sizeof(raw) - len, ": %s", why);
    memset(err, 0, sizeof(*err));
    err->code = code;
    err->sys_errno = errnum;
    out_clean(err->message, sizeof(err->message), raw);
    out_clean(err->hint, sizeof(err->hint),
              hint != NULL ? hint : usual_hint(errnum));
    return code;
}

int cadb_nomem(tlsock_error *err)
{
    return cadb_fail(err, TLSOCK_E_NOMEM, 0, NULL, "out of memory");
}

char *cadb_path(const char *dir, const char *sub, const char *name)
{
    size_t size =
        strlen(dir) + (sub != NULL ? strlen(sub) : 0) + strlen(name) + 3;
    char *path = malloc(size);

    if (path != NULL)
        snprintf(path, size, "%s/%s%s%s", dir, sub != NULL ? sub : "",
                 sub != NULL ? "/" : "", name);
    return path;
}

/* Who holds it, for people; 0: it does not say. */
static long holder(int fd)
{
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

    return n > 0 ? strtol(text, NULL, 10) : 0;
}

static void say_holder(int fd)
{
    char text[32];
    int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid()), left;

    /* only a help for who waits: a full disk does not matter here */
    left = ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) < n &&
           ftruncate(fd, 0) != 0;
    (void)left;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int wait_lock(int fd, int wait, const char *path, tlsock_error *err)
{
    int64_t start = now_ms(), waited;
    int said = !isatty(STDERR_FILENO);

    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return cadb_fail(err, TLSOCK_E_OWN_FILE, errno,
                             "keep the CA on a file system that has locks",
                             "cannot lock %s", path);
        waited = now_ms() - start;
        if (!wait && errno == EWOULDBLOCK)
            return cadb_fail(err, TLSOCK_AGAIN, 0,
                             "let that process end, or end it: the lock goes "
                             "with it",
                             "process %ld has %s", holder(fd), path);
        if (waited > LOCK_WAIT_S * 1000)
            return cadb_fail(err, TLSOCK_E_TIMEOUT, 0,
                             "let that process end, or end it: the lock goes "
                             "with it",
                             "process %ld has held %s for %d seconds",
                             holder(fd), path, LOCK_WAIT_S);
        if (waited > 1000 && !said) {
            fprintf(stderr,
                    "tlsock: waiting for process %ld, which uses the "
                    "CA (%s)\n",
                    holder(fd), path);
            said = 1;
        }
        (void)poll(NULL, 0, LOCK_STEP_MS);
    }
    return 0;
}

/* A lock on a file that is no longer the one of this name locks nobody out. */
static int is_current(int fd, const char *path)
{
    struct stat mine, theirs;

    return fstat(fd, &mine) == 0 && stat(path, &theirs) == 0 &&
           mine.st_ino == theirs.st_ino && mine.st_dev == theirs.st_dev;
}

int cadb_lock(const char *dir, int wait, tlsock_error *err)
{
    char *path = cadb_path(dir, NULL, "lock");
    int fd = -1, rc = 0;

    if (path == NULL)
        return cadb_nomem(err);
    while (rc == 0) {
        fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
            rc = cadb_fail(err, TLSOCK_E_OWN_FILE, errno, NULL,
                           "cannot open %s", path);
        else
            rc = wait_lock(fd, wait, path, err);
        if (rc == 0 && is_current(fd, path))
            break;
        if (fd >= 0)
            close(fd);
    }
    if (rc == 0)
        say_holder(fd);
    free(path);
    return rc == 0 ? fd : rc;
}

static int read_all(int fd, char *text, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = read(fd, text + done, len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) /* shorter than it said: it was not renamed but written */
            return n < 0 ? errno : EIO;
        done += (size_t)n;
    }
    return 0;
}

int cadb_read(const char *path, char **text, size_t *len, tlsock_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    int errnum = fd < 0 ? errno : 0;
    struct stat st;

    *text = NULL;
    if (errnum == ENOENT)
        return 1;
    if (errnum == 0 && fstat(fd, &st) != 0)
        errnum = errno;
    if (errnum == 0 && !S_ISREG(st.st_mode))
        errnum = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    if (errnum == 0 && st.st_size > FILE_MAX)
        errnum = EFBIG;
    if (errnum == 0) {
        *len = (size_t)st.st_size;
        *text = malloc(*len + 1);
        errnum = *text != NULL ? read_all(fd, *text, *len) : ENOMEM;
    }
    if (fd >= 0)
        close(fd);
    if (errnum == 0) {
        (*text)[*len] = '\0';
        return 0;
    }
    free(*text);
    *text = NULL;
    return errnum == ENOMEM ? cadb_nomem(err)
                            : cadb_fail(err, TLSOCK_E_OWN_FILE, errnum, NULL,
                                        "cannot read %s", path);
}

static int write_aside(const char *temp, const char *text, size_t len)
{
    int fd =
        open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    int errnum = fd < 0 ? errno : 0;

    if (errnum == 0 && fchmod(fd, 0644) != 0)
        errnum = errno;
    if (errnum == 0)
        errnum = write_all(fd, text, len);
    if (errnum == 0 && fsync(fd) != 0)
        errnum = errno;
    if (fd >= 0 && close(fd) != 0 && errnum == 0)
        errnum = errno;
    return errnum;
}

/* Not every file system can sync a directory; EINVAL says so. */
static int sync_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir = strndup(path, (size_t)(slash - path));
    int fd = dir != NULL ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int errnum = fd < 0 ? errno : 0;

    if (errnum == 0 && fsync(fd) != 0 && errno != EINVAL)
        errnum = errno;
    if (fd >= 0)
        close(fd);
    free(dir);
    return errnum;
}

/* The lock is held: the name aside needs not to be a new one each time. */
int cadb_replace(const char *path, const char *text, size_t len, int *there,
                 tlsock_error *err)
{
    const char *slash = strrchr(path, '/');
    size_t size = strlen(path) + 8;
    char *temp = malloc(size);
    int errnum;

    *there = 0;
    if (temp == NULL)
        return cadb_nomem(err);
    snprintf(temp, size, "%.*s/.%s.tmp", (int)(slash - path), path, slash + 1);
    errnum = write_aside(temp, text, len);
    if (errnum == 0 && rename(temp, path) != 0)
        errnum = errno;
    if (errnum != 0)
        unlink(temp);
    free(temp);
    if (errnum != 0)
        return cadb_fail(err, TLSOCK_E_OWN_FILE, errnum, NULL,
                         "cannot write %s", path);
    *there = 1;
    errnum = sync_dir(path);
    return errnum == 0
               ? 0
               : cadb_fail(err, TLSOCK_E_OWN_FILE, errnum,
                           "it is written, but may be lost if the machine "
                           "stops now: look at the disk",
                           "cannot sync the directory of %s", path);
}

int cadb_mkdir(const char *path, tlsock_error *err)
{
    struct stat st;

    if (mkdir(path, 0700) == 0) {
        if (chmod(path, 0700) == 0)
            return 0;
    } else if (errno == EEXIST && stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return 0;
        errno = ENOTDIR;
    }
    return cadb_fail(err, TLSOCK_E_OWN_FILE, errno, NULL, "cannot make %s",
                     path);
}

/* ".index.tmp", ".ca.key.0123456789abcdef.tmp": nobody else's names. */
static int is_left_over(const char *name, const char *const *stems)
{
    size_t n = strlen(name);

    if (name[0] != '.' || n < 5 || strcmp(name + n - 4, ".tmp") != 0)
        return 0;
    for (; *stems != NULL; stems++) {
        if (strncmp(name + 1, *stems, strlen(*stems)) == 0)
            return 1;
    }
    return 0;
}

void cadb_sweep(const char *dir, const char *const *stems)
{
    DIR *d = opendir(dir);
    struct dirent *f;

    if (d == NULL)
        return;
    while ((f = readdir(d)) != NULL) {
        if (is_left_over(f->d_name, stems))
            unlinkat(dirfd(d), f->d_name, 0);
    }
    closedir(d);
}
