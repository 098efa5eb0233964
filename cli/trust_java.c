/* trust_java - the "cacerts" of each Java installation. keytool of Java reads
 * and changes them. On Debian update-ca-certificates passes on to one of them
 * what it is given, and never takes it back. */
#include "trust.h"

#include "errors.h"
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOOK "debian:" /* how the names begin that Debian's hook gives */

/* Kept by the system's own program: what is added to them does not last. */
static const char *const derived[] = {"/etc/pki/ca-trust/extracted/",
                                      "/etc/ca-certificates/extracted/",
                                      "/var/lib/ca-certificates/"};

/* keytool COMMAND [OPTION...] on this store; what it said stays in said if it
 * ended well. */
static int keytool(struct trust *t, struct trust_store *s, const char *input,
                   const char *const *args, size_t n, struct process_said *said)
{
    const char *argv[16] = {s->tool,     args[0], "-J-Duser.language=en",
                            "-keystore", s->path, "-storepass",
                            "changeit"};
    const char *why;
    char words[400];
    int rc;

    memcpy(argv + 7, args + 1, (n - 1) * sizeof(*args));
    rc = process_run(argv, input, input != NULL ? strlen(input) : 0, said);
    if (rc != 0)
        return trust_fail(t, s, "own-file", "", "%s: %s", s->tool,
                          strerror(rc));
    rc = said->code;
    if (rc == 0)
        return 0;
    /* errors go to stdout, and stderr may hold remarks */
    if (strstr(said->out, "keytool error") != NULL)
        said->err[0] = '\0';
    process_words(said, words, sizeof(words));
    why = strstr(words, "assword") != NULL
              ? "its password is not \"changeit\", as Java has it: use keytool "
                "-importcert and -delete by hand"
              : "use keytool -importcert and -delete by hand";
    process_free(said);
    return trust_fail(t, s, "own-file", why, "keytool ended with %d: %s", rc,
                      words);
}

static int is_hooked(const struct trust_entry *e)
{
    return strncmp(e->name, HOOK, sizeof(HOOK) - 1) == 0;
}

static int scan(struct trust *t, struct trust_store *s, struct trust_found *f)
{
    static const char *const args[] = {"-list", "-rfc"};
    struct process_said said;
    int rc = keytool(t, s, NULL, args, 2, &said);

    if (rc < 0)
        return rc;
    rc = trust_scan_pem(f, said.out, "Alias name:", NULL, 1);
    process_free(&said);
    for (size_t i = 0; i < f->n; i++) {
        struct trust_entry *e = &f->v[i];
        const char *name = e->name + sizeof(HOOK) - 1;
        size_t len = strlen(e->name);

        if (is_hooked(e) && len > sizeof(HOOK) + 4)
            e->ours =
                trust_named(name, len - (sizeof(HOOK) - 1) - 4, e->sha256);
        else if (t->hooked)
            e->ours = 0;
    }
    return rc == 0 ? 0 : trust_fail(t, s, "nomem", "", "out of memory");
}

static int ready(struct trust *t, struct trust_store *s)
{
    return access(s->path, W_OK) < 0 ? trust_denied(t, s, s->path) : 0;
}

static int add(struct trust *t, struct trust_store *s, int again)
{
    const char *args[] = {"-importcert", "-noprompt", "-trustcacerts", "-alias",
                          t->ca.name};
    struct process_said said;

    (void)again; /* to be there is to be trusted */
    if (keytool(t, s, t->ca.pem, args, 5, &said) < 0)
        return -1;
    process_free(&said);
    return 0;
}

static int remove_one(struct trust *t, struct trust_store *s, const char *name)
{
    const char *args[] = {"-delete", "-noprompt", "-alias", name};
    struct process_said said;

    if (keytool(t, s, NULL, args, 4, &said) < 0)
        return -1;
    process_free(&said);
    return 0;
}

struct javas {
    char seen[64][LOCAL_PATH];
    size_t n;
    struct trust_store store;
};

/* A Java's own keytool knows the form of its own store. */
static int find_tool(const struct trust *t, struct trust_store *s,
                     const char *home)
{
    if (home != NULL && t->root[0] == '\0' &&
        local_path(s->tool, home, "bin/keytool") == 0 &&
        access(s->tool, X_OK) == 0)
        return 0;
    return process_find(s->tool, sizeof(s->tool), "keytool");
}

/* The same file is often seen from several places. */
static void visit(struct trust *t, struct javas *j, const char *home,
                  const char *file)
{
    char path[LOCAL_PATH];
    struct trust_store *s = &j->store;

    if ((size_t)snprintf(path, sizeof(path), "%s%s", home != NULL ? home : "",
                         file) >= sizeof(path) ||
        trust_below(t, s->path, path) < 0 || access(s->path, R_OK) < 0)
        return;
    for (size_t i = 0; i < sizeof(derived) / sizeof(derived[0]); i++) {
        if (strncmp(s->path + strlen(t->root), derived[i],
                    strlen(derived[i])) == 0)
            return;
    }
    for (size_t i = 0; i < j->n; i++) {
        if (strcmp(j->seen[i], s->path) == 0)
            return;
    }
    if (j->n == sizeof(j->seen) / sizeof(j->seen[0]))
        return;
    strcpy(j->seen[j->n++], s->path);
    if (find_tool(t, s, home) == 0)
        trust_visit(t, s);
    else if (!t->hooked)
        trust_no_tool(t, s, "keytool");
}

static void visit_home(struct trust *t, struct javas *j, const char *home)
{
    visit(t, j, home, "/lib/security/cacerts");
    visit(t, j, home, "/jre/lib/security/cacerts");
}

void trust_java(struct trust *t)
{
    static const char jvms[] = "/usr/lib/jvm";
    const char *home = getenv("JAVA_HOME");
    struct javas *j = calloc(1, sizeof(*j));
    struct dirent **list = NULL;
    char path[LOCAL_PATH];
    int n = 0, before = t->visited;

    if (j == NULL)
        return;
    j->store = (struct trust_store){.kind = "java",
                                    .what = "Java",
                                    .missing = "default-jre-headless",
                                    .scan = scan,
                                    .ready = ready,
                                    .add = add,
                                    .remove = remove_one};
    if (home != NULL && home[0] == '/' && t->root[0] == '\0' && !t->hooked)
        visit_home(t, j, home);
    if (!t->hooked && trust_below(t, path, jvms) == 0)
        n = scandir(path, &list, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (list[i]->d_name[0] != '.' &&
            local_path(path, jvms, list[i]->d_name) == 0)
            visit_home(t, j, path);
        free(list[i]);
    }
    free(list);
    visit(t, j, NULL, "/etc/ssl/certs/java/cacerts");
    if (!t->hooked)
        visit(t, j, NULL, "/etc/pki/java/cacerts");
    if (!t->by_default && !t->hooked && t->visited == before) {
        strcpy(j->store.path, jvms);
        trust_fail(t, &j->store, "own-file",
                   "set JAVA_HOME to where it is installed",
                   "no Java is found");
    }
    free(j);
}
