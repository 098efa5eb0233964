#include "certout.h"

#include "errors.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const endings[CERTOUT_PLACES] = {".pem", ".key", ".p12",
                                                    ".csr"};

/* Ctrl-C while a long key is made: empty files would look like existing ones
 * the next time. Only what is safe in a handler. */
static struct certout *volatile at_work;

static void drop(const struct certout *w)
{
    for (int i = 0; i < CERTOUT_PLACES; i++) {
        if ((w->taken & (1u << i)) != 0)
            unlink(w->path[i]);
    }
}

static void interrupted(int sig)
{
    struct certout *w = at_work;

    if (w != NULL)
        drop(w);
    signal(sig, SIG_DFL);
    raise(sig);
}

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

static void watch(struct certout *w)
{
    struct sigaction act = {.sa_handler = interrupted}, old;

    sigemptyset(&act.sa_mask);
    at_work = w;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        if (sigaction(signals[i], NULL, &old) == 0 &&
            old.sa_handler != SIG_IGN) /* nohup stays nohup */
            sigaction(signals[i], &act, NULL);
    }
}

/* A file name out of a host name: no directories, no stars. */
static void file_name(char *out, size_t size, const char *name)
{
    size_t used = 0;

    for (; *name != '\0' && used + 12 < size; name++) {
        if (*name == '*') {
            memcpy(out + used, "_wildcard", 9);
            used += 9;
        } else if (strchr("/\\: \t", *name) != NULL ||
                   (unsigned char)*name < 0x20 || *name == 0x7f ||
                   (used == 0 && (*name == '.' || *name == '-'))) {
            out[used++] = '_';
        } else {
            out[used++] = *name;
        }
    }
    out[used] = '\0';
}

static int is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* "x.pem" is what one types who thinks of the file: it is not x.pem.pem. */
static size_t without_ending(const char *prefix)
{
    size_t n = strlen(prefix);

    for (int i = 0; i < CERTOUT_PLACES; i++) {
        if (n > 4 && strcmp(prefix + n - 4, endings[i]) == 0 &&
            prefix[n - 5] != '/')
            return n - 4;
    }
    return n;
}

int certout_choose(struct certout *w, const char *name)
{
    char file[300];
    const char *p = w->prefix != NULL ? w->prefix : "";
    size_t len = without_ending(p);
    const char *slash = "", *tail = "";

    file_name(file, sizeof(file), name);
    if (len == 0 || p[len - 1] == '/' || is_dir(p)) {
        len = strlen(p);
        slash = len == 0 || p[len - 1] == '/' ? "" : "/";
        tail = file;
    }
    for (int i = 0; i < CERTOUT_PLACES; i++) {
        if ((size_t)snprintf(w->path[i], LOCAL_PATH, "%.*s%s%s%s", (int)len, p,
                             slash, tail, endings[i]) >= LOCAL_PATH)
            return err_usage(w->out, w->command, NULL, "--out: too long");
    }
    return 0;
}

static int refused(const struct certout *w, const char *path, int errnum)
{
    if (errnum == EEXIST)
        return err_plain(w->out, path, EXIT_OWN, "own-file",
                         "--force replaces it, --out PREFIX writes elsewhere",
                         "%s exists already", path);
    if (errnum == ENOENT || errnum == ENOTDIR)
        return err_plain(w->out, path, EXIT_OWN, "own-file",
                         "make the directory first, or --out PREFIX in one "
                         "that is there",
                         "%s: its directory does not exist", path);
    return err_plain(w->out, path, EXIT_OWN, "own-file",
                     "--out PREFIX in a directory you may write to", "%s: %s",
                     path, local_strerror(errnum));
}

static int reserve(struct certout *w)
{
    for (int i = 0; i < CERTOUT_PLACES; i++) {
        int errnum, was_there;

        if ((w->what & (1u << i)) == 0)
            continue;
        was_there = access(w->path[i], F_OK) == 0;
        errnum = local_reserve(w->path[i], w->force);
        if (errnum == 0 && was_there && is_dir(w->path[i]))
            errnum = EISDIR;
        if (errnum != 0) {
            certout_undo(w);
            return refused(w, w->path[i], errnum);
        }
        if (!was_there || !w->force)
            w->taken |= 1u << i;
    }
    return 0;
}

/* A file is there before it is noted that it is ours: a signal waits. */
int certout_reserve(struct certout *w)
{
    sigset_t held, old;
    int rc;

    sigemptyset(&held);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaddset(&held, signals[i]);
    watch(w);
    sigprocmask(SIG_BLOCK, &held, &old);
    rc = reserve(w);
    sigprocmask(SIG_SETMASK, &old, NULL);
    return rc;
}

void certout_undo(struct certout *w)
{
    at_work = NULL;
    drop(w);
    w->taken = 0;
}

enum { ASIDE = LOCAL_PATH + 32 };

/* The name that a file has until all are written. */
static void aside(char path[ASIDE], const struct certout *w, int place)
{
    snprintf(path, ASIDE, "%s.%ld.new", w->path[place], (long)getpid());
}

/* The name that the one it replaces has until all are renamed. */
static void kept(char path[ASIDE], const struct certout *w, int place)
{
    snprintf(path, ASIDE, "%s.%ld.old", w->path[place], (long)getpid());
}

static int write_one(const struct certout *w, int place, const tlsock_cert *c,
                     const tlsock_csr *r, tlsock_error *err)
{
    char path[ASIDE];

    aside(path, w, place);
    switch (place) {
    case CERTOUT_AT_CERT:
        return tlsock_cert_save(c, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN,
                                TLSOCK_FORMAT_PEM, path, NULL, err);
    case CERTOUT_AT_P12:
        return tlsock_cert_save(
            c, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN | TLSOCK_PART_KEY,
            TLSOCK_FORMAT_PKCS12, path, w->p12_pass, err);
    case CERTOUT_AT_CSR:
        return tlsock_csr_save(r, TLSOCK_PART_CERT, TLSOCK_FORMAT_PEM, path,
                               NULL, err);
    default:
        if (r != NULL)
            return tlsock_csr_save(r, TLSOCK_PART_KEY, TLSOCK_FORMAT_PEM, path,
                                   w->key_pass, err);
        return tlsock_cert_save(c, TLSOCK_PART_KEY, TLSOCK_FORMAT_PEM, path,
                                w->key_pass, err);
    }
}

/* Where the file system knows no links, there is no way back. */
static int rename_one(const struct certout *w, int place)
{
    char from[ASIDE], old[ASIDE];

    aside(from, w, place);
    kept(old, w, place);
    if ((w->taken & (1u << place)) == 0)
        (void)link(w->path[place], old);
    return rename(from, w->path[place]) < 0 ? errno : 0;
}

/* As it was: what was replaced is back, what was made is gone. */
static void take_back(struct certout *w)
{
    char path[ASIDE];

    for (int i = 0; i < CERTOUT_PLACES; i++) {
        aside(path, w, i);
        unlink(path);
        kept(path, w, i);
        (void)rename(path, w->path[i]);
        unlink(path); /* the same file under both names stays as it is */
    }
    certout_undo(w);
}

static void warn_left(const struct certout *w, const char *path, int errnum)
{
    char text[ASIDE + 200], clean[ASIDE + 200];

    snprintf(text, sizeof(text), "cannot remove %s, the old one: %s", path,
             strerror(errnum));
    out_warning(w->out, out_clean(clean, sizeof(clean), text));
}

static void settle(struct certout *w)
{
    char path[ASIDE];

    w->taken = 0;
    for (int i = 0; i < CERTOUT_PLACES; i++) {
        kept(path, w, i);
        if (unlink(path) != 0 && errno != ENOENT)
            warn_left(w, path, errno);
    }
}

/* All aside, then all renamed: with --force a key and a certificate that do
 * not belong together are never left behind by a full disk. */
static int save(struct certout *w, const tlsock_cert *c, const tlsock_csr *r)
{
    static const int order[] = {CERTOUT_AT_KEY, CERTOUT_AT_CERT, CERTOUT_AT_P12,
                                CERTOUT_AT_CSR};
    tlsock_error err = {0};
    int rc = 0, errnum = 0, i, at = 0;

    for (i = 0; i < CERTOUT_PLACES && rc == 0; i++) {
        at = order[i];
        if ((w->what & (1u << at)) != 0)
            rc = write_one(w, at, c, r, &err);
    }
    for (i = 0; i < CERTOUT_PLACES && rc == 0 && errnum == 0; i++) {
        at = order[i];
        if ((w->what & (1u << at)) != 0)
            errnum = rename_one(w, at);
    }
    if (rc == 0 && errnum == 0) {
        settle(w);
        return 0;
    }
    take_back(w);
    return rc < 0 ? err_report(w->out, w->path[at], &err, 1)
                  : refused(w, w->path[at], errnum);
}

int certout_save(struct certout *w, const tlsock_cert *c)
{
    return save(w, c, NULL);
}

int certout_save_csr(struct certout *w, const tlsock_csr *r)
{
    return save(w, NULL, r);
}
