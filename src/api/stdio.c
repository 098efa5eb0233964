/* stdio - a FILE * over a connection, by fopencookie(3).
 *
 * Knows what a C library asks of a stream's functions and which errno stands
 * for which code; everything else is left to the public read and write. */
#include "api/conn.h"
#include "core/mem.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* What stands for a code. A system call that failed keeps its own. */
static int errno_of_code(int code)
{
    static const struct {
        int code, value;
    } table[] = {
        {TLSOCK_AGAIN, EAGAIN},
        {TLSOCK_E_STATE, EPIPE}, /* writing after tlsock_shutdown() */
        {TLSOCK_E_UNSUPPORTED, ENOTSUP},
        {TLSOCK_E_FORKED, EPERM},
        {TLSOCK_E_INTERRUPTED, EINTR},
        {TLSOCK_E_NOMEM, ENOMEM},
        {TLSOCK_E_SYSTEM, EIO},
        {TLSOCK_E_RESOLVE, EHOSTUNREACH},
        {TLSOCK_E_CONNECT, ECONNREFUSED},
        {TLSOCK_E_TIMEOUT, ETIMEDOUT},
        {TLSOCK_E_RESET, ECONNRESET},
        {TLSOCK_E_LIMIT, EMSGSIZE},
        {TLSOCK_E_PROXY, ECONNREFUSED},
        {TLSOCK_E_PROXY_AUTH, EACCES},
        {TLSOCK_E_CLIENT_CERT_REQUIRED, EACCES},
        {TLSOCK_E_POLICY, EPERM},
        {TLSOCK_E_HOOK, EPERM},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].code == code)
            return table[i].value;
    if (code <= -300 && code > -500)
        return EPROTO; /* on the way, TLS: the peer breaks the rules */
    if (code <= -500 && code > -600)
        return EACCES; /* the peer is not who it should be */
    return EINVAL;
}

#ifdef TSK_HAVE_FOPENCOOKIE

#define LAST 16384u

/* What the C library read last is kept. When it turns from reading to writing
 * it seeks back over what it has not given to its user yet, and on fflush(3)
 * of input, too; as a socket's stream cannot, that input would be lost. */
struct stream {
    tlsock *s;         /* borrowed */
    size_t len, given; /* last[given .. len) is to be read again */
    uint8_t last[LAST];
};

static void set_errno(const tlsock *s, ssize_t code)
{
    int sys = tsk_err_of(s)->sys_errno;

    if (code == TLSOCK_AGAIN || tsk_err_of(s)->code != code || sys == 0)
        sys = errno_of_code((int)code);
    errno = sys;
}

static ssize_t stream_read(void *cookie, char *buf, size_t size)
{
    struct stream *f = cookie;
    size_t n = f->len - f->given;

    if (n == 0) { /* no more than is asked for: an unbuffered stream is exact */
        ssize_t got = tlsock_read(f->s, f->last, size < LAST ? size : LAST);

        if (got < 0) {
            set_errno(f->s, got);
            return -1;
        }
        n = f->len = (size_t)got;
        f->given = 0;
    }
    if (n > size)
        n = size;
    memcpy(buf, f->last + f->given, n);
    f->given += n;
    return (ssize_t)n;
}

/* For glibc 0 is a failure and -1 is forbidden; a short count is a failure,
 * too, and fwrite(3) tells it. musl knows -1 alone. */
#ifdef __GLIBC__
#define FAILED_AFTER(done) ((ssize_t)(done))
#else
#define FAILED_AFTER(done) (-1)
#endif

static ssize_t stream_write(void *cookie, const char *buf, size_t size)
{
    struct stream *f = cookie;
    size_t done = 0;
    int rc;

    while (done < size) {
        ssize_t n = tlsock_write(f->s, buf + done, size - done);

        if (n <= 0) {
            set_errno(f->s, n < 0 ? n : TLSOCK_AGAIN);
            return FAILED_AFTER(done);
        }
        done += (size_t)n;
    }
    /* stdio has gathered already: "write.buffer" is not for it */
    rc = tlsock_flush(f->s);
    if (rc < 0 && rc != TLSOCK_AGAIN) {
        set_errno(f->s, rc);
        return FAILED_AFTER(0);
    }
    return (ssize_t)done;
}

/* Only back over what was read last. The position it gives means nothing, but
 * has to look like one. */
static int stream_seek(void *cookie, off_t *offset, int whence)
{
    struct stream *f = cookie;

    if (whence != SEEK_CUR || *offset >= 0 || *offset < -(off_t)f->given) {
        errno = ESPIPE;
        return -1;
    }
    f->given -= (size_t) - *offset;
    *offset = 0;
    return 0;
}

/* What came and was not read by the stream's user is the connection's. */
static int give_back(tlsock *s, const uint8_t *p, size_t n)
{
    struct tsk_buf all = {NULL, 0, 0, 0};

    if (n == 0)
        return TLSOCK_OK;
    if (tsk_buf_add(&all, p, n) < 0 ||
        tsk_buf_add(&all, tsk_buf_at(&s->plain), s->plain.len) < 0) {
        tsk_buf_free(&all);
        return tsk_fail_nomem(tsk_err(s));
    }
    tsk_buf_free(&s->plain);
    s->plain = all;
    return TLSOCK_OK;
}

static int stream_close(void *cookie)
{
    struct stream *f = cookie;
    int saved = errno;
    int rc = give_back(f->s, f->last + f->given, f->len - f->given);

    errno = rc < 0 ? errno_of_code(rc) : saved;
    tsk_free_secret(f, sizeof(*f));
    return rc < 0 ? -1 : 0;
}

static FILE *open_stream(tlsock *s, const char *mode)
{
    static const cookie_io_functions_t functions = {
        .read = stream_read,
        .write = stream_write,
        .seek = stream_seek,
        .close = stream_close,
    };
    struct stream *f = tsk_alloc(sizeof(*f));
    FILE *file;

    if (f == NULL) {
        tsk_fail_nomem(tsk_err(s));
        return NULL;
    }
    f->s = s;
    file = fopencookie(f, mode, functions);
    if (file == NULL) {
        tsk_fail_nomem(tsk_err(s));
        tsk_free(f);
    }
    return file;
}

#else

static FILE *open_stream(tlsock *s, const char *mode)
{
    (void)mode;
    (void)errno_of_code;
    tsk_fail(tsk_err(s), TLSOCK_E_UNSUPPORTED,
             "tlsock_fopen(): this C library has no fopencookie()");
    tsk_hint(tsk_err(s), "use tlsock_read(), tlsock_getline() and "
                         "tlsock_printf()");
    return NULL;
}

#endif

/* "r", "w", "r+" with b and e anywhere behind: as fopencookie() wants it. */
static const char *plain_mode(const char *mode)
{
    int update = 0;

    if (mode == NULL || (mode[0] != 'r' && mode[0] != 'w'))
        return NULL;
    for (const char *p = mode + 1; *p != '\0'; p++) {
        if (*p != '+' && *p != 'b' && *p != 'e')
            return NULL;
        update |= *p == '+';
    }
    return update ? "r+" : mode[0] == 'r' ? "r" : "w";
}

FILE *tlsock_fopen(tlsock *s, const char *mode)
{
    const char *plain = plain_mode(mode);
    int saved = errno;
    FILE *file = NULL;

    if (s == NULL)
        return NULL;
    if (plain == NULL) {
        tsk_fail(tsk_err(s), TLSOCK_E_ARGUMENT,
                 "tlsock_fopen(): the mode is %s%.20s%s, not r, w or r+",
                 mode != NULL ? "\"" : "", mode != NULL ? mode : "NULL",
                 mode != NULL ? "\"" : "");
        tsk_hint(tsk_err(s), "a connection has no end to append to and is not "
                             "created: \"r\" reads, \"w\" writes, \"r+\" does "
                             "both");
    } else {
        file = open_stream(s, plain);
    }
    errno = saved;
    return file;
}
