/* revocation HOST:PORT - is the server's chain revoked? asked with HTTP of our
 * own: here a plain connection of the library, at most 1 MiB an answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlsock.h>
#include <tlsock/config.h>
#include <tlsock/revoke.h>

#define MOST ((size_t)1 << 20)

/* The body of a 200 response within room, or NULL. */
static const char *get(const tlsock_fetch *f, char *room, size_t *len)
{
    const char *host = f->url + strlen("http://");
    size_t n = strcspn(host, "/");
    char target[300], *body;
    ssize_t got = -1;
    tlsock *s;

    snprintf(target, sizeof(target), "%.*s%s", (int)(n < 256 ? n : 256), host,
             memchr(host, ':', n) != NULL ? "" : ":80");
    s = tlsock_connect(target, NULL, TLSOCK_OPTS(.plain = 1), NULL);
    if (s == NULL)
        return NULL;
    if (tlsock_printf(s,
                      "%s %s HTTP/1.0\r\nHost: %.*s\r\n%s%s%s"
                      "Content-Length: %zu\r\n\r\n",
                      f->method, host[n] != '\0' ? host + n : "/", (int)n, host,
                      f->content_type != NULL ? "Content-Type: " : "",
                      f->content_type != NULL ? f->content_type : "",
                      f->content_type != NULL ? "\r\n" : "", f->body_len) > 0 &&
        (f->body_len == 0 || tlsock_write(s, f->body, f->body_len) >= 0))
        got = tlsock_read_full(s, room, MOST - 1);
    tlsock_close(s);
    if (got < 12)
        return NULL;
    room[got] = '\0';
    body = strstr(room, "\r\n\r\n");
    if (strncmp(room, "HTTP/1.", 7) != 0 || strncmp(room + 8, " 200", 4) != 0 ||
        body == NULL)
        return NULL;
    *len = (size_t)(room + got - (body + 4));
    return body + 4;
}

int main(int argc, char **argv)
{
    static char room[MOST];
    tlsock_error err = {0};
    tlsock *s = tlsock_connect(argc > 1 ? argv[1] : "", NULL, NULL, &err);
    tlsock_revocation *r = s != NULL ? tlsock_revocation_new(s, &err) : NULL;
    tlsock_fetch f = {.size = sizeof(f)};
    int rc = -1;

    while (r != NULL && tlsock_revocation_next(r, &f) == 1) {
        size_t len = 0;
        const char *body = get(&f, room, &len);

        printf("%s: %s\n", f.url, body != NULL ? "answered" : "no answer");
        tlsock_revocation_answer(r, &f, body, len);
    }
    if (r != NULL)
        rc = tlsock_revocation_verdict(r, &err);
    if (rc < 0)
        fprintf(stderr, "%s\n%s\n", err.message, err.hint);
    else
        printf("not revoked\n");
    tlsock_revocation_free(r);
    tlsock_close(s);
    return rc < 0;
}
