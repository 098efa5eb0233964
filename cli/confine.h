/* confine - what a command that serves gives up before its first client comes:
 * files it does not need, ports, system calls, and the rights of root.
 *
 * Knows accounts, limits and the order of things; confine_files.c speaks to
 * Landlock, confine_calls.c to seccomp. A kernel or a build that has not all of
 * it does less, which -v tells and --confine hard refuses. */
#ifndef CLI_CONFINE_H
#define CLI_CONFINE_H

#include "opt.h"

#include <sys/types.h>

#define CONFINE_GROUPS 64

struct confine_files;

struct confine {
    const struct opts *o; /* NULL: confine_check() was not called */
    int runs_programs;    /* they need files and rights that we do not know */
    int level;            /* CONFINE_* */
    int drops;            /* --user */
    uid_t uid;
    gid_t gid, groups[CONFINE_GROUPS];
    int n_groups;
    const char *foreign; /* who opens files that we do not know, or NULL */
    struct confine_files *files;
    char done[160], missing[200]; /* for -v */
};

enum { CONFINE_OFF, CONFINE_SOFT, CONFINE_HARD };

/* Are --user, --chroot and --confine possible? Before anything is opened.
 * 0, or an exit code after having said why, as in all that follows. */
int confine_check(struct confine *c, const struct opts *o, int runs_programs);
/* What will be opened from now on; use is TLSOCK_FILE_*. No path: no-op. */
int confine_may(struct confine *c, const char *path, int use);
/* A file that is written aside, in its directory, and renamed. */
int confine_may_replace(struct confine *c, const char *path);
int confine_may_config(struct confine *c, const tlsock_config *config);
/* What tlsock_listen() will be given. */
int confine_may_listen(struct confine *c, const char *target);
/* Files and ports, for this thread and those that it starts: so before the
 * first config is used, which may start some. */
int confine_begin(struct confine *c);
/* The rest, for all threads: what listens and what is written is open. */
int confine_end(struct confine *c);
/* Meanwhile files are opened and made as --user would. */
int confine_as_user(struct confine *c, int on);
/* Can whom a client trusts still be read? Copies of a config read it anew.
 * After confine_end(); any certificate will do to ask. */
int confine_check_trust(const struct confine *c, const tlsock_config *config,
                        const tlsock_cert *any);
void confine_free(struct confine *c);

/* For who is gone soon, and opens what its user names: system calls alone,
 * before anybody is heard. */
int confine_client(const struct opts *o);

/* confine_files.c: rules are gathered, then put into force. */
struct confine_files *confine_files_new(void); /* NULL: no memory */
int confine_files_add(struct confine_files *f, const char *path, int use);
int confine_files_add_replaced(struct confine_files *f, const char *path);
int confine_files_port(struct confine_files *f, long port);
/* Of the machine; is_root: nobody but us keeps us from the rest of /etc. */
int confine_files_add_system(struct confine_files *f, int is_root);
int confine_files_add_socket(struct confine_files *f, const char *path);
/* The version of Landlock's interface that is in force, or 0: *why_not. */
int confine_files_enforce(struct confine_files *f, const char **why_not);
void confine_files_free(struct confine_files *f);

/* A sanitizer looks for leaks, at the end, by tracing its own process. */
#if defined(__SANITIZE_ADDRESS__)
#define CONFINE_TRACES_ITSELF 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CONFINE_TRACES_ITSELF 1
#endif
#endif

/* confine_calls.c: 0, or why not. Threads that are there obey, too. */
const char *confine_calls(int may_run_programs);
int confine_has_calls(void); /* in this build */

#endif
