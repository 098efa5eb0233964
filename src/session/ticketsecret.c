#include "session/ticketsecret.h"

#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DISTINCT 8 /* characters that differ: "aaaa..." is no secret */

enum tsk_secret_kind tsk_secret_kind(const char *source)
{
    if (strncmp(source, "file:", 5) == 0 && source[5] != '\0')
        return TSK_SECRET_FILE;
    if (strncmp(source, "env:", 4) == 0 && source[4] != '\0')
        return TSK_SECRET_ENV;
    if (strncmp(source, "redis://", 8) == 0 ||
        strncmp(source, "rediss://", 9) == 0)
        return TSK_SECRET_REDIS;
    return TSK_SECRET_BAD;
}

static int bad(tlsock_error *err, const char *from, const char *what,
               size_t line)
{
    if (line != 0)
        tsk_fail(err, TLSOCK_E_OWN_FILE, "tickets.secret: line %zu of %s %s",
                 line, from, what);
    else
        tsk_fail(err, TLSOCK_E_OWN_FILE, "tickets.secret: %s %s", from, what);
    tsk_hint(err,
             "one secret a line, each of %d to %d random characters, at most "
             "%d of them; openssl rand -hex 32 makes one",
             TSK_SECRET_MIN, TSK_SECRET_MAX, TSK_SECRETS_MOST);
    return TLSOCK_E_OWN_FILE;
}

static int distinct(const char *p, size_t len)
{
    unsigned char seen[256] = {0};
    int n = 0;

    for (size_t i = 0; i < len; i++) {
        n += !seen[(unsigned char)p[i]];
        seen[(unsigned char)p[i]] = 1;
    }
    return n;
}

static const char *why_weak(const char *line, size_t len)
{
    if (len < TSK_SECRET_MIN)
        return "is too short for a secret";
    if (len > TSK_SECRET_MAX)
        return "is too long for a secret";
    if (memchr(line, '\0', len) != NULL)
        return "has a NUL byte in it: it is no text";
    return distinct(line, len) < DISTINCT
               ? "is the same few characters over and over: no secret"
               : NULL;
}

static int take_line(struct tsk_secrets *out, const char *line, size_t len,
                     size_t number, const char *from, tlsock_error *err)
{
    const char *why;

    while (len > 0 && strchr(" \t\r", line[len - 1]) != NULL &&
           line[len - 1] != '\0')
        len--;
    while (len > 0 && (*line == ' ' || *line == '\t')) {
        line++;
        len--;
    }
    if (len == 0 || *line == '#')
        return TLSOCK_OK;
    why = why_weak(line, len);
    if (why != NULL)
        return bad(err, from, why, number);
    if (out->n == TSK_SECRETS_MOST)
        return bad(err, from, "is one secret too many", number);
    if (!tsk_ticketkey_extract(out->prk[out->n], line, len))
        return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "HKDF");
    out->n++;
    return TLSOCK_OK;
}

int tsk_secrets_parse(struct tsk_secrets *out, const char *text, size_t len,
                      const char *from, tlsock_error *err)
{
    size_t number = 0;
    int rc = TLSOCK_OK;

    memset(out, 0, sizeof(*out));
    if (len > TSK_SECRETS_TEXT)
        return bad(err, from, "is too large for a few secrets", 0);
    while (len > 0 && rc == TLSOCK_OK) {
        const char *lf = memchr(text, '\n', len);
        size_t n = lf != NULL ? (size_t)(lf - text) : len;

        rc = take_line(out, text, n, ++number, from, err);
        n += lf != NULL;
        text += n;
        len -= n;
    }
    if (rc == TLSOCK_OK && out->n == 0)
        rc = bad(err, from, "holds no secret", 0);
    if (rc < 0)
        tsk_wipe(out, sizeof(*out));
    return rc;
}

static int cannot(tlsock_error *err, int errnum, const char *from)
{
    if (errnum == ENOMEM)
        return tsk_fail_nomem(err);
    tsk_fail_sys(err, TLSOCK_E_OWN_FILE, errnum,
                 "tickets.secret: cannot read %s", from);
    tsk_hint(err, "name a file that user %ld, who runs this, may read",
             (long)geteuid());
    return TLSOCK_E_OWN_FILE;
}

/* Who can read it opens every ticket, and with it sessions of TLS 1.2; who can
 * write it makes tickets. */
static int check_mode(const struct stat *st, const char *from,
                      tlsock_error *err)
{
    if (!S_ISREG(st->st_mode)) {
        tsk_fail(err, TLSOCK_E_OWN_FILE,
                 "tickets.secret: %s is no regular file", from);
        tsk_hint(err, "name a file with one secret a line");
        return TLSOCK_E_OWN_FILE;
    }
    if ((st->st_mode & (S_IRWXO | S_IWGRP)) == 0)
        return TLSOCK_OK;
    tsk_fail(err, TLSOCK_E_OWN_FILE,
             "tickets.secret: %s has mode %04o: others than its owner may %s "
             "it",
             from, (unsigned)(st->st_mode & 07777),
             (st->st_mode & (S_IWGRP | S_IWOTH)) != 0 ? "change" : "read");
    tsk_hint(err,
             "chmod 600 it (640 will do where a group has to read it), and "
             "make a new secret, since this one may be known");
    return TLSOCK_E_OWN_FILE;
}

/* Never more than fits, and one byte to tell. */
static int read_text(int fd, char text[TSK_SECRETS_TEXT + 1], size_t *len,
                     const char *from, tlsock_error *err)
{
    ssize_t n = 1;

    *len = 0;
    while (*len <= TSK_SECRETS_TEXT && n > 0) {
        n = read(fd, text + *len, TSK_SECRETS_TEXT + 1 - *len);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            *len += (size_t)n;
    }
    return n < 0 ? cannot(err, errno, from) : TLSOCK_OK;
}

static int from_file(struct tsk_secrets *out, const char *path, struct stat *st,
                     tlsock_error *err)
{
    char from[160], *text;
    struct stat now;
    size_t len;
    int fd, rc;

    tsk_printable(from, sizeof(from), path, strlen(path));
    do { /* a FIFO must not hold us up */
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return cannot(err, errno, from);
    text = tsk_alloc(TSK_SECRETS_TEXT + 1);
    if (text == NULL)
        rc = tsk_fail_nomem(err);
    else if (fstat(fd, &now) != 0)
        rc = cannot(err, errno, from);
    else
        rc = check_mode(&now, from, err);
    if (rc == TLSOCK_OK && st != NULL)
        *st = now;
    if (rc == TLSOCK_OK)
        rc = read_text(fd, text, &len, from, err);
    if (rc == TLSOCK_OK)
        rc = tsk_secrets_parse(out, text, len, from, err);
    tsk_free_secret(text, text != NULL ? TSK_SECRETS_TEXT + 1 : 0);
    close(fd);
    return rc;
}

static int from_env(struct tsk_secrets *out, const char *name,
                    tlsock_error *err)
{
    const char *value = getenv(name);
    char from[160];

    snprintf(from, sizeof(from), "environment variable %.120s", name);
    if (value != NULL)
        return tsk_secrets_parse(out, value, strlen(value), from, err);
    tsk_fail(err, TLSOCK_E_OWN_FILE, "tickets.secret: %s is not set", from);
    tsk_hint(err, "set and export it, or name a file: file:PATH");
    return TLSOCK_E_OWN_FILE;
}

int tsk_secrets_read(struct tsk_secrets *out, const char *source,
                     struct stat *st, tlsock_error *err)
{
    if (tsk_secret_kind(source) == TSK_SECRET_FILE)
        return from_file(out, source + 5, st, err);
    return from_env(out, source + 4, err);
}

int tsk_secrets_random(struct tsk_secrets *out, tlsock_error *err)
{
    memset(out, 0, sizeof(*out));
    if (RAND_priv_bytes(out->prk[0], TSK_TICKET_PRK) != 1)
        return tsk_fail_ossl(err, TLSOCK_E_SYSTEM, "no random bytes");
    out->n = 1;
    return TLSOCK_OK;
}
