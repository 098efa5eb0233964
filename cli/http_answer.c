/* What goes into an answer, and what does not fit. */
#include "http_server.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void http_field(struct http_answer *a, const char *name, const char *format,
                ...)
{
    size_t at = strlen(a->fields);
    char value[1024];
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(value, sizeof(value), format, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof(value) || strpbrk(value, "\r\n") != NULL ||
        at + strlen(name) + (size_t)n + 5 > sizeof(a->fields))
        return;
    snprintf(a->fields + at, sizeof(a->fields) - at, "%s: %s\r\n", name, value);
}

int http_body(struct http_answer *a, const char *type, const void *body,
              size_t len)
{
    free(a->body);
    a->len = 0;
    a->body = malloc(len + 1);
    if (a->body == NULL) {
        a->status = 500;
        return -1;
    }
    memcpy(a->body, body, len);
    a->len = len;
    snprintf(a->type, sizeof(a->type), "%s", type);
    return 0;
}

void http_body_own(struct http_answer *a, const char *type, void *body,
                   size_t len)
{
    free(a->body);
    a->body = body;
    a->len = len;
    snprintf(a->type, sizeof(a->type), "%s", type);
}

void http_text(struct http_answer *a, int status, const char *text)
{
    char line[512];
    int n = snprintf(line, sizeof(line), "%s\n", text);

    a->status = status;
    http_body(a, "text/plain; charset=utf-8", line,
              (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}
