/* trust_system - the store of the operating system: a directory for the
 * certificates that its administrator adds, and a program that makes of them
 * what other programs read. */
#include "trust.h"

#include "errors.h"
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct distribution {
    const char *name, *anchors, *suffix, *bundle, *package;
    const char *add[3], *remove[3]; /* program and arguments */
    int below;                      /* its program can work below --root */
};

/* The most telling directory first: some have more than one of them. */
static const struct distribution distributions[] = {
    {"Fedora",
     "/etc/pki/ca-trust/source/anchors",
     ".pem",
     "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
     "ca-certificates",
     {"update-ca-trust", "extract"},
     {"update-ca-trust", "extract"},
     0},
    {"Arch",
     "/etc/ca-certificates/trust-source/anchors",
     ".pem",
     "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
     "ca-certificates",
     {"trust", "extract-compat"},
     {"trust", "extract-compat"},
     0},
    {"openSUSE",
     "/etc/pki/trust/anchors",
     ".pem",
     "/var/lib/ca-certificates/ca-bundle.pem",
     "ca-certificates",
     {"update-ca-certificates"},
     {"update-ca-certificates"},
     0},
    /* without --fresh the links of a certificate that went would stay */
    {"Debian",
     "/usr/local/share/ca-certificates",
     ".crt",
     "/etc/ssl/certs/ca-certificates.crt",
     "ca-certificates",
     {"update-ca-certificates"},
     {"update-ca-certificates", "--fresh"},
     1},
};

/* What is in the directory under a name of ours; whether anybody listens to
 * it, the bundle says. */
static int scan_anchors(struct trust_store *s, struct trust_found *f)
{
    const struct distribution *d = s->row;
    size_t bundled = f->n, suffix = strlen(d->suffix);
    DIR *dir = opendir(s->path);
    struct dirent *e;
    int rc = 0;

    if (dir == NULL)
        return -1;
    while (rc == 0 && (e = readdir(dir)) != NULL) {
        char path[LOCAL_PATH], name[256];
        size_t len = strlen(e->d_name);
        char *text;

        if (strncmp(e->d_name, "tlsock-", 7) != 0 || len <= suffix ||
            strcmp(e->d_name + len - suffix, d->suffix) != 0 ||
            local_path(path, s->path, e->d_name) < 0)
            continue;
        snprintf(name, sizeof(name), "%.*s", (int)(len - suffix), e->d_name);
        text = trust_read(path);
        if (text != NULL)
            rc = trust_scan_pem(f, text, NULL, name, 0);
        free(text);
    }
    closedir(dir);
    for (size_t i = bundled; i < f->n; i++) {
        for (size_t j = 0; j < bundled; j++)
            f->v[i].trusted |= strcmp(f->v[i].sha256, f->v[j].sha256) == 0;
    }
    return rc;
}

static int scan(struct trust *t, struct trust_store *s, struct trust_found *f)
{
    const struct distribution *d = s->row;
    char bundle[LOCAL_PATH];
    char *text;
    int rc = 0;

    /* an image may have none yet */
    if (trust_below(t, bundle, d->bundle) == 0) {
        text = trust_read(bundle);
        if (text == NULL)
            return trust_fail(t, s, "own-file", "", "%s: %s", bundle,
                              strerror(errno));
        rc = trust_scan_pem(f, text, NULL, "", 1);
        free(text);
    }
    if (rc == 0)
        rc = scan_anchors(s, f);
    return rc == 0 ? 0
                   : trust_fail(t, s, "own-file", "", "%s: %s", s->path,
                                strerror(errno));
}

/* Below another root the paths are given, as the links will be: relative to
 * the directory they are in. Hooks are programs of that system. */
static int update(struct trust *t, struct trust_store *s,
                  const char *const *command)
{
    const struct distribution *d = s->row;
    char certs[LOCAL_PATH], conf[LOCAL_PATH];
    const char *argv[16] = {s->tool, command[1]};
    size_t n = command[1] != NULL ? 2 : 1;
    struct process_said said;
    char words[400];
    int rc;

    if (t->root[0] != '\0' && !d->below) {
        s->note = "not used yet: run the system's own program in there";
        return 0;
    }
    if (t->root[0] != '\0') {
        const char *const options[] = {
            "--etccertsdir",   certs,
            "--certsconf",     conf,
            "--localcertsdir", "../../../usr/local/share/ca-certificates",
            "--certsdir",      "../../../usr/share/ca-certificates",
            "--hooksdir",      "/dev/null"};

        if (trust_below(t, certs, "/etc/ssl/certs") < 0 ||
            trust_below(t, conf, "/etc/ca-certificates.conf") < 0)
            return trust_fail(t, s, "own-file",
                              "install its package ca-certificates there first",
                              "%s has no /etc/ssl/certs or no "
                              "/etc/ca-certificates.conf",
                              t->root);
        memcpy(argv + n, options, sizeof(options));
    }
    rc = process_run(argv, NULL, 0, &said);
    if (rc != 0)
        return trust_fail(t, s, "own-file", "", "%s: %s", s->tool,
                          strerror(rc));
    rc = said.code;
    process_words(&said, words, sizeof(words));
    process_free(&said);
    if (rc == 0)
        return 0;
    return trust_fail(t, s, "own-file", "run it by hand to see more",
                      "%s ended with %d: %s", s->tool, rc, words);
}

static int ready(struct trust *t, struct trust_store *s)
{
    const struct distribution *d = s->row;

    if (access(s->path, W_OK) < 0)
        return trust_denied(t, s, s->path);
    if ((t->root[0] == '\0' || d->below) &&
        process_find(s->tool, sizeof(s->tool), d->add[0]) < 0)
        return trust_no_tool(t, s, d->add[0]);
    return 0;
}

static int file_of(const struct trust_store *s, char path[LOCAL_PATH],
                   const char *name)
{
    const struct distribution *d = s->row;
    char file[sizeof(((struct trust_entry *)0)->name) + 8];

    snprintf(file, sizeof(file), "%s%s", name, d->suffix);
    for (char *c = file; *c != '\0'; c++) {
        if (*c == ' ')
            *c = '-';
    }
    return local_path(path, s->path, file);
}

static int add(struct trust *t, struct trust_store *s, int again)
{
    const struct distribution *d = s->row;
    tlsock_error err = {0};
    char path[LOCAL_PATH];

    if (file_of(s, path, t->ca.name) < 0)
        return trust_fail(t, s, "own-file", "", "its path is too long");
    if (tlsock_cert_save(t->ca.cert, TLSOCK_PART_CERT, TLSOCK_FORMAT_PEM, path,
                         NULL, &err) < 0)
        return trust_fail(t, s, "own-file", err.hint, "%s", err.message);
    if (update(t, s, d->add) == 0)
        return 0;
    if (!again)
        unlink(path);
    return -1;
}

/* Debian's program leaves the bundle as it was if no certificate is left. */
static void forget_last(const struct trust *t, const struct distribution *d)
{
    struct trust_found f = {NULL, 0};
    char bundle[LOCAL_PATH];
    char *text;
    size_t ours = 0;

    if (!d->below || trust_below(t, bundle, d->bundle) < 0)
        return;
    text = trust_read(bundle);
    if (text != NULL && trust_scan_pem(&f, text, NULL, "", 1) == 0) {
        while (ours < f.n && trust_is(&t->ca, &f.v[ours]))
            ours++;
        if (ours > 0 && ours == f.n && access(bundle, W_OK) == 0)
            unlink(bundle);
    }
    free(text);
    free(f.v);
}

static int remove_one(struct trust *t, struct trust_store *s, const char *name)
{
    const struct distribution *d = s->row;
    char path[LOCAL_PATH];

    if (file_of(s, path, name) < 0 || unlink(path) < 0)
        return trust_fail(t, s, "own-file", "", "%s: %s", path,
                          strerror(errno));
    if (update(t, s, d->remove) < 0)
        return -1;
    forget_last(t, d);
    return 0;
}

void trust_system(struct trust *t)
{
    struct trust_store s = {.kind = "system",
                            .scan = scan,
                            .ready = ready,
                            .add = add,
                            .remove = remove_one};

    for (size_t i = 0; i < sizeof(distributions) / sizeof(distributions[0]);
         i++) {
        const struct distribution *d = &distributions[i];

        if (trust_below(t, s.path, d->anchors) < 0)
            continue;
        s.row = d;
        s.missing = d->package;
        snprintf(s.what, sizeof(s.what), "%s", d->name);
        trust_visit(t, &s);
        return;
    }
    if (t->by_default)
        return;
    snprintf(s.path, sizeof(s.path), "%s", t->root[0] != '\0' ? t->root : "/");
    trust_fail(t, &s, "own-file",
               "install the package ca-certificates; or give the certificate "
               "to each program: curl --cacert, SSL_CERT_FILE",
               "no store of the system is known here: neither "
               "/usr/local/share/ca-certificates nor /etc/pki/ca-trust nor "
               "another");
}
