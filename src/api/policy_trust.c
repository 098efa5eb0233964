#include "api/policy_trust.h"

#include "core/mem.h"
#include "verify/trust.h"

#include <string.h>

#define STORES_MAX 32

struct stores {
    char *text; /* cut up; names point into it */
    const char *names[STORES_MAX];
    size_t n;
};

static void forget(struct stores *s)
{
    tsk_free(s->text);
}

static int bad(const char *what, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_OPTION, "trust: %s", what);
    tsk_hint(err, "valid: system, none, or absolute paths, separated by "
                  "commas");
    return TLSOCK_E_OPTION;
}

static int fits(const char *name)
{
    return strcmp(name, "system") == 0 || strcmp(name, "none") == 0 ||
           name[0] == '/';
}

static char *trim(char *s)
{
    size_t len;

    s += strspn(s, " \t");
    for (len = strlen(s); len > 0 && strchr(" \t", s[len - 1]) != NULL;)
        s[--len] = '\0';
    return s;
}

static int split(struct stores *s, const char *text, tlsock_error *err)
{
    memset(s, 0, sizeof(*s));
    s->text = tsk_strdup(text);
    if (s->text == NULL)
        return tsk_fail_nomem(err);
    for (char *p = s->text, *comma; p != NULL; p = comma) {
        comma = strchr(p, ',');
        if (comma != NULL)
            *comma++ = '\0';
        p = trim(p);
        if (s->n == STORES_MAX)
            return bad("more than 32 stores", err);
        if (!fits(p))
            return bad(*p == '\0' ? "the name of a store is empty"
                                  : "a file or directory has to be named by "
                                    "its absolute path",
                       err);
        s->names[s->n++] = p;
    }
    return TLSOCK_OK;
}

/* The system's store is read when it is needed; files show their faults now. */
static int readable(const struct stores *s, tlsock_error *err)
{
    for (size_t i = 0; i < s->n; i++) {
        struct tsk_trust *t;

        if (s->names[i][0] != '/')
            continue;
        t = tsk_trust_new(&s->names[i], 1, err);
        if (t == NULL)
            return err->code;
        tsk_trust_unref(t);
    }
    return TLSOCK_OK;
}

int tsk_policy_trust_check(const char *text, tlsock_error *err)
{
    tlsock_error why = {0};
    struct stores s;
    int rc;

    if (err == NULL)
        err = &why;
    rc = split(&s, text, err);
    if (rc == TLSOCK_OK)
        rc = readable(&s, err);
    forget(&s);
    return rc;
}

static int same(const struct tsk_settings *set, const struct stores *s)
{
    if (set->n_trust == 0) /* by default */
        return s->n == 1 && strcmp(s->names[0], "system") == 0;
    if (set->n_trust != s->n)
        return 0;
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(set->trust[i], s->names[i]) != 0)
            return 0;
    return 1;
}

int tsk_policy_trust_is(const struct tsk_settings *set, const char *text)
{
    struct stores s;
    int rc = split(&s, text, NULL);

    if (rc == TLSOCK_OK)
        rc = same(set, &s);
    forget(&s);
    return rc;
}

static void drop(char **list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        tsk_free(list[i]);
    tsk_free(list);
}

int tsk_policy_trust_put(struct tsk_settings *set, const char *text,
                         tlsock_error *err)
{
    struct stores s;
    char **list = NULL;
    size_t n = 0;
    int rc = split(&s, text, err);

    if (rc == TLSOCK_OK)
        list = tsk_alloc(s.n * sizeof(*list));
    for (; list != NULL && n < s.n; n++) {
        list[n] = tsk_strdup(s.names[n]);
        if (list[n] == NULL)
            break;
    }
    if (list != NULL && n == s.n) {
        drop(set->trust, set->n_trust);
        set->trust = list;
        set->n_trust = n;
    } else {
        drop(list, n);
        rc = rc < 0 ? rc : tsk_fail_nomem(err);
    }
    forget(&s);
    return rc;
}
