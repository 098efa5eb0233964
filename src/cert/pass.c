#include "cert/pass.h"

#include "cert/cert.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX 65536
#define TRIES 3 /* of an asker */

static int has(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

int tsk_pass_init(struct tsk_pass *p, const char *uri, tlsock_error *err)
{
    int64_t fd;

    memset(p, 0, sizeof(*p));
    p->uri = uri;
    if (uri == NULL || (has(uri, "file:") && uri[5] != '\0') ||
        (has(uri, "env:") && uri[4] != '\0') ||
        (has(uri, "fd:") && tsk_number(uri + 3, 0, 1048576, &fd) == 0))
        return TLSOCK_OK;
    p->uri = NULL;
    tsk_fail(err, TLSOCK_E_ARGUMENT,
             "the place of the password is of no known form");
    tsk_hint(err, "name where the password is, do not give it: file:FILE (its "
                  "first line), env:NAME or fd:N");
    return TLSOCK_E_ARGUMENT;
}

void tsk_pass_wipe(struct tsk_pass *p)
{
    tsk_wipe(p->text, sizeof(p->text));
    if (p->rc != 0)
        tsk_wipe_stack();
    p->len = 0;
    p->rc = 0;
}

static int take(struct tsk_pass *p, const char *text, size_t len,
                tlsock_error *err)
{
    size_t line = 0;

    while (line < len && text[line] != '\n' && text[line] != '\0')
        line++;
    if (line > 0 && line < len && text[line] == '\n' && text[line - 1] == '\r')
        line--;
    if (line > TSK_PASS_MAX) {
        tsk_fail(err, TLSOCK_E_PASSWORD,
                 "the password from %s is longer than %d bytes", p->uri,
                 TSK_PASS_MAX);
        tsk_hint(err, "the first line alone is the password");
        return TLSOCK_E_PASSWORD;
    }
    memcpy(p->text, text, line);
    p->text[line] = '\0';
    p->len = line;
    return TLSOCK_OK;
}

static int from_file(struct tsk_pass *p, tlsock_error *err)
{
    unsigned char *data = NULL;
    char name[256];
    size_t len = 0;
    int rc = tsk_uri_read(p->uri, FILE_MAX, &data, &len, name, err);

    if (rc != TLSOCK_OK) {
        if (err != NULL && rc == TLSOCK_E_OWN_FILE)
            err->code = TLSOCK_E_PASSWORD;
        return rc == TLSOCK_E_OWN_FILE ? TLSOCK_E_PASSWORD : rc;
    }
    rc = take(p, (const char *)data, len, err);
    tsk_free_secret(data, len);
    return rc;
}

/* Byte by byte: what is behind the line is for somebody else. */
static int from_fd(struct tsk_pass *p, tlsock_error *err)
{
    char line[TSK_PASS_MAX + 2];
    size_t len = 0;
    int64_t fd = -1;
    ssize_t n = 1;
    int rc;

    (void)tsk_number(p->uri + 3, 0, 1048576, &fd); /* tsk_pass_init() did */
    while (len < sizeof(line)) {
        n = read((int)fd, line + len, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        if (line[len++] == '\n')
            break;
    }
    if (n < 0) {
        rc = tsk_fail_sys(err, TLSOCK_E_PASSWORD, errno,
                          "cannot read the password from descriptor %d",
                          (int)fd);
        tsk_hint(err, "open it for reading before, as in 3<password-file");
    } else {
        rc = take(p, line, len, err);
    }
    tsk_wipe(line, sizeof(line));
    return rc;
}

static int from_env(struct tsk_pass *p, tlsock_error *err)
{
    const char *value = getenv(p->uri + 4);

    if (value != NULL)
        return take(p, value, strlen(value), err);
    tsk_fail(err, TLSOCK_E_PASSWORD,
             "environment variable %s, which should hold the password, is not "
             "set",
             p->uri + 4);
    tsk_hint(err, "set and export it, or name a file: file:FILE");
    return TLSOCK_E_PASSWORD;
}

static int from_asker(struct tsk_pass *p, tlsock_error *err)
{
    tlsock_error wrong = p->why;

    return p->asker->ask(p->asker->arg, p->name != NULL ? p->name : "",
                         p->tries > 0 ? &wrong : NULL, p->text, &p->len, err);
}

int tsk_pass_again(struct tsk_pass *p, tlsock_error *err)
{
    if (p->uri != NULL || p->asker == NULL || p->rc != 1 ||
        ++p->tries >= TRIES)
        return 0;
    tsk_pass_wipe(p);
    p->why = *err;
    tsk_clear(err);
    return 1;
}

static int fetch(struct tsk_pass *p, tlsock_error *err)
{
    if (p->uri == NULL)
        return from_asker(p, err);
    if (has(p->uri, "file:"))
        return from_file(p, err);
    if (has(p->uri, "env:"))
        return from_env(p, err);
    return from_fd(p, err);
}

int tsk_pass_get(struct tsk_pass *p, tlsock_error *err)
{
    p->asked = 1;
    if (p->uri == NULL && p->asker == NULL)
        return tsk_fail(err, TLSOCK_E_PASSWORD, "no password was given");
    if (p->rc == 0) {
        p->rc = fetch(p, &p->why);
        if (p->rc == TLSOCK_OK)
            p->rc = 1;
    }
    if (p->rc < 0) {
        if (err != NULL)
            *err = p->why;
        return p->rc;
    }
    return TLSOCK_OK;
}

int tsk_pass_pem(char *buf, int size, int writing, void *pass)
{
    struct tsk_pass *p = pass;

    (void)writing;
    if (tsk_pass_get(p, NULL) != TLSOCK_OK || size < 0 || p->len > (size_t)size)
        return -1;
    memcpy(buf, p->text, p->len);
    return (int)p->len;
}

int tsk_pass_fail(const struct tsk_pass *p, const char *name, tlsock_error *err)
{
    int rc;

    if (p->rc < 0) {
        if (err != NULL)
            *err = p->why;
        return p->rc;
    }
    if (p->uri == NULL && p->asker == NULL) {
        tsk_fail(err, TLSOCK_E_PASSWORD,
                 "\"%s\" is encrypted and no password was given", name);
        tsk_hint(err, "say where its password is: file:FILE, env:NAME or fd:N");
        return TLSOCK_E_PASSWORD;
    }
    rc = tsk_fail_ossl(err, TLSOCK_E_PASSWORD,
                       "the password from %s does not open \"%s\"",
                       p->uri != NULL ? p->uri : "the PASSWORD hook", name);
    if (rc == TLSOCK_E_PASSWORD && p->uri == NULL)
        tsk_hint(err, "let the hook give the one of the file that event->name "
                      "says");
    else if (rc == TLSOCK_E_PASSWORD)
        tsk_hint(err,
                 "check %s; only the first line counts, without the line "
                 "end",
                 p->uri);
    return rc;
}
