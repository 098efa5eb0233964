/* What "tlsock intercept" says: a line for each thing that happens, each with
 * one write, so that many threads can talk and none is lost. */
#include "errors.h"
#include "intercept_cmd.h"
#include "intercept_web.h"
#include "listening.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <tlsock/info.h>
#include <unistd.h>

static const char *const kinds[] = {"open", "pass", "plain", "deny",
                                    "fail", "end",  "note"};

static void put(int fd, const char *line, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, line, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        line += n;
        len -= (size_t)n;
    }
}

static const char *verified(const tlsock *s)
{
    const char *how = tlsock_info(s, TLSOCK_INFO_VERIFIED);

    return strncmp(how, "insecure", 8) == 0 ? "NOT VERIFIED" : "trusted";
}

/* The line's own part, behind time, number and word. */
static void describe(char *text, size_t size, const struct intercept_event *e)
{
    char until[32] = "", reason[500];
    struct tm tm;

    out_clean(reason, sizeof(reason),
              e->err != NULL ? e->err->message : e->reason);
    switch (e->kind) {
    case INTERCEPT_OPEN:
        snprintf(text, size, "%s > %s  up %s %s  down %s%s%s%s%s%s%s",
                 e->client, e->target, tlsock_info(e->up, TLSOCK_INFO_VERSION),
                 verified(e->up), tlsock_info(e->down, TLSOCK_INFO_VERSION),
                 e->starttls[0] != '\0' ? "  starttls " : "", e->starttls,
                 tlsock_info(e->down, TLSOCK_INFO_ALPN)[0] != '\0' ? "  alpn "
                                                                   : "",
                 tlsock_info(e->down, TLSOCK_INFO_ALPN),
                 e->ja4[0] != '\0' ? "  " : "", e->ja4);
        return;
    case INTERCEPT_PASS:
        if (e->until != 0 && localtime_r(&e->until, &tm) != NULL)
            strftime(until, sizeof(until), " until %H:%M", &tm);
        snprintf(text, size, "%s > %s  %s: not decrypted%s", e->client,
                 e->target, reason, until);
        return;
    case INTERCEPT_PLAIN:
        snprintf(text, size, "%s > %s  no TLS", e->client, e->target);
        return;
    case INTERCEPT_END:
        snprintf(text, size,
                 "%s > %s  %llu bytes from the client, %llu from "
                 "the server",
                 e->client, e->target, (unsigned long long)e->received,
                 (unsigned long long)e->sent);
        return;
    default:
        snprintf(text, size, "%s > %s  %s", e->client,
                 e->target[0] != '\0' ? e->target : "?", reason);
    }
}

static const char *color_of(int kind)
{
    return kind == INTERCEPT_OPEN   ? OUT_GREEN
           : kind == INTERCEPT_DENY ? OUT_RED
                                    : OUT_YELLOW;
}

static void say_line(struct icept *v, const struct intercept_event *e)
{
    char line[1400], text[1100], clean[1200], word[32];
    struct timeval now;
    struct tm tm;
    int n;

    if (v->o.out.quiet || (e->kind == INTERCEPT_END && !v->o.out.verbose))
        return;
    describe(text, sizeof(text), e);
    out_clean(clean, sizeof(clean), text);
    gettimeofday(&now, NULL);
    localtime_r(&now.tv_sec, &tm);
    if (out_colored(&v->o.out, stdout))
        snprintf(word, sizeof(word), "\033[%sm%-5s\033[0m", color_of(e->kind),
                 kinds[e->kind]);
    else
        snprintf(word, sizeof(word), "%-5s", kinds[e->kind]);
    n = snprintf(line, sizeof(line), "%02d:%02d:%02d.%03d #%lu %s %s\n",
                 tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(now.tv_usec / 1000),
                 e->id, word, clean);
    put(STDOUT_FILENO, line, (size_t)n);
}

static void stamp(char text[40])
{
    struct timeval now;
    struct tm tm;
    size_t n;

    gettimeofday(&now, NULL);
    gmtime_r(&now.tv_sec, &tm);
    n = strftime(text, 40, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + n, 40 - n, ".%03dZ", (int)(now.tv_usec / 1000));
}

static json_t *side_json(const tlsock *s)
{
    json_t *obj = json_object();

    json_object_set_new(obj, "version",
                        out_json_text(tlsock_info(s, TLSOCK_INFO_VERSION)));
    json_object_set_new(obj, "cipher",
                        out_json_text(tlsock_info(s, TLSOCK_INFO_CIPHER)));
    json_object_set_new(obj, "alpn",
                        out_json_text(tlsock_info(s, TLSOCK_INFO_ALPN)));
    json_object_set_new(obj, "resumed",
                        json_boolean(tlsock_info_int(s, TLSOCK_INFO_RESUMED)));
    return obj;
}

static void open_json(json_t *obj, const struct intercept_event *e)
{
    json_t *up = side_json(e->up);

    json_object_set_new(
        up, "address",
        out_json_text(tlsock_info(e->up, TLSOCK_INFO_PEER_ADDRESS)));
    json_object_set_new(
        up, "verified",
        out_json_text(tlsock_info(e->up, TLSOCK_INFO_VERIFIED)));
    json_object_set_new(obj, "up", up);
    json_object_set_new(obj, "down", side_json(e->down));
    json_object_set_new(obj, "starttls", out_json_text(e->starttls));
}

static void more_json(const struct out *o, json_t *obj,
                      const struct intercept_event *e)
{
    char until[32];
    struct tm tm;

    if (e->reason[0] != '\0')
        json_object_set_new(obj, "reason", out_json_text(e->reason));
    if (e->err != NULL)
        json_object_set_new(
            obj, "error",
            err_json(o, e->target, e->err, err_exit_code(e->err, 0)));
    if (e->until != 0) {
        gmtime_r(&e->until, &tm);
        strftime(until, sizeof(until), "%Y-%m-%dT%H:%M:%SZ", &tm);
        json_object_set_new(obj, "until", json_string(until));
    }
    if (e->kind != INTERCEPT_END)
        return;
    json_object_set_new(obj, "from_client",
                        json_integer((json_int_t)e->received));
    json_object_set_new(obj, "from_server", json_integer((json_int_t)e->sent));
}

static void say_json(struct icept *v, const struct intercept_event *e)
{
    json_t *obj = json_object();
    char time[40], *line;
    size_t len;

    stamp(time);
    json_object_set_new(obj, "schema", json_string("tlsock.intercept/1"));
    json_object_set_new(obj, "time", json_string(time));
    json_object_set_new(obj, "id", json_integer((json_int_t)e->id));
    json_object_set_new(obj, "event", json_string(kinds[e->kind]));
    json_object_set_new(obj, "client", out_json_text(e->client));
    json_object_set_new(obj, "target", out_json_text(e->target));
    json_object_set_new(obj, "sni", out_json_text(e->sni));
    json_object_set_new(obj, "ja4", out_json_text(e->ja4));
    if (e->kind == INTERCEPT_OPEN)
        open_json(obj, e);
    more_json(&v->o.out, obj, e);
    line = json_dumps(obj, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(obj);
    if (line == NULL)
        return;
    len = strlen(line);
    line[len] = '\n'; /* in the place of its NUL: one write */
    if (v->log_fd >= 0)
        put(v->log_fd, line, len + 1);
    if (v->o.out.json)
        put(STDOUT_FILENO, line, len + 1);
    free(line);
}

void icept_event(void *arg, const struct intercept_event *e)
{
    struct icept *v = arg;

    if (v->log_fd >= 0 || v->o.out.json)
        say_json(v, e);
    if (!v->o.out.json)
        say_line(v, e);
    if (v->web != NULL)
        web_event(v->web, e);
}

void icept_trouble(void *arg, const tlsock_error *err)
{
    struct icept *v = arg;

    err_report(&v->o.out, v->where, err, 0);
}

static const char *way(const struct icept *v)
{
    if (v->transparent)
        return "for connections that are redirected to it";
    return v->to != NULL ? "for one target"
                         : "as HTTP and SOCKS5 proxy or by SNI";
}

static void ready_json(const struct icept *v, int port)
{
    json_t *obj = json_object();

    json_object_set_new(obj, "schema", json_string("tlsock.intercept/1"));
    json_object_set_new(obj, "event", json_string("ready"));
    json_object_set_new(obj, "address", out_json_text(v->where));
    json_object_set_new(obj, "port", json_integer(port));
    json_object_set_new(obj, "ca", out_json_text(v->ca_where));
    json_object_set_new(obj, "ca_sha256", out_json_text(v->fingerprint));
    opt_insecure_json(&v->o, obj);
    out_json_print(obj);
}

static void ready_text(const struct icept *v)
{
    if (v->ca_new)
        printf("created  %s  a CA that can sign every name: keep ca.key beside "
               "it to yourself\n",
               v->ca_where);
    printf("ready    %s %s%s%s; upstream is %s; CA %s (%s)\n", v->where, way(v),
           v->to != NULL ? " " : "", v->to != NULL ? v->to : "",
           v->o.insecure ? "NOT verified" : "verified", v->fingerprint,
           v->ca_where);
    fflush(stdout);
}

int icept_ready(void *arg)
{
    struct icept *v = arg;
    int port, rc;

    rc = listening_where(&v->o.out, v->where, sizeof(v->where), v->target,
                         v->listener, &port);
    if (rc != 0)
        return rc;
    if (v->o.out.json)
        ready_json(v, port);
    else if (!v->o.out.quiet)
        ready_text(v);
    return listening_tell_there(&v->o.out, v->port_file, &v->port_fd, port);
}
