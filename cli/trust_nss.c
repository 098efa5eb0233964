/* trust_nss - the databases of NSS: Chromium and its kin share one in the home
 * directory, Firefox and Thunderbird have one in each profile. certutil of NSS
 * reads and changes them. */
#include "trust.h"

#include "errors.h"
#include "process.h"
#include "trust_nicks.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct place {
    const char *what, *dir; /* below the home directory */
    int profiles;           /* the databases are one level below */
} places[] = {
    {"Chromium, shared", ".pki/nssdb", 0},
    {"Chromium, shared", ".local/share/pki/nssdb", 0},
    {"Chromium, snap", "snap/chromium/current/.pki/nssdb", 0},
    {"Chromium, flatpak", ".var/app/org.chromium.Chromium/.pki/nssdb", 0},
    {"Chrome, flatpak", ".var/app/com.google.Chrome/.pki/nssdb", 0},
    {"Firefox", ".mozilla/firefox", 1},
    {"Firefox", ".config/mozilla/firefox", 1},
    {"Firefox, snap", "snap/firefox/common/.mozilla/firefox", 1},
    {"Firefox, flatpak", ".var/app/org.mozilla.firefox/.mozilla/firefox", 1},
    {"Thunderbird", ".thunderbird", 1},
};

/* certutil ARG... on this database. 0, or -1 after saying why. */
static int start(struct trust *t, struct trust_store *s, const char *input,
                 const char *const *args, size_t n, struct process_said *said)
{
    char db[LOCAL_PATH + 8];
    const char *argv[16] = {s->tool, "-d", db};
    int rc;

    snprintf(db, sizeof(db), "sql:%s", s->path);
    memcpy(argv + 3, args, n * sizeof(*args));
    rc = process_run(argv, input, input != NULL ? strlen(input) : 0, said);
    if (rc == 0)
        return 0;
    return trust_fail(t, s, "own-file", "", "%s: %s", s->tool, strerror(rc));
}

/* The same, and it has to end well. */
static int certutil(struct trust *t, struct trust_store *s, const char *input,
                    const char *const *args, size_t n,
                    struct process_said *said)
{
    char words[400];
    int rc = start(t, s, input, args, n, said);

    if (rc < 0 || said->code == 0)
        return rc;
    process_words(said, words, sizeof(words));
    rc = said->code;
    process_free(said);
    return trust_fail(
        t, s, "own-file",
        strstr(words, "PASSWORD") != NULL || strstr(words, "LOGGED_IN") != NULL
            ? "the database has a password: run this at a terminal, where "
              "certutil asks for it"
            : "if a browser holds the database, close it and try again",
        "certutil ended with %d: %s", rc, words);
}

/* certutil answers a nickname with all certificates of the subject. */
static int look(struct trust *t, struct trust_store *s, struct trust_nick *row)
{
    const char *args[] = {"-L", "-a", "-n", row->nick};
    struct process_said said;
    int rc = start(t, s, NULL, args, 4, &said);

    if (rc < 0)
        return rc;
    if (said.code == 0)
        rc = trust_scan_pem(&row->certs, said.out, NULL, row->nick,
                            row->trusted);
    process_free(&said);
    return rc == 0 ? 0 : trust_fail(t, s, "nomem", "", "out of memory");
}

static int scan(struct trust *t, struct trust_store *s, struct trust_found *f)
{
    static const char *const args[] = {"-L"};
    struct trust_nick *rows = NULL;
    struct process_said said;
    size_t n = 0;
    int rc = certutil(t, s, NULL, args, 1, &said);

    if (rc < 0)
        return rc;
    rc = trust_nicks_read(said.out, &rows, &n);
    process_free(&said);
    if (rc < 0)
        trust_fail(t, s, "nomem", "", "out of memory");
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = look(t, s, &rows[i]);
    if (rc == 0) {
        rc = trust_nicks_tell(rows, n, f);
        if (rc < 0)
            trust_fail(t, s, "nomem", "", "out of memory");
    }
    for (size_t i = 0; i < n; i++)
        free(rows[i].certs.v);
    free(rows);
    return rc;
}

static int ready(struct trust *t, struct trust_store *s)
{
    if (!s->new &&access(s->path, W_OK) < 0)
        return trust_denied(t, s, s->path);
    return 0;
}

static int add(struct trust *t, struct trust_store *s, int again)
{
    static const char *const make[] = {"-N", "--empty-password"};
    const char *args[] = {"-A", "-a", "-t", "C,,", "-n", t->ca.name};
    const char *undo[] = {"-D", "-n", t->ca.name};
    struct process_said said;
    int rc;

    if (s->new) {
        rc = local_make_dir(s->path);
        if (rc != 0)
            return trust_fail(t, s, "own-file", "", "%s: %s", s->path,
                              strerror(rc));
        if (certutil(t, s, NULL, make, 2, &said) < 0)
            return -1;
        process_free(&said);
        s->new = 0;
    }
    if (certutil(t, s, t->ca.pem, args, 6, &said) < 0) {
        /* in a database with a password it may be there by now */
        if (!again && start(t, s, NULL, undo, 3, &said) == 0)
            process_free(&said);
        return -1;
    }
    process_free(&said);
    return 0;
}

static int remove_one(struct trust *t, struct trust_store *s, const char *name)
{
    const char *args[] = {"-D", "-n", name};
    struct process_said said;

    if (certutil(t, s, NULL, args, 3, &said) < 0)
        return -1;
    process_free(&said);
    return 0;
}

/* One that is there, or shall be: its tool is looked for at the first. */
static void visit(struct trust *t, struct trust_store *s)
{
    if (s->tool[0] != '\0') {
        trust_visit(t, s);
        return;
    }
    if (s->missing == NULL) /* said already */
        return;
    if (process_find(s->tool, sizeof(s->tool), "certutil") == 0) {
        trust_visit(t, s);
        return;
    }
    s->tool[0] = '\0';
    trust_no_tool(t, s, "certutil");
    s->missing = NULL;
}

static int is_db(const char *dir)
{
    char path[LOCAL_PATH];

    return local_path(path, dir, "cert9.db") == 0 && access(path, F_OK) == 0;
}

static void visit_profiles(struct trust *t, struct trust_store *s,
                           const struct place *p, const char *base)
{
    struct dirent **list = NULL;
    int n = scandir(base, &list, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name;

        if (name[0] != '.' && local_path(s->path, base, name) == 0 &&
            is_db(s->path)) {
            snprintf(s->what, sizeof(s->what), "%s %.40s", p->what, name);
            visit(t, s);
        }
        free(list[i]);
    }
    free(list);
}

/* Would somebody read the shared database, if it were there? */
static int is_wanted(const struct trust *t)
{
    static const char *const browsers[] = {
        "chromium",      "chromium-browser",
        "google-chrome", "google-chrome-stable",
        "brave-browser", "microsoft-edge",
        "vivaldi",       "opera"};
    char path[LOCAL_PATH];

    if (!t->by_default)
        return 1;
    /* under sudo it would be root's, who does not browse */
    if (t->root[0] != '\0' || getenv("SUDO_USER") != NULL)
        return 0;
    for (size_t i = 0; i < sizeof(browsers) / sizeof(browsers[0]); i++) {
        if (process_find(path, sizeof(path), browsers[i]) == 0)
            return 1;
    }
    return 0;
}

static int home_of(struct trust *t, struct trust_store *s,
                   char home[LOCAL_PATH])
{
    const char *named = getenv("HOME");
    struct stat st;

    if (named == NULL || named[0] != '/' || strcmp(named, "/") == 0 ||
        trust_below(t, home, named) < 0 || stat(home, &st) < 0) {
        if (!t->by_default)
            trust_fail(t, s, "own-file", "set HOME",
                       "no home directory to look for browsers in");
        return -1;
    }
    if (t->root[0] == '\0' && st.st_uid != geteuid()) {
        snprintf(s->path, sizeof(s->path), "%s", home);
        trust_fail(t, s, "permission",
                   "run tlsock trust --nss as that user, without sudo",
                   "this home directory belongs to user %lu: what another "
                   "user makes in there, its browsers could not change",
                   (unsigned long)st.st_uid);
        return -1;
    }
    return 0;
}

void trust_nss(struct trust *t)
{
    struct trust_store s = {.kind = "nss",
                            .missing = "libnss3-tools",
                            .scan = scan,
                            .ready = ready,
                            .add = add,
                            .remove = remove_one};
    char home[LOCAL_PATH], base[LOCAL_PATH];
    int shared = 0;

    if (home_of(t, &s, home) < 0)
        return;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const struct place *p = &places[i];

        if (local_path(base, home, p->dir) < 0)
            continue;
        if (p->profiles) {
            visit_profiles(t, &s, p, base);
        } else if (is_db(base)) {
            strcpy(s.path, base);
            snprintf(s.what, sizeof(s.what), "%s", p->what);
            shared |= i < 2;
            visit(t, &s);
        }
    }
    if (shared || t->action != TRUST_INSTALL || !is_wanted(t) ||
        local_path(s.path, home, places[0].dir) < 0)
        return;
    snprintf(s.what, sizeof(s.what), "%s", places[0].what);
    s.new = 1;
    visit(t, &s);
}
