#include "api/policy.h"

#include "api/policy_file.h"
#include "core/mem.h"
#include "core/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/auxv.h>
#endif

#define TEXT_MAX 1024

/* The caller of a set-uid program must not choose a file that it reads: the
 * errors would show it to him. */
static int privileged(void)
{
#ifdef __linux__
    if (getauxval(AT_SECURE) != 0)
        return 1;
#endif
    return getuid() != geteuid() || getgid() != getegid();
}

const char *tsk_policy_system_file = "/etc/tlsock/policy.conf";
int (*tsk_policy_privileged)(void) = privileged;

/* Files are put in front under the lock and never taken out, so that who has
 * the first one may follow them without it. */
static struct {
    pthread_mutex_t lock;
    _Atomic(struct tsk_policy_file *) first;
    tlsock_error broken; /* code 0: nothing is; written before `ready` */
    atomic_int ready;    /* the environment and /etc were looked at */
    atomic_uint generation;
    _Atomic(char *) text;  /* of tlsock_policy_text() */
    char *texts[TEXT_MAX]; /* all there ever were: somebody may hold one */
    size_t n_texts;
} process = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Locked. What is in force, in words; the old one stays if there is no memory:
 * nothing but a display depends on it. */
static void describe(void)
{
    const struct tsk_policy_file *f = atomic_load(&process.first);
    char text[TEXT_MAX], shown[160];
    size_t pos = 0;
    char *copy;

    text[0] = '\0';
    if (process.broken.code != 0)
        tsk_append(text, sizeof(text), &pos, "unusable, nothing connects: %s",
                   process.broken.message);
    for (; f != NULL; f = f->next) {
        tsk_printable(shown, sizeof(shown), f->path, strlen(f->path));
        tsk_append(text, sizeof(text), &pos, "%s%s (%zu rule%s)",
                   pos != 0 ? ", " : "", shown, f->n, f->n == 1 ? "" : "s");
    }
    copy = process.n_texts < TEXT_MAX ? tsk_strdup(text) : NULL;
    if (copy == NULL)
        return;
    process.texts[process.n_texts++] = copy;
    atomic_store(&process.text, copy);
}

/* Locked. f may be NULL. */
static void put(struct tsk_policy_file *f)
{
    if (f == NULL)
        return;
    f->next = atomic_load(&process.first);
    atomic_store(&process.first, f);
    atomic_fetch_add(&process.generation, 1);
}

static int is_missing(const tlsock_error *why)
{
    return why->sys_errno == ENOENT || why->sys_errno == ENOTDIR;
}

/* NULL with code 0: there is no such file, and that is fine. */
static struct tsk_policy_file *look_at(const char *path, int may_be_missing,
                                       tlsock_error *why)
{
    struct tsk_policy_file *f = tsk_policy_file_load(path, why);
    char was[sizeof(why->hint)];

    if (f != NULL || why->code == TLSOCK_E_NOMEM)
        return f;
    if (may_be_missing && is_missing(why)) {
        tsk_clear(why);
        return NULL;
    }
    why->code = TLSOCK_E_POLICY;
    memcpy(was, why->hint, sizeof(was));
    tsk_hint(why,
             "no connection is made until that policy is mended, see "
             "tlsock-policy.conf(5); %s",
             was);
    return NULL;
}

static const char *named(void)
{
    const char *path = getenv("TLSOCK_POLICY");

    return path != NULL && *path != '\0' && !tsk_policy_privileged() ? path
                                                                     : NULL;
}

/* Two threads may read at once; the first one to come back is who counts. */
static int look(tlsock_error *err)
{
    const char *path = named();
    struct tsk_policy_file *etc, *env = NULL;
    tlsock_error why = {0};

    etc = look_at(tsk_policy_system_file, 1, &why);
    if (why.code == 0 && path != NULL)
        env = look_at(path, 0, &why);
    if (why.code == TLSOCK_E_NOMEM) {
        tsk_policy_file_free(etc);
        return tsk_fail_nomem(err);
    }
    pthread_mutex_lock(&process.lock);
    if (!atomic_load(&process.ready)) {
        put(etc);
        put(env);
        etc = env = NULL;
        process.broken = why;
        describe();
        atomic_store(&process.ready, 1);
    }
    pthread_mutex_unlock(&process.lock);
    tsk_policy_file_free(etc);
    tsk_policy_file_free(env);
    return TLSOCK_OK;
}

int tsk_policy_ready(tlsock_error *err)
{
    int saved = errno, rc = TLSOCK_OK;

    if (!atomic_load(&process.ready))
        rc = look(err);
    errno = saved;
    if (rc < 0)
        return rc;
    if (process.broken.code == 0)
        return TLSOCK_OK;
    if (err != NULL)
        *err = process.broken;
    return process.broken.code;
}

unsigned tsk_policy_generation(void)
{
    return atomic_load(&process.generation);
}

int tsk_policy_sided(void)
{
    for (const struct tsk_policy_file *f = atomic_load(&process.first);
         f != NULL; f = f->next)
        for (size_t i = 0; i < f->n; i++)
            if (f->rules[i].sides != TSK_SIDE_BOTH)
                return 1;
    return 0;
}

struct tsk_box *tsk_policy_apply(struct tsk_box *box, int server,
                                 tlsock_error *err)
{
    const struct tsk_policy_file *f = atomic_load(&process.first);
    int side = server ? TSK_SIDE_SERVER : TSK_SIDE_CLIENT, rc = TLSOCK_OK;
    struct tsk_box *copy;

    if (f == NULL)
        return tsk_box_ref(box);
    copy = tsk_box_copy(box, err);
    for (; copy != NULL && f != NULL && rc == TLSOCK_OK; f = f->next)
        for (size_t i = 0; i < f->n && rc == TLSOCK_OK; i++)
            if (f->rules[i].sides & side)
                rc = tsk_rule_apply(&f->rules[i], &copy->set, f->rules[i].note,
                                    err);
    if (rc == TLSOCK_OK)
        return copy;
    tsk_box_unref(copy);
    return NULL;
}

int tlsock_policy_load(const char *path, tlsock_error *err)
{
    struct tsk_policy_file *f;
    tlsock_error why = {0};
    int saved = errno;

    if (err == NULL)
        err = &why;
    tsk_clear(err);
    tsk_phase(err, TLSOCK_PHASE_CONFIG);
    if (path == NULL || *path == '\0')
        return tsk_fail(err, TLSOCK_E_ARGUMENT,
                        "the policy's path is NULL or empty");
    f = tsk_policy_file_load(path, err);
    if (f != NULL) {
        pthread_mutex_lock(&process.lock);
        put(f);
        describe();
        pthread_mutex_unlock(&process.lock);
    }
    errno = saved;
    return err->code;
}

const char *tlsock_policy_text(void)
{
    const char *text;

    (void)tsk_policy_ready(NULL);
    text = atomic_load(&process.text);
    return text != NULL ? text : "";
}

void tsk_policy_forget(void)
{
    struct tsk_policy_file *f = atomic_load(&process.first);

    while (f != NULL) {
        struct tsk_policy_file *next = f->next;

        tsk_policy_file_free(f);
        f = next;
    }
    atomic_store(&process.first, NULL);
    for (size_t i = 0; i < process.n_texts; i++)
        tsk_free(process.texts[i]);
    process.n_texts = 0;
    atomic_store(&process.text, NULL);
    tsk_clear(&process.broken);
    atomic_fetch_add(&process.generation, 1);
    atomic_store(&process.ready, 0);
    tsk_policy_forget_hooks();
}
