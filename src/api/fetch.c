#include "api/fetch.h"

#include "api/conn.h"
#include "core/mem.h"
#include "core/str.h"
#include "net/get.h"

#include <stdio.h>
#include <string.h>

#define REDIRECTS 3
#define AT_ONCE 16384 /* bytes received with one call */

struct tsk_fetching {
    char method[24];
    char *url, *content_type;
    void *body;
    struct tsk_get_ask ask; /* of these */
    struct tsk_get *get;
    tlsock *s; /* to whom is asked; NULL: nobody is, at the moment */
    int begun; /* the dialogue on it */
    int redirects, done;
    int failed; /* why it is over, or 0 */
    int64_t deadline;
    char *path; /* proxies to pass on the way to whom is asked, or NULL */
    struct tsk_proxy *proxies; /* all of them; the last one may be asked */
    size_t n_proxies;
    tlsock_config *proxy_config;
};

/* An HTTP proxy is asked for the URL itself (RFC 9112, 3.2.2): many open a
 * tunnel to port 443 alone. The others lead to the server. */
static int take_proxies(struct tsk_fetching *f, const char *urls,
                        tlsock_error *err)
{
    int rc = tsk_proxies_parse(&f->proxies, &f->n_proxies, urls, err);
    const char *last;

    if (rc < 0)
        return rc;
    if (f->proxies[f->n_proxies - 1].kind == TSK_PROXY_HTTP) {
        f->ask.via = &f->proxies[f->n_proxies - 1];
        if (f->n_proxies == 1)
            return TLSOCK_OK;
        last = strrchr(urls, ','); /* within a URL it is written %2C */
        f->path = tsk_strndup(urls, (size_t)(last - urls));
    } else {
        f->path = tsk_strdup(urls);
    }
    return f->path != NULL ? TLSOCK_OK : tsk_fail_nomem(err);
}

static int take_request(struct tsk_fetching *f, const tlsock_fetch *what,
                        tlsock_error *err)
{
    if (what->method == NULL || what->url == NULL)
        return tsk_fail(err, TLSOCK_E_ARGUMENT,
                        "a request needs a method and a URL");
    snprintf(f->method, sizeof(f->method), "%s", what->method);
    f->url = tsk_strdup(what->url);
    if (what->content_type != NULL) {
        f->content_type = tsk_strdup(what->content_type);
        f->body = tsk_alloc(what->body_len + 1);
        if (f->content_type == NULL || f->body == NULL)
            return tsk_fail_nomem(err);
        if (what->body_len != 0)
            memcpy(f->body, what->body, what->body_len);
        f->ask.body_len = what->body_len;
    }
    if (f->url == NULL)
        return tsk_fail_nomem(err);
    f->ask.method = f->method;
    f->ask.url = f->url;
    f->ask.content_type = f->content_type;
    f->ask.body = f->body;
    return TLSOCK_OK;
}

struct tsk_fetching *tsk_fetching_new(const tlsock_fetch *what,
                                      const struct tsk_fetch_limits *limits,
                                      tlsock_error *err)
{
    struct tsk_fetching *f = tsk_alloc(sizeof(*f));
    int rc;

    if (f == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    f->ask.most = limits->bytes;
    f->deadline = tsk_deadline_in(limits->timeout_ms);
    if (limits->proxy_config != NULL)
        f->proxy_config = tlsock_config_ref(limits->proxy_config);
    rc = take_request(f, what, err);
    if (rc == TLSOCK_OK && limits->proxy != NULL)
        rc = take_proxies(f, limits->proxy, err);
    if (rc == TLSOCK_OK)
        f->get = tsk_get_new(&f->ask, err);
    if (f->get != NULL)
        return f;
    tsk_fetching_free(f);
    return NULL;
}

/* Target and options of the connection to whom is asked. */
static tlsock *dial(struct tsk_fetching *f, tlsock_error *err)
{
    const struct tsk_proxy *via = f->ask.via;
    const struct tsk_url *url = tsk_get_url(f->get);
    int tls = via != NULL && via->tls;
    const char *host = via != NULL ? via->target.host : url->host;
    tlsock_opts o = {.size = sizeof(o),
                     .nonblocking = 1,
                     .timeout_ms = -1,
                     .plain = !tls,
                     .proxy = f->path,
                     .proxy_config = f->proxy_config};
    char target[360], port[12];
    tlsock *s;

    snprintf(port, sizeof(port), "%d", url->port);
    /* a scheme, so that a host that is called "unix" is no path */
    snprintf(target, sizeof(target),
             strchr(host, ':') != NULL ? "https://[%s]:%s" : "https://%s:%s",
             host, via != NULL ? via->target.service : port);
    s = tlsock_connect(target, tls ? f->proxy_config : NULL, &o, err);
    if (s != NULL) /* a nonblocking one has done nothing yet */
        s->for_fetch = 1;
    return s;
}

static int get_step(void *d, struct tsk_talk *t, tlsock_error *err)
{
    return tsk_get_step(d, t, err);
}

static ssize_t exchange(tlsock *s, void *arg)
{
    struct tsk_fetching *f = arg;

    if (!f->begun) {
        tsk_dialogue_begin(s);
        s->talk.chunk = AT_ONCE;
        f->begun = 1;
    }
    return tsk_dialogue_run(s, get_step, f->get);
}

static void hang_up(struct tsk_fetching *f)
{
    tlsock_abandon(f->s);
    f->s = NULL;
    f->begun = 0;
}

/* RFC 9110, 15.4.4: See Other is to be got. With 301 and 302 a method may be
 * changed, with 307 and 308 it must not: it stays. */
static void change_method(struct tsk_fetching *f)
{
    memcpy(f->method, "GET", 4);
    tsk_free(f->content_type);
    f->content_type = NULL;
    f->ask.content_type = NULL;
}

static int not_followed(const char *url, tlsock_error *err)
{
    char shown[160];

    tsk_url_show(shown, url);
    tsk_fail(err, TLSOCK_E_PROTOCOL,
             "it redirects to %s, which is not followed", shown);
    tsk_hint(err, "only http:// URLs without a user name are");
    return TLSOCK_E_PROTOCOL;
}

/* The URL that the response leads to, instead of the one that was asked. */
static int move(struct tsk_fetching *f, const char *location, tlsock_error *err)
{
    char *url = tsk_alloc(TSK_URL_MOST + 1);
    struct tsk_url parsed;
    int rc = TLSOCK_OK;

    if (url == NULL)
        return tsk_fail_nomem(err);
    if (tsk_url_resolve(url, f->url, location, err) < 0 ||
        tsk_url_parse(&parsed, url, err) < 0)
        rc = not_followed(url[0] != '\0' ? url : location, err);
    if (rc < 0) {
        tsk_free(url);
        return rc;
    }
    tsk_get_free(f->get);
    tsk_free(f->url);
    f->url = url;
    f->ask.url = url;
    f->get = tsk_get_new(&f->ask, err);
    return f->get != NULL ? TLSOCK_OK : TLSOCK_E_NOMEM;
}

/* The response is there: 0 it is the one, AGAIN: another one is to be asked
 * for, or code. */
static int judge(struct tsk_fetching *f, tlsock_error *err)
{
    const char *location;
    int status = tsk_get_moved(f->get, &location), rc;

    hang_up(f);
    if (status == 0) {
        f->done = 1;
        return TLSOCK_OK;
    }
    if (++f->redirects > REDIRECTS) {
        tsk_fail(err, TLSOCK_E_LIMIT, "more than %d redirections", REDIRECTS);
        tsk_hint(err, "the server leads round in circles: tell its owner");
        return TLSOCK_E_LIMIT;
    }
    if (status == 303)
        change_method(f);
    rc = move(f, location, err);
    return rc < 0 ? rc : TLSOCK_AGAIN;
}

static int ask(struct tsk_fetching *f, tlsock_error *err)
{
    int rc;

    if (f->s == NULL) {
        f->s = dial(f, err);
        if (f->s == NULL)
            return err->code;
        f->s->deadline = f->deadline;
    }
    rc = (int)tsk_run(f->s, TLSOCK_PHASE_READ, exchange, f);
    if (rc < 0 && rc != TLSOCK_AGAIN)
        *err = *tsk_err_of(f->s);
    return rc;
}

static int step(struct tsk_fetching *f, tlsock_error *err)
{
    int rc;

    do {
        rc = ask(f, err);
        if (rc == TLSOCK_AGAIN)
            return rc;
        if (rc == TLSOCK_OK)
            rc = judge(f, err);
    } while (rc == TLSOCK_AGAIN);
    return rc;
}

int tsk_fetching_step(struct tsk_fetching *f, tlsock_error *err)
{
    tlsock_error why = {0};
    char shown[160];
    int rc;

    if (f->done)
        return TLSOCK_OK;
    if (f->failed != 0)
        return tsk_fail(err, f->failed, "the request has failed before: %s",
                        tlsock_errslug(f->failed));
    rc = step(f, &why);
    if (rc == TLSOCK_OK || rc == TLSOCK_AGAIN)
        return rc;
    f->failed = rc;
    tsk_url_show(shown, f->url);
    tsk_about(&why, "%s %.120s: ", f->method, shown);
    if (err != NULL)
        *err = why;
    return rc;
}

size_t tsk_fetching_pollfds(const struct tsk_fetching *f, struct pollfd *fds,
                            size_t max, int *wait_ms)
{
    int left = tsk_ms_until(f->deadline);
    size_t n;

    *wait_ms = 0;
    if (f->s == NULL)
        return 0;
    n = tsk_conn_pollfds(f->s, fds, max, wait_ms);
    if (*wait_ms < 0 || (left >= 0 && left < *wait_ms))
        *wait_ms = left;
    return n;
}

const void *tsk_fetching_body(const struct tsk_fetching *f, size_t *len)
{
    return tsk_get_body(f->get, len);
}

void tsk_fetching_free(struct tsk_fetching *f)
{
    if (f == NULL)
        return;
    tlsock_abandon(f->s);
    tsk_get_free(f->get);
    tsk_proxies_free(f->proxies, f->n_proxies);
    tlsock_config_unref(f->proxy_config);
    tsk_free_secret(f->path, f->path != NULL ? strlen(f->path) : 0);
    tsk_free(f->url);
    tsk_free(f->content_type);
    tsk_free(f->body);
    tsk_free(f);
}
