#include "confine.h"

#include "errors.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <netdb.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <tlsock/cert.h>
#include <unistd.h>

static int no_memory(const struct confine *c)
{
    return err_plain(&c->o->out, c->o->command, EXIT_INTERNAL, "nomem", "",
                     "out of memory");
}

static int failed(const struct confine *c, const char *flag, const char *what,
                  int errnum)
{
    return err_plain(&c->o->out, flag, EXIT_OWN, "confine",
                     "see that this system allows it, or leave the option out",
                     "%s: %s", what, strerror(errnum));
}

static int take_level(struct confine *c)
{
    static const char *const words[] = {"off", "soft", "hard"};
    const char *word = c->o->confine != NULL ? c->o->confine : "soft";

    for (int i = 0; i < 3; i++) {
        if (strcmp(word, words[i]) == 0) {
            c->level = i;
            return 0;
        }
    }
    return err_usage(&c->o->out, c->o->command,
                     "--confine soft (as far as the kernel can, the default), "
                     "hard (all of it, or an error) or off",
                     "--confine \"%s\" is none of its words", word);
}

static int take_group(struct confine *c, const char *name)
{
    const struct group *g = getgrnam(name);

    if (g == NULL)
        return err_plain(&c->o->out, "--user", EXIT_OWN, "no-such-user",
                         "--user NAME:GROUP, a group that getent group lists",
                         "there is no group \"%s\"", name);
    c->gid = c->groups[0] = g->gr_gid;
    c->n_groups = 1;
    return 0;
}

/* NAME alone has its own groups; with GROUP it has that one and no other. */
static int take_user(struct confine *c)
{
    const char *text = c->o->user, *colon = strchr(text, ':');
    char name[256];
    const struct passwd *p;

    if (geteuid() != 0)
        return err_plain(&c->o->out, "--user", EXIT_OWN, "not-root",
                         "start it as root, or leave --user out",
                         "only root can become another user");
    snprintf(name, sizeof(name), "%.*s",
             colon != NULL ? (int)(colon - text) : (int)strlen(text), text);
    p = getpwnam(name);
    if (p == NULL)
        return err_plain(&c->o->out, "--user", EXIT_OWN, "no-such-user",
                         "--user NAME, one that getent passwd lists",
                         "there is no user \"%s\"", name);
    if (p->pw_uid == 0)
        return err_usage(&c->o->out, c->o->command,
                         "--user NAME of a user with few rights, as nobody",
                         "--user %s is root: nothing would be given up", name);
    c->drops = 1;
    c->uid = p->pw_uid;
    c->gid = p->pw_gid;
    if (colon != NULL)
        return take_group(c, colon + 1);
    c->n_groups = CONFINE_GROUPS;
    if (getgrouplist(name, c->gid, c->groups, &c->n_groups) < 0)
        c->n_groups = CONFINE_GROUPS; /* fewer rights, not more */
    return 0;
}

/* Who stays root leaves any such directory again. */
static int check_chroot(const struct confine *c)
{
    const struct out *o = &c->o->out;
    struct stat st;
    int errnum;

    if (geteuid() != 0)
        return err_plain(o, "--chroot", EXIT_OWN, "not-root",
                         "start it as root, or leave --chroot out",
                         "only root can change its root directory");
    if (c->o->user == NULL)
        return err_usage(o, c->o->command, "add --user NAME",
                         "--chroot without --user: root gets out again");
    errnum = stat(c->o->chroot, &st) != 0 ? errno
             : S_ISDIR(st.st_mode)        ? 0
                                          : ENOTDIR;
    if (errnum == 0)
        return 0;
    return err_plain(o, "--chroot", EXIT_OWN, "own-file",
                     "--chroot DIR, a directory that is there", "%s: %s",
                     c->o->chroot, strerror(errnum));
}

int confine_check(struct confine *c, const struct opts *o, int runs_programs)
{
    int rc;

    *c = (struct confine){.o = o, .runs_programs = runs_programs};
    if (runs_programs)
        c->foreign = "programs need files of their own";
    rc = take_level(c);
    if (rc == 0 && o->chroot != NULL)
        rc = check_chroot(c);
    if (rc == 0 && o->user != NULL)
        rc = take_user(c);
    if (rc != 0)
        return rc;
    c->files = confine_files_new();
    if (c->files == NULL ||
        confine_files_add_system(c->files, !c->drops && geteuid() == 0) != 0)
        return no_memory(c);
    return confine_may(c, o->chroot, TLSOCK_FILE_READ);
}

/* With --chroot a name leads elsewhere afterwards. */
static int add_inside(struct confine *c, const char *path, int use)
{
    char inside[PATH_MAX];

    if (c->o->chroot == NULL || use == TLSOCK_FILE_READ ||
        (size_t)snprintf(inside, sizeof(inside), "%s/%s", c->o->chroot, path) >=
            sizeof(inside))
        return 0;
    return confine_files_add(c->files, inside, use);
}

int confine_may(struct confine *c, const char *path, int use)
{
    if (path == NULL || *path == '\0' ||
        (confine_files_add(c->files, path, use) == 0 &&
         add_inside(c, path, use) == 0))
        return 0;
    return no_memory(c);
}

int confine_may_replace(struct confine *c, const char *path)
{
    if (path == NULL || confine_files_add_replaced(c->files, path) == 0)
        return 0;
    return no_memory(c);
}

static int tell(const char *path, int use, void *arg)
{
    return confine_may(arg, path, use);
}

/* Keys in a token: its module opens what it likes. */
static const char *foreign_key(const struct opts *o)
{
    for (size_t i = 0; i < o->n_idents; i++)
        if ((o->idents[i].cert != NULL &&
             strncmp(o->idents[i].cert, "pkcs11:", 7) == 0) ||
            (o->idents[i].key != NULL &&
             strncmp(o->idents[i].key, "pkcs11:", 7) == 0))
            return "a PKCS#11 module needs files of its own";
    return NULL;
}

int confine_may_config(struct confine *c, const tlsock_config *config)
{
    const char *trace = getenv("TLSOCK_TRACE");
    const char *anchor = tlsock_dane_anchor();
    int rc = tlsock_config_files(config, tell, c);

    if (c->foreign == NULL)
        c->foreign = foreign_key(c->o);
    if (rc == 0 && trace != NULL && strcmp(trace, "stderr") != 0)
        rc = confine_may(c, trace, TLSOCK_FILE_WRITE);
    if (rc == 0 && anchor[0] == '/')
        rc = confine_may(c, anchor, TLSOCK_FILE_READ);
    return rc < 0 ? no_memory(c) : rc;
}

int confine_may_listen(struct confine *c, const char *target)
{
    const char *colon = strrchr(target, ':');
    char *end = NULL;
    long port;
    int rc = 0;

    if (strncmp(target, "unix:", 5) == 0) {
        rc = confine_files_add_socket(c->files, target + 5);
    } else if (colon != NULL) {
        port = strtol(colon + 1, &end, 10);
        if (end != colon + 1 && *end == '\0' && port >= 0 && port < 65536)
            rc = confine_files_port(c->files, port);
    }
    return rc == 0 ? 0 : no_memory(c);
}

static void note(char *list, size_t size, const char *format, ...)
    TLSOCK_PRINTF(3, 4);
static void note(char *list, size_t size, const char *format, ...)
{
    size_t len = strlen(list);
    va_list ap;

    if (len > 0 && len + 3 < size)
        len += (size_t)snprintf(list + len, size - len, ", ");
    va_start(ap, format);
    vsnprintf(list + len, size - len, format, ap);
    va_end(ap);
}

/* Nothing: it is told at the end; hard: it is an error. */
static int lacks(struct confine *c, const char *what, const char *why)
{
    note(c->missing, sizeof(c->missing), "not %s: %s", what, why);
    if (c->level != CONFINE_HARD)
        return 0;
    return err_plain(&c->o->out, "--confine", EXIT_OWN, "confine",
                     "--confine soft goes on without it",
                     "%s cannot be confined: %s", what, why);
}

int confine_begin(struct confine *c)
{
    const char *why = NULL;
    int version;

    if (c->level == CONFINE_OFF)
        return 0;
    if (c->foreign != NULL) {
        note(c->missing, sizeof(c->missing), "not files: %s", c->foreign);
        return 0;
    }
    tzset(); /* has read its file */
    version = confine_files_enforce(c->files, &why);
    if (version == 0)
        return lacks(c, "files", why);
    note(c->done, sizeof(c->done), "files%s (Landlock %d)",
         version >= 4 ? " and ports" : "", version);
    return 0;
}

/* Libraries that the resolver loads when it is first used are not to be found
 * in another root directory. */
static void warm_up(void)
{
    struct addrinfo *list = NULL;

    if (getaddrinfo("localhost", NULL, NULL, &list) == 0)
        freeaddrinfo(list);
}

static int change_root(struct confine *c)
{
    warm_up();
    if (chroot(c->o->chroot) != 0 || chdir("/") != 0)
        return failed(c, "--chroot", c->o->chroot, errno);
    note(c->done, sizeof(c->done), "root directory %s", c->o->chroot);
    return 0;
}

/* For good: what could be taken back was not given up. */
static int drop_user(struct confine *c)
{
    uid_t r, e, s;

    if (setgroups((size_t)c->n_groups, c->groups) != 0 ||
        setresgid(c->gid, c->gid, c->gid) != 0 ||
        setresuid(c->uid, c->uid, c->uid) != 0)
        return failed(c, "--user", c->o->user, errno);
    if (setuid(0) == 0 || seteuid(0) == 0 || (c->gid != 0 && setgid(0) == 0) ||
        getresuid(&r, &e, &s) != 0 || r != c->uid || e != c->uid || s != c->uid)
        return failed(c, "--user", "root came back", EPERM);
    note(c->done, sizeof(c->done), "user %s", c->o->user);
    return 0;
}

/* Secrets in memory are for nobody: not in a core, not for a debugger. */
static void keep_memory_private(void)
{
    static const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* What is there by now, keys and secrets in it, does not get into swap. Others
 * than root may lock little, so they lock nothing; what comes later is not
 * locked, since a limit would make allocations fail then. */
static void lock_memory(struct confine *c)
{
    if (geteuid() == 0 && mlockall(MCL_CURRENT | MCL_ONFAULT) == 0)
        note(c->done, sizeof(c->done), "memory");
}

static int limit_calls(struct confine *c)
{
    const char *why = confine_calls(c->runs_programs);

    if (why != NULL)
        return lacks(c, "system calls", why);
    note(c->done, sizeof(c->done), "system calls (seccomp)");
    return 0;
}

static void say(const struct confine *c)
{
    if (c->level == CONFINE_OFF && !c->o->out.quiet)
        fprintf(stderr, "confined no: --confine off\n");
    else if (c->o->out.verbose)
        fprintf(stderr, "confined %s%s%s\n", c->done,
                c->done[0] != '\0' && c->missing[0] != '\0' ? "; " : "",
                c->missing);
}

int confine_end(struct confine *c)
{
    int rc = 0;

    if (c->level != CONFINE_OFF)
        lock_memory(c);
    if (c->o->chroot != NULL)
        rc = change_root(c);
    if (rc == 0 && c->drops)
        rc = drop_user(c);
    if (rc == 0 && (c->drops || c->level != CONFINE_OFF) &&
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        rc = lacks(c, "programs", strerror(errno));
    if (rc == 0 && c->level != CONFINE_OFF) {
        keep_memory_private();
        rc = limit_calls(c);
    }
    if (rc == 0)
        say(c);
    return rc;
}

int confine_as_user(struct confine *c, int on)
{
    if (!c->drops)
        return 0;
    if (!on) {
        if (seteuid(0) == 0 && setegid(0) == 0)
            return 0;
    } else if (setgroups((size_t)c->n_groups, c->groups) == 0 &&
               setegid(c->gid) == 0 && seteuid(c->uid) == 0) {
        return 0;
    }
    return failed(c, "--user", c->o->user, errno);
}

int confine_check_trust(const struct confine *c, const tlsock_config *config,
                        const tlsock_cert *any)
{
    tlsock_config *copy = c->drops ? tlsock_config_copy(config) : NULL;
    tlsock_error err = {0};
    int rc = copy != NULL ? tlsock_verify(any, copy, NULL, &err) : 0;

    tlsock_config_unref(copy);
    return rc == TLSOCK_E_TRUST_STORE
               ? err_report(&c->o->out, "--user", &err, 1)
               : 0;
}

int confine_client(const struct opts *o)
{
    struct confine c = {.o = o};
    int rc = take_level(&c);

    if (rc != 0 || c.level == CONFINE_OFF)
        return rc;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return lacks(&c, "programs", strerror(errno));
    return limit_calls(&c);
}

void confine_free(struct confine *c)
{
    confine_files_free(c->files);
}
