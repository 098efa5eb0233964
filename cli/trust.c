/* trust install, uninstall, list - who trusts a CA of ours: the system,
 * browsers, Java. Each store is tried, whatever became of the others. */
#include "trust.h"

#include "commands.h"
#include "errors.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPT_SYSTEM = OPT_OWN,
    OPT_NSS,
    OPT_JAVA,
    OPT_ALL,
    OPT_ROOT,
    OPT_DRY,
    OPT_FINGERPRINT
};

#define KINDS                                                                  \
    {                                                                          \
        "system", '\0',       POPT_ARG_NONE,                                   \
        NULL,     OPT_SYSTEM, "the store of the system",                       \
        NULL},                                                                 \
        {"nss", '\0',    POPT_ARG_NONE,                                        \
         NULL,  OPT_NSS, "Chromium, Firefox, Thunderbird",                     \
         NULL},                                                                \
        {"java", '\0', POPT_ARG_NONE, NULL, OPT_JAVA, "every Java", NULL},     \
        {"all", '\0',    POPT_ARG_NONE,                                        \
         NULL,  OPT_ALL, "all of them that are there (default)",               \
         NULL},                                                                \
    {                                                                          \
        "root", '\0', POPT_ARG_STRING, NULL, OPT_ROOT,                         \
            "the system whose files are below this directory", "DIR"           \
    }
#define DRY                                                                    \
    {                                                                          \
        "dry-run", '\0', POPT_ARG_NONE, NULL, OPT_DRY,                         \
            "say what would be done, change nothing", NULL                     \
    }
#define FINGERPRINT                                                            \
    {                                                                          \
        "fingerprint", '\0', POPT_ARG_STRING, NULL, OPT_FINGERPRINT,           \
            "the CA whose certificate has this SHA-256", "HEX"                 \
    }

static struct poptOption install_options[] = {KINDS, DRY, POPT_TABLEEND};
static struct poptOption uninstall_options[] = {KINDS, FINGERPRINT, DRY,
                                                POPT_TABLEEND};
static struct poptOption list_options[] = {KINDS, FINGERPRINT, POPT_TABLEEND};
static struct poptOption install_table[] = {
    OPT_GROUP(install_options, "Stores:"), OPT_GROUP(opt_output, "Output:"),
    POPT_TABLEEND};
static struct poptOption uninstall_table[] = {
    OPT_GROUP(uninstall_options, "Stores:"), OPT_GROUP(opt_output, "Output:"),
    POPT_TABLEEND};
static struct poptOption list_table[] = {OPT_GROUP(list_options, "Stores:"),
                                         OPT_GROUP(opt_output, "Output:"),
                                         POPT_TABLEEND};

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct trust *t = own;
    char real[PATH_MAX];

    switch (val) {
    case OPT_SYSTEM:
        t->system = 1;
        return 0;
    case OPT_NSS:
        t->nss = 1;
        return 0;
    case OPT_JAVA:
        t->java = 1;
        return 0;
    case OPT_ALL:
        t->by_default = 1;
        return 0;
    case OPT_DRY:
        t->dry_run = 1;
        return 0;
    case OPT_FINGERPRINT:
        t->fingerprint = arg;
        return 0;
    default:
        if (realpath(arg, real) == NULL || strlen(real) >= sizeof(t->root))
            return err_plain(&o->out, arg, EXIT_OWN, "own-file",
                             "--root DIR: an existing directory",
                             "--root \"%s\" is not there", arg);
        strcpy(t->root, strcmp(real, "/") == 0 ? "" : real);
        return 0;
    }
}

static const struct opt_spec install_spec = {
    .command = "trust install",
    .usage = "[options] [CA-FILE|DIR]",
    .about = "Makes this machine trust a CA: the system's store, browsers, "
             "Java. Without a file it is the local CA that tlsock ca init "
             "makes. What is there already stays; tlsock trust uninstall "
             "takes back exactly what was installed.",
    .after = "  tlsock ca init && tlsock trust install\n"
             "  sudo tlsock trust install --system "
             "~/.local/share/tlsock/ca/ca.pem\n",
    .table = install_table,
    .take = take,
    .max_args = 1};
static const struct opt_spec uninstall_spec = {
    .command = "trust uninstall",
    .usage = "[options] [CA-FILE|DIR]",
    .about = "Takes back what tlsock trust install did for a CA, and nothing "
             "else. Without its file, by its fingerprint.",
    .after = "  tlsock trust uninstall\n"
             "  tlsock trust uninstall --fingerprint 5f1c09d2a4be7733\n",
    .table = uninstall_table,
    .take = take,
    .max_args = 1};
static const struct opt_spec list_spec = {
    .command = "trust list",
    .usage = "[options] [CA-FILE|DIR]",
    .about = "Shows which stores there are, whether they trust the CA, and "
             "which certificates tlsock installed there.",
    .after = "  tlsock trust list\n"
             "  tlsock trust list --json ca.pem\n",
    .table = list_table,
    .take = take,
    .max_args = 1};

struct match {
    const struct trust_entry *ours, *other; /* the CA, by name; or NULL */
    int trusted;
};

static struct match match(const struct trust *t, const struct trust_found *f)
{
    struct match m = {NULL, NULL, 0};

    for (size_t i = 0; i < f->n; i++) {
        const struct trust_entry *e = &f->v[i];

        if (!trust_is(&t->ca, e))
            continue;
        m.trusted |= e->trusted;
        /* the system's bundle holds ours too, without a name */
        if (e->ours)
            m.ours = e;
        else if (m.other == NULL || e->trusted)
            m.other = e;
    }
    return m;
}

/* What a store says of itself is looked at again: that a program ended well
 * is no proof. */
static void check_install(struct trust *t, struct trust_store *s)
{
    struct trust_found f = {NULL, 0};
    struct match m;

    if (s->note != NULL) {
        trust_say(t, s, "placed", 0, s->note, NULL);
        return;
    }
    if (s->scan(t, s, &f) == 0) {
        m = match(t, &f);
        if (m.ours != NULL && m.trusted)
            trust_say(t, s, "installed", 1, "", NULL);
        else
            trust_fail(t, s, "own-file",
                       "run the command again with nothing else at work there",
                       "the certificate was added, but is not in the store");
        t->browsers |= strcmp(s->kind, "nss") == 0;
    }
    free(f.v);
}

static void install(struct trust *t, struct trust_store *s,
                    const struct trust_found *f)
{
    struct match m = match(t, f);
    char name[1100];

    if (m.ours != NULL && m.trusted)
        trust_say(t, s, "trusted", 1, "there already", NULL);
    else if (m.other != NULL && m.trusted)
        trust_say(t, s, "trusted", 1, "by somebody else's doing", NULL);
    else if (m.other != NULL)
        trust_fail(t, s, "own-file",
                   "whoever put it there meant it so: remove it there first",
                   "it is there as \"%s\", and not trusted",
                   out_clean(name, sizeof(name), m.other->name));
    else if (s->ready(t, s) < 0)
        return;
    else if (t->dry_run)
        trust_say(t, s, "would-add", 1,
                  s->new ? "the database is made too" : "", NULL);
    else if (s->add(t, s, m.ours != NULL) == 0)
        check_install(t, s);
}

/* Names may stand for the same certificate more than once. */
static void uninstall(struct trust *t, struct trust_store *s,
                      const struct trust_found *f)
{
    struct match m = match(t, f);
    struct trust_found after = {NULL, 0};

    if (m.ours == NULL) {
        if (!t->hooked)
            trust_say(t, s, "absent", 1,
                      m.trusted ? "but trusted by somebody else's doing" : "",
                      NULL);
        return;
    }
    if (s->ready(t, s) < 0)
        return;
    if (t->dry_run) {
        trust_say(t, s, "would-drop", 1, "", NULL);
        return;
    }
    for (size_t i = 0; i < f->n; i++) {
        if (trust_is(&t->ca, &f->v[i]) && f->v[i].ours &&
            s->remove(t, s, f->v[i].name) < 0)
            return;
    }
    if (s->scan(t, s, &after) == 0) {
        m = match(t, &after);
        if (m.ours != NULL)
            trust_fail(t, s, "own-file",
                       "run the command again with nothing else at work there",
                       "the certificate was removed, but is still there");
        else
            trust_say(t, s, "removed", 1,
                      s->note != NULL ? s->note
                      : m.trusted     ? "but trusted by somebody else's doing"
                                      : "",
                      NULL);
        t->browsers |= strcmp(s->kind, "nss") == 0;
    }
    free(after.v);
}

void trust_visit(struct trust *t, struct trust_store *s)
{
    struct trust_found f = {NULL, 0};

    if (s->new || s->scan(t, s, &f) == 0) {
        if (t->action == TRUST_INSTALL)
            install(t, s, &f);
        else if (t->action == TRUST_UNINSTALL)
            uninstall(t, s, &f);
        else
            trust_say(t, s,
                      t->ca.digits == 0      ? "store"
                      : match(t, &f).trusted ? "trusted"
                                             : "untrusted",
                      match(t, &f).trusted, "", &f);
    }
    free(f.v);
}

/* Uninstalling from the system takes along what its hook gave to Java. */
static void visit_all(struct trust *t)
{
    if (t->system)
        trust_system(t);
    if (t->nss)
        trust_nss(t);
    t->hooked = t->system && !t->java && t->action == TRUST_UNINSTALL;
    if (t->java || t->hooked)
        trust_java(t);
}

static int run(struct trust *t)
{
    int rc;

    t->file = t->o.args.n > 0 ? t->o.args.v[0] : NULL;
    if (t->file != NULL && t->fingerprint != NULL)
        return err_usage(&t->o.out, t->o.command, "leave one of them out",
                         "a file and --fingerprint together");
    if (!t->system && !t->nss && !t->java)
        t->by_default = 1;
    if (t->by_default)
        t->system = t->nss = t->java = 1;
    rc = trust_ca_choose(t);
    if (rc != 0)
        return rc;
    t->rows = json_array();
    if (t->rows == NULL)
        return EXIT_INTERNAL;
    trust_say_ca(t);
    visit_all(t);
    if (t->visited == 0 && t->action == TRUST_INSTALL)
        trust_fail(t, &(struct trust_store){.kind = "all"}, "own-file",
                   "install ca-certificates, or name a kind: --nss makes the "
                   "database of Chromium",
                   "there is no store of the system, of a browser or of Java");
    if (t->o.out.json)
        return trust_say_json(t);
    if (t->browsers && !t->o.out.quiet)
        printf("note       browsers that run now see it after a restart\n");
    return fflush(stdout) == 0 ? t->failed : EXIT_INTERNAL;
}

static int command(enum trust_action action, const struct opt_spec *spec,
                   int argc, const char **argv)
{
    struct trust t = {.action = action};
    int rc = opt_parse(&t.o, spec, &t, argc, argv);

    if (rc == -1)
        rc = run(&t);
    json_decref(t.rows);
    trust_ca_free(&t.ca);
    opt_free(&t.o);
    return rc;
}

int cmd_trust_install(int argc, const char **argv)
{
    return command(TRUST_INSTALL, &install_spec, argc, argv);
}

int cmd_trust_uninstall(int argc, const char **argv)
{
    return command(TRUST_UNINSTALL, &uninstall_spec, argc, argv);
}

int cmd_trust_list(int argc, const char **argv)
{
    return command(TRUST_LIST, &list_spec, argc, argv);
}
