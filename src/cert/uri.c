#include "cert/load.h"

#include "core/mem.h"
#include "core/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char begin_mark[] = "-----BEGIN ";

static int inline_text(const char *text, size_t max, unsigned char **data,
                       size_t *len, char name[256], tlsock_error *err)
{
    size_t n = strlen(text);

    snprintf(name, 256, "inline PEM");
    if (n > max)
        return tsk_fail(err, TLSOCK_E_LIMIT,
                        "the %s is larger than %zu bytes", name, max);
    *data = (unsigned char *)tsk_strndup(text, n);
    if (*data == NULL)
        return tsk_fail_nomem(err);
    *len = n;
    return TLSOCK_OK;
}

static int cannot(tlsock_error *err, int errnum, const char *name)
{
    tsk_fail_sys(err, TLSOCK_E_OWN_FILE, errnum, "cannot read \"%s\"", name);
    if (errnum == ENOENT || errnum == ENOTDIR)
        tsk_hint(err, "check the path; PEM text itself may be given as "
                      "pem:TEXT");
    else if (errnum == EACCES || errnum == EPERM)
        tsk_hint(err, "this process runs as user %ld, who may not read it: "
                      "change the file's owner or mode, or run as another user",
                 (long)geteuid());
    else
        tsk_hint(err, "see that it is a file this process can read");
    return TLSOCK_E_OWN_FILE;
}

static int open_file(const char *path, const char *name, int *out,
                     tlsock_error *err)
{
    struct stat st;
    int fd;

    do {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return cannot(err, errno, name);
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        tsk_fail(err, TLSOCK_E_OWN_FILE, "\"%s\" is a directory, not a file",
                 name);
        tsk_hint(err, "name the file in it");
        return TLSOCK_E_OWN_FILE;
    }
    *out = fd;
    return TLSOCK_OK;
}

/* Twice the room, without leaving a copy behind. */
static int grow(unsigned char **buf, size_t *cap, size_t len)
{
    size_t bigger = *cap != 0 ? 2 * *cap : 8192;
    unsigned char *p = tsk_alloc(bigger + 1);

    if (p == NULL)
        return -1;
    if (len != 0)
        memcpy(p, *buf, len);
    tsk_free_secret(*buf, len);
    *buf = p;
    *cap = bigger;
    return 0;
}

static int read_all(int fd, const char *name, size_t max, unsigned char **data,
                    size_t *out, tlsock_error *err)
{
    unsigned char *buf = NULL;
    size_t cap = 0, len = 0;
    int rc = TLSOCK_OK;

    for (;;) {
        ssize_t n;

        if (len == cap && grow(&buf, &cap, len) != 0) {
            rc = tsk_fail_nomem(err);
            break;
        }
        n = read(fd, buf + len, cap - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = cannot(err, errno, name);
        if (n <= 0)
            break;
        len += (size_t)n;
        if (len > max) {
            rc = tsk_fail(err, TLSOCK_E_LIMIT,
                          "\"%s\" is larger than %zu bytes", name, max);
            tsk_hint(err, "is this the right file?");
            break;
        }
    }
    if (rc != TLSOCK_OK) {
        tsk_free_secret(buf, len);
        return rc;
    }
    buf[len] = '\0';
    *data = buf;
    *out = len;
    return TLSOCK_OK;
}

int tsk_uri_read(const char *uri, size_t max, unsigned char **data, size_t *len,
                 char name[256], tlsock_error *err)
{
    const char *path = uri;
    int fd = -1, rc;

    *data = NULL;
    *len = 0;
    if (strncmp(uri, "pem:", 4) == 0)
        return inline_text(uri + 4, max, data, len, name, err);
    if (strstr(uri, begin_mark) != NULL)
        return inline_text(uri, max, data, len, name, err);
    if (strncmp(uri, "file:", 5) == 0)
        path = strncmp(uri, "file:///", 8) == 0 ? uri + 7 : uri + 5;
    tsk_printable(name, 256, path, strlen(path));
    if (tsk_token_is(uri)) {
        tsk_token_name(uri, name);
        tsk_fail(err, TLSOCK_E_UNSUPPORTED, "\"%s\" names an object on a "
                 "token, and here a file is needed", name);
        tsk_hint(err, "valid forms are FILE, file:FILE and pem:TEXT");
        return TLSOCK_E_UNSUPPORTED;
    }
    if (*path == '\0') {
        tsk_fail(err, TLSOCK_E_OWN_FILE, "no file is named");
        tsk_hint(err, "valid forms are FILE, file:FILE and pem:TEXT");
        return TLSOCK_E_OWN_FILE;
    }
    rc = open_file(path, name, &fd, err);
    if (rc != TLSOCK_OK)
        return rc;
    rc = read_all(fd, name, max, data, len, err);
    close(fd);
    return rc;
}
