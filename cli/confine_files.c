/* What of the file system stays within reach, and which port: by Landlock,
 * whose headers need not be as new as the kernel. */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define VERSION_FLAG 1u
#define RULE_PATH 1
#define RULE_PORT 2

/* Rights to files, with the version that brought them. */
#define EXECUTE (UINT64_C(1) << 0)
#define WRITE_FILE (UINT64_C(1) << 1)
#define READ_FILE (UINT64_C(1) << 2)
#define READ_DIR (UINT64_C(1) << 3)
#define REMOVE_DIR (UINT64_C(1) << 4)
#define REMOVE_FILE (UINT64_C(1) << 5)
#define MAKE_DIR (UINT64_C(1) << 7)
#define MAKE_REG (UINT64_C(1) << 8)
#define MAKE_SOCK (UINT64_C(1) << 9)
#define ALL_1 ((UINT64_C(1) << 13) - 1)
#define REFER (UINT64_C(1) << 13)     /* 2 */
#define TRUNCATE (UINT64_C(1) << 14)  /* 3 */
#define IOCTL_DEV (UINT64_C(1) << 15) /* 5 */
#define OF_FILES (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV)

#define BIND_TCP (UINT64_C(1) << 0) /* 4 */
#define SCOPE_ALL UINT64_C(3)       /* 6: abstract sockets, signals */

#define READING (READ_FILE | READ_DIR)
#define WRITING (READ_FILE | WRITE_FILE | TRUNCATE)
#define CHANGING                                                               \
    (READING | WRITING | MAKE_REG | MAKE_DIR | REMOVE_FILE | REMOVE_DIR | REFER)

struct ruleset {
    uint64_t files, ports, scoped;
};
struct path_rule {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));
struct port_rule {
    uint64_t allowed, port;
};

struct rule {
    char *path;
    uint64_t allowed;
};

struct confine_files {
    struct rule *rules;
    size_t n;
    long port; /* -1: any */
};

struct confine_files *confine_files_new(void)
{
    struct confine_files *f = calloc(1, sizeof(*f));

    if (f != NULL)
        f->port = -1;
    return f;
}

void confine_files_free(struct confine_files *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->n; i++)
        free(f->rules[i].path);
    free(f->rules);
    free(f);
}

static int add(struct confine_files *f, const char *path, uint64_t allowed)
{
    struct rule *grown = realloc(f->rules, (f->n + 1) * sizeof(*grown));

    if (grown == NULL)
        return -1;
    f->rules = grown;
    grown[f->n] = (struct rule){strdup(path), allowed};
    if (grown[f->n].path == NULL)
        return -1;
    f->n++;
    return 0;
}

/* The directory that a file is in, or the file itself where that would be
 * everything. */
static int add_around(struct confine_files *f, const char *path,
                      uint64_t allowed)
{
    const char *slash = strrchr(path, '/');
    char dir[PATH_MAX];

    if (slash == NULL)
        return add(f, ".", allowed);
    if (slash == path)
        return add(f, path, allowed);
    if ((size_t)snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path) >=
        sizeof(dir))
        return 0; /* nobody can open it either */
    return add(f, dir, allowed);
}

/* What is read may be replaced by another file of the same name; where it is a
 * link, by one beside what it leads to. */
static int add_read(struct confine_files *f, const char *path)
{
    char real[PATH_MAX];
    struct stat st;
    int rc;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return add(f, path, READING);
    rc = add_around(f, path, READING);
    if (rc == 0 && realpath(path, real) != NULL)
        rc = add_around(f, real, READING);
    return rc;
}

int confine_files_add(struct confine_files *f, const char *path, int use)
{
    struct stat st;

    if (use == TLSOCK_FILE_READ)
        return add_read(f, path);
    if (use == TLSOCK_FILE_DIRECTORY)
        return add(f, path, CHANGING);
    if (stat(path, &st) == 0)
        return add(f, path, WRITING);
    return add_around(f, path, WRITING | MAKE_REG);
}

int confine_files_add_replaced(struct confine_files *f, const char *path)
{
    return add_around(f, path, CHANGING);
}

int confine_files_add_socket(struct confine_files *f, const char *path)
{
    return add_around(f, path, MAKE_SOCK | REMOVE_FILE);
}

int confine_files_port(struct confine_files *f, long port)
{
    f->port = port;
    return 0;
}

/* What the C library, OpenSSL and a sanitizer open by themselves. */
int confine_files_add_system(struct confine_files *f, int is_root)
{
    static const char *const etc[] = {
        "/etc/ssl/certs",     "/etc/ssl/openssl.cnf", "/etc/ca-certificates",
        "/etc/pki/tls/certs", "/etc/resolv.conf",     "/etc/hosts",
        "/etc/host.conf",     "/etc/gai.conf",        "/etc/nsswitch.conf",
        "/etc/services",      "/etc/protocols",       "/etc/localtime",
        "/etc/ld.so.cache",   "/etc/tlsock",          "/etc/unbound"};
    static const char *const read[] = {"/usr",
                                       "/lib",
                                       "/lib64",
                                       "/proc/self",
                                       "/proc/sys",
                                       "/sys/devices/system",
                                       "/run/systemd/resolve",
                                       "/run/resolvconf",
                                       "/run/NetworkManager",
                                       "/run/nscd",
                                       "/dev/random",
                                       "/dev/urandom",
                                       "/dev/tty"};
    const char *modules = getenv("OPENSSL_MODULES");
    int rc = add(f, "/dev/null", WRITING);

#ifdef CLI_COVERAGE_DIR
    if (rc == 0)
        rc = add(f, CLI_COVERAGE_DIR, CHANGING);
#endif
    if (rc == 0 && modules != NULL)
        rc = add(f, modules, READING);
    for (size_t i = 0; i < sizeof(read) / sizeof(read[0]) && rc == 0; i++)
        rc = add(f, read[i], READING);
    /* what others may read, anybody may; resolv.conf is often replaced */
    if (rc == 0 && !is_root)
        return add(f, "/etc", READING);
    for (size_t i = 0; i < sizeof(etc) / sizeof(etc[0]) && rc == 0; i++)
        rc = add(f, etc[i], READING);
    return rc;
}

static struct ruleset handled(int version, const struct confine_files *f)
{
    struct ruleset r = {ALL_1, 0, 0};

    if (version >= 2)
        r.files |= REFER;
    if (version >= 3)
        r.files |= TRUNCATE;
    if (version >= 5)
        r.files |= IOCTL_DEV;
    if (version >= 4 && f->port >= 0)
        r.ports = BIND_TCP;
    if (version >= 6)
        r.scoped = SCOPE_ALL;
    return r;
}

/* What is not there cannot be reached either; what is, must not be left out. */
static int add_path(int set, const struct rule *r, uint64_t known)
{
    struct path_rule rule = {r->allowed & known, -1};
    struct stat st;
    int rc = 0;

    rule.fd = open(r->path, O_PATH | O_CLOEXEC);
    if (rule.fd < 0)
        return stat(r->path, &st) == 0 ? -1 : 0;
    if (fstat(rule.fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rule.allowed &= OF_FILES;
    if (rule.allowed != 0)
        rc = (int)syscall(SYS_landlock_add_rule, set, RULE_PATH, &rule, 0);
    close(rule.fd);
    return rc;
}

static int fill(int set, const struct confine_files *f,
                const struct ruleset *all)
{
    struct port_rule port = {BIND_TCP, (uint64_t)f->port};
    int rc = 0;

    for (size_t i = 0; i < f->n && rc == 0; i++)
        rc = add_path(set, &f->rules[i], all->files);
    if (rc == 0 && all->ports != 0)
        rc = (int)syscall(SYS_landlock_add_rule, set, RULE_PORT, &port, 0);
    if (rc == 0)
        rc = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return rc == 0 ? (int)syscall(SYS_landlock_restrict_self, set, 0) : rc;
}

int confine_files_enforce(struct confine_files *f, const char **why_not)
{
    struct ruleset all;
    size_t size;
    int version, set, rc;

    version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION_FLAG);
    if (version < 1) {
        *why_not = errno == ENOSYS || errno == EOPNOTSUPP
                       ? "this kernel has no Landlock"
                       : strerror(errno);
        return 0;
    }
    all = handled(version, f);
    size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    set = (int)syscall(SYS_landlock_create_ruleset, &all, size, 0);
    rc = set >= 0 ? fill(set, f, &all) : -1;
    if (rc != 0)
        *why_not = strerror(errno);
    if (set >= 0)
        close(set);
    return rc == 0 ? version : 0;
}
