/* A HAR file that grows while it is in use.
 *
 * A new entry is written behind the document that is there; then the few bytes
 * which ended that become its comma. So whenever the process ends, the file
 * begins with a whole document that has each finished entry. */
#include "intercept_har.h"

#include "errors.h"
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TAIL "\n]}}\n"
#define PAGE 4096
#define COMMA ",   \n" /* as long as TAIL */
#define FIRST "    \n"

struct har {
    const struct out *o;
    const char *path;
    int fd, failed;
    off_t end; /* where TAIL begins */
    int has_any;
    pthread_mutex_t lock;
};

static int put(int fd, const char *p, size_t len, off_t at)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, p, len, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? ENOSPC : errno;
        p += n;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

static int cannot(const struct out *o, const char *path, int errnum)
{
    if (errnum == ENOMEM)
        return err_plain(o, "--har", EXIT_INTERNAL, "nomem", "",
                         "out of memory for %s", path);
    return err_plain(o, "--har", EXIT_OWN, "own-file",
                     errnum == EEXIST ? "--force replaces it"
                                      : "--har FILE in a directory you may "
                                        "write to",
                     errnum == EEXIST ? "%s exists already" : "%s: %s", path,
                     local_strerror(errnum));
}

/* The beginning, up to the first entry. */
static int begin(struct har *h)
{
    json_t *log = har_log_json();
    char *text = json_dumps(log, JSON_COMPACT | JSON_PRESERVE_ORDER);
    size_t len = text != NULL ? strlen(text) : 0;
    int errnum = ENOMEM;

    json_decref(log);
    if (len > 3) {
        len -= 3; /* "]}}" */
        errnum = put(h->fd, text, len, 0);
        if (errnum == 0)
            errnum = put(h->fd, TAIL, strlen(TAIL), (off_t)len);
        h->end = (off_t)len;
    }
    free(text);
    return errnum;
}

/* Aside, then in its place, so that an old one is whole or replaced. */
static int make_file(struct har *h)
{
    char temp[4200];
    int errnum = 0;

    if ((size_t)snprintf(temp, sizeof(temp), "%s.XXXXXX", h->path) >=
        sizeof(temp))
        return ENAMETOOLONG;
    h->fd = mkostemp(temp, O_CLOEXEC); /* mode 0600 */
    if (h->fd < 0)
        return errno;
    errnum = begin(h);
    if (errnum == 0 && rename(temp, h->path) != 0)
        errnum = errno;
    if (errnum != 0)
        unlink(temp);
    return errnum;
}

struct har *har_open(const struct out *o, const char *path, int force, int *rc)
{
    struct har *h = calloc(1, sizeof(*h));
    int errnum = h != NULL ? local_reserve(path, force) : ENOMEM;

    if (errnum == 0) {
        h->o = o;
        h->path = path;
        h->fd = -1;
        pthread_mutex_init(&h->lock, NULL);
        errnum = make_file(h);
        if (errnum == 0)
            return h;
        local_release(path);
        har_close(h);
    } else {
        free(h);
    }
    *rc = cannot(o, path, errnum);
    return NULL;
}

void har_close(struct har *h)
{
    if (h == NULL)
        return;
    if (h->fd >= 0)
        close(h->fd);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

/* Blanks at *text until TAIL is within one page of the file, where its few
 * bytes are written at once or not at all. */
static size_t pad(char *text, off_t end)
{
    size_t n = 0, tail = strlen(TAIL);

    while (end / PAGE != (end + (off_t)tail - 1) / PAGE) {
        text[n++] = ' ';
        end++;
    }
    memcpy(text + n, TAIL, tail);
    return n + tail;
}

/* text has room for pad() behind its bytes. */
static void append(struct har *h, char *text, size_t len)
{
    off_t at = h->end + (off_t)strlen(TAIL);
    int errnum;

    len += pad(text + len, at + (off_t)len);
    errnum = put(h->fd, text, len, at);
    if (errnum == 0)
        errnum = put(h->fd, h->has_any ? COMMA : FIRST, strlen(TAIL), h->end);
    if (errnum == 0) {
        h->end = at + (off_t)len - (off_t)strlen(TAIL);
        h->has_any = 1;
        return;
    }
    /* the document that was there stays the whole file */
    (void)put(h->fd, TAIL, strlen(TAIL), h->end);
    if (ftruncate(h->fd, at) < 0)
        errnum = errno;
    if (!h->failed)
        (void)err_plain(h->o, "--har", EXIT_OWN, "own-file",
                        "make room; what cannot be written is left out",
                        "%s: %s", h->path, local_strerror(errnum));
    h->failed = 1;
}

void har_add(struct har *h, json_t *entry)
{
    char *text = json_dumps(entry, JSON_COMPACT | JSON_PRESERVE_ORDER |
                                       JSON_REAL_PRECISION(12));
    size_t len = text != NULL ? strlen(text) : 0;
    char *whole = text != NULL ? malloc(len + 2 * sizeof(TAIL)) : NULL;

    json_decref(entry);
    if (whole != NULL) {
        memcpy(whole, text, len);
        pthread_mutex_lock(&h->lock);
        append(h, whole, len);
        pthread_mutex_unlock(&h->lock);
    }
    free(whole);
    free(text);
}
