#include "tofile.h"

#include "errors.h"
#include "local.h"
#include "writeall.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot(const struct tofile *f, int errnum)
{
    if (errnum == EEXIST)
        return err_plain(f->o, f->target, EXIT_OWN, "own-file",
                         "--force replaces it, --out FILE writes elsewhere",
                         "%s exists already", f->target);
    return err_plain(f->o, f->target, EXIT_OWN, "own-file",
                     "--out FILE in a directory you may write to", "%s: %s",
                     f->target, local_strerror(errnum));
}

/* Memory if there is some: it may be a key that passes through. */
static int begin_stdout(struct tofile *f)
{
    const char *run = getenv("XDG_RUNTIME_DIR"), *tmp = getenv("TMPDIR");
    const char *in = run != NULL && run[0] == '/' && access(run, W_OK) == 0
                         ? run
                     : access("/dev/shm", W_OK) == 0 ? "/dev/shm"
                     : tmp != NULL && tmp[0] == '/'  ? tmp
                                                     : "/tmp";
    int n = snprintf(f->dir, sizeof(f->dir), "%s/tlsock-XXXXXX", in);

    if ((size_t)n >= sizeof(f->dir) - 8 || mkdtemp(f->dir) == NULL) {
        f->dir[0] = '\0';
        return err_plain(f->o, f->target, EXIT_OWN, "own-file",
                         "set TMPDIR or XDG_RUNTIME_DIR to a directory that "
                         "can be written to",
                         "no place for a copy in %s: %s", in,
                         (size_t)n >= sizeof(f->dir) - 8
                             ? "its name is too long"
                             : strerror(errno));
    }
    snprintf(f->path, sizeof(f->path), "%.4080s/out", f->dir);
    return 0;
}

int tofile_begin(struct tofile *f, const struct out *o, const char *target,
                 int force)
{
    struct stat st;
    int errnum;

    *f = (struct tofile){.o = o, .target = target};
    if (strcmp(target, "-") == 0)
        return begin_stdout(f);
    if ((size_t)snprintf(f->path, sizeof(f->path), "%s", target) >=
        sizeof(f->path))
        return cannot(f, ENAMETOOLONG);
    f->made = !force || lstat(target, &st) != 0;
    errnum = local_reserve(target, force);
    if (errnum != 0) {
        f->made = 0;
        return cannot(f, errnum);
    }
    return 0;
}

static int copy_out(const char *path)
{
    char buf[16384];
    FILE *in = fopen(path, "rbe");
    int ok = in != NULL;
    size_t n;

    if (ok)
        setvbuf(in, NULL, _IONBF, 0);
    while (ok && (n = fread(buf, 1, sizeof(buf), in)) > 0)
        ok = fwrite(buf, 1, n, stdout) == n;
    if (in != NULL)
        fclose(in);
    explicit_bzero(buf, sizeof(buf));
    return ok && fflush(stdout) == 0 ? 0 : EXIT_INTERNAL;
}

int tofile_end(struct tofile *f, int rc)
{
    if (f->dir[0] != '\0') {
        if (rc == 0)
            rc = copy_out(f->path);
        unlink(f->path);
        rmdir(f->dir);
    } else if (rc != 0 && f->made) {
        unlink(f->path);
    }
    return rc;
}

int tofile_write(struct tofile *f, const void *data, size_t len)
{
    char temp[4200];
    int fd, errnum;

    snprintf(temp, sizeof(temp), "%s.XXXXXX", f->path);
    fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return cannot(f, errno);
    errnum = fchmod(fd, 0644) != 0 ? errno : write_all(fd, data, len);
    if (errnum == 0 && fsync(fd) != 0)
        errnum = errno;
    if (close(fd) != 0 && errnum == 0)
        errnum = errno;
    if (errnum == 0 && rename(temp, f->path) != 0)
        errnum = errno;
    if (errnum == 0)
        return 0;
    unlink(temp);
    return cannot(f, errnum);
}
