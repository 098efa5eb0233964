#include "net/redis.h"

#include "core/mem.h"
#include "core/str.h"

#include <stdio.h>
#include <string.h>

#define ARGS 4

enum question { /* what is answered next, in this order */
                AUTH,
                SELECT,
                GET,
                SET,
                GET_AGAIN,
                DONE
};

struct tsk_redis {
    const struct tsk_redis_where *where;
    enum question next;
    int asked; /* the first three are sent at once */
    char *offer, *value;
    size_t len;
};

struct tsk_redis *tsk_redis_new(const struct tsk_redis_where *w,
                                const char *offer)
{
    struct tsk_redis *r = tsk_alloc(sizeof(*r));

    if (r == NULL)
        return NULL;
    r->where = w;
    r->offer = tsk_strdup(offer);
    if (r->offer != NULL)
        return r;
    tsk_redis_free(r);
    return NULL;
}

void tsk_redis_free(struct tsk_redis *r)
{
    if (r == NULL)
        return;
    if (r->offer != NULL)
        tsk_free_secret(r->offer, strlen(r->offer));
    tsk_free_secret(r->value, r->len);
    tsk_free(r);
}

const char *tsk_redis_value(const struct tsk_redis *r, size_t *len)
{
    *len = r->len;
    return r->value;
}

/* A command is an array of strings, each with its length before it. */
static int command(struct tsk_talk *t, const char *const args[ARGS],
                   tlsock_error *err)
{
    size_t n = 0;
    int rc;

    while (n < ARGS && args[n] != NULL)
        n++;
    rc = tsk_talk_say(t, err, "*%zu\r\n", n);
    for (size_t i = 0; i < n && rc == TLSOCK_OK; i++) {
        size_t len = strlen(args[i]);

        rc = tsk_talk_say(t, err, "$%zu\r\n", len);
        if (rc == TLSOCK_OK)
            rc = tsk_talk_send(t, args[i], len, err);
        if (rc == TLSOCK_OK)
            rc = tsk_talk_send(t, "\r\n", 2, err);
    }
    return rc;
}

static int say_get(const struct tsk_redis *r, struct tsk_talk *t,
                   tlsock_error *err)
{
    const char *const args[ARGS] = {"GET", r->where->key};

    return command(t, args, err);
}

static int say_set(const struct tsk_redis *r, struct tsk_talk *t,
                   tlsock_error *err)
{
    const char *const args[ARGS] = {"SET", r->where->key, r->offer, "NX"};
    int rc = command(t, args, err);

    return rc == TLSOCK_OK ? say_get(r, t, err) : rc;
}

/* Without a user's name the password is the server's own. */
static int say_first(struct tsk_redis *r, struct tsk_talk *t, tlsock_error *err)
{
    const struct tsk_redis_where *w = r->where;
    const char *const with_user[ARGS] = {"AUTH", w->user, w->password};
    const char *const without[ARGS] = {"AUTH", w->password};
    char db[12];
    const char *const select[ARGS] = {"SELECT", db};
    int rc = TLSOCK_OK;

    r->asked = 1;
    r->next = GET;
    if (w->db != 0) {
        snprintf(db, sizeof(db), "%d", w->db);
        r->next = SELECT;
    }
    if (w->password[0] != '\0') {
        r->next = AUTH;
        rc = command(t, w->user[0] != '\0' ? with_user : without, err);
    }
    if (rc == TLSOCK_OK && w->db != 0)
        rc = command(t, select, err);
    return rc == TLSOCK_OK ? say_get(r, t, err) : rc;
}

/* Some servers repeat the commands that they refuse: then the word that a
 * refusal begins with is all that is shown. */
static size_t may_be_shown(const struct tsk_redis_where *w, const char *line)
{
    return w->password[0] != '\0' && strstr(line, w->password) != NULL
               ? strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
               : strlen(line);
}

static int refused(const struct tsk_redis *r, const char *line,
                   tlsock_error *err)
{
    static const char *const what[] = {[AUTH] = "the password",
                                       [SELECT] = "the number of the database",
                                       [GET] = "the question for the key",
                                       [SET] = "to make the key",
                                       [GET_AGAIN] =
                                           "the question for the key"};
    enum question q = r->next;
    char shown[120];

    tsk_printable(shown, sizeof(shown), line, may_be_shown(r->where, line));
    tsk_fail(err, TLSOCK_E_PROTOCOL, "Redis refuses %s: %s", what[q], shown);
    tsk_hint(err, q == AUTH ? "check user and password in the URL"
                            : "the user of the URL needs GET and SET for this "
                              "key, a string");
    return TLSOCK_E_PROTOCOL;
}

static int strange(tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_PROTOCOL, "what answers there is no Redis server");
    tsk_hint(err, "check host and port, and whether it wants TLS: rediss://");
    return TLSOCK_E_PROTOCOL;
}

/* "$N" and its end are at the front, not taken yet: how many bytes that is, and
 * *len: N. 0: something else is there, or nothing whole. */
static size_t announced(const struct tsk_talk *t, int64_t *len)
{
    const uint8_t *p = tsk_buf_at(t->in);
    const uint8_t *lf = memchr(p, '\n', t->in->len);
    char text[8];
    size_t n;

    if (lf == NULL || p[0] != '$')
        return 0;
    n = (size_t)(lf - p);
    if (n < 3 || n - 2 >= sizeof(text) || lf[-1] != '\r')
        return 0;
    memcpy(text, p + 1, n - 2);
    text[n - 2] = '\0';
    return tsk_number(text, 0, TSK_REDIS_VALUE, len) == 0 ? n + 1 : 0;
}

/* 1, AGAIN, code */
static int take_value(struct tsk_redis *r, struct tsk_talk *t, size_t head,
                      size_t len, tlsock_error *err)
{
    const uint8_t *p;
    int rc;

    p = tsk_talk_need(t, head + len + 2, &rc, err);
    if (p == NULL)
        return rc;
    p += head;
    if (p[len] != '\r' || p[len + 1] != '\n')
        return strange(err);
    r->value = tsk_alloc(len + 1);
    if (r->value == NULL)
        return tsk_fail_nomem(err);
    memcpy(r->value, p, len);
    r->len = len;
    tsk_wipe((void *)(uintptr_t)p, len);
    rc = tsk_talk_take(t, head + len + 2, err);
    return rc < 0 ? rc : 1;
}

/* 1, 0: there is none, AGAIN, code */
static int hear_value(struct tsk_redis *r, struct tsk_talk *t,
                      tlsock_error *err)
{
    char line[TSK_TALK_LINE];
    int64_t len = 0;
    size_t head = announced(t, &len);
    int rc;

    if (head != 0)
        return take_value(r, t, head, (size_t)len, err);
    rc = tsk_talk_line(t, line, err);
    if (rc < 0)
        return rc;
    if (strcmp(line, "$-1") == 0)
        return 0;
    return line[0] == '-' ? refused(r, line + 1, err) : strange(err);
}

/* "+OK"; of SET also "$-1": somebody else was first. */
static int hear_ok(const struct tsk_redis *r, struct tsk_talk *t,
                   tlsock_error *err)
{
    char line[TSK_TALK_LINE];
    int rc = tsk_talk_line(t, line, err);

    if (rc < 0)
        return rc;
    if (strcmp(line, "+OK") == 0 || (r->next == SET && !strcmp(line, "$-1")))
        return TLSOCK_OK;
    return line[0] == '-' ? refused(r, line + 1, err) : strange(err);
}

static int hear(struct tsk_redis *r, struct tsk_talk *t, tlsock_error *err)
{
    int rc;

    if (r->next == GET || r->next == GET_AGAIN) {
        rc = hear_value(r, t, err);
        if (rc < 0)
            return rc;
        if (rc == 0 && r->next == GET_AGAIN)
            return strange(err); /* it was just there, or made */
        r->next = rc > 0 ? DONE : SET;
        return rc > 0 ? TLSOCK_OK : say_set(r, t, err);
    }
    rc = hear_ok(r, t, err);
    if (rc == TLSOCK_OK)
        r->next = r->next == AUTH && r->where->db == 0 ? GET : r->next + 1;
    return rc;
}

int tsk_redis_step(struct tsk_redis *r, struct tsk_talk *t, tlsock_error *err)
{
    int rc = r->asked ? TLSOCK_OK : say_first(r, t, err);

    while (rc == TLSOCK_OK && r->next != DONE)
        rc = hear(r, t, err);
    if (rc != TLSOCK_E_CLOSED_IN_HANDSHAKE)
        return rc;
    tsk_fail(err, rc, "Redis closed the connection without an answer");
    tsk_hint(err, "its log says why; does it want TLS (rediss://)?");
    return rc;
}
