/* trust_say - what became of each store, for a person or as JSON. */
#include "certfield.h"
#include "trust.h"

#include "certopts.h"
#include "errors.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static json_t *row_json(const struct trust_store *s, const char *state)
{
    json_t *row = json_object();

    json_object_set_new(row, "kind", json_string(s->kind));
    json_object_set_new(row, "what", out_json_text(s->what));
    json_object_set_new(row, "path", out_json_text(s->path));
    json_object_set_new(row, "state", json_string(state));
    return row;
}

int trust_fail(struct trust *t, const struct trust_store *s, const char *slug,
               const char *fix, const char *format, ...)
{
    char cause[1024];
    json_t *row;
    va_list ap;

    va_start(ap, format);
    vsnprintf(cause, sizeof(cause), format, ap);
    va_end(ap);
    t->failed = EXIT_OWN;
    t->visited++;
    if (!t->o.out.json) {
        err_plain(&t->o.out, s->path[0] != '\0' ? s->path : s->kind, EXIT_OWN,
                  slug, fix, "%s", cause);
        return -1;
    }
    row = row_json(s, "failed");
    json_object_set_new(row, "code", json_string(slug));
    json_object_set_new(row, "cause", out_json_text(cause));
    if (fix[0] != '\0')
        json_object_set_new(row, "fix", out_json_text(fix));
    json_array_append_new(t->rows, row);
    return -1;
}

int trust_denied(struct trust *t, const struct trust_store *s, const char *path)
{
    int by_file = t->ca.path[0] != '\0';
    char fix[2 * LOCAL_PATH + 256], real[PATH_MAX];

    by_file = by_file && realpath(t->ca.path, real) != NULL;
    snprintf(fix, sizeof(fix), "sudo tlsock %s --%s%s%s%s%s", t->o.command,
             s->kind, t->root[0] != '\0' ? " --root " : "", t->root,
             by_file ? " " : " --fingerprint ", by_file ? real : t->ca.sha256);
    return trust_fail(t, s, "permission", fix, "this user may not write to %s",
                      path);
}

int trust_no_tool(struct trust *t, const struct trust_store *s,
                  const char *program)
{
    static const struct {
        const char *program, *others;
    } elsewhere[] = {{"certutil", " (Fedora: nss-tools, Arch: nss, openSUSE: "
                                  "mozilla-nss-tools)"},
                     {"keytool", " or another Java"}};
    const char *others = "";
    char fix[256];

    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
        if (strcmp(program, elsewhere[i].program) == 0)
            others = elsewhere[i].others;
    }
    snprintf(fix, sizeof(fix), "install the package %s%s", s->missing, others);
    return trust_fail(t, s, "missing-program", fix,
                      "the program %s is not there", program);
}

static void say_entries(struct trust *t, const struct trust_found *f,
                        json_t *row)
{
    json_t *list = json_array();

    for (size_t i = 0; i < f->n; i++) {
        const struct trust_entry *e = &f->v[i];
        json_t *one;
        char name[1100];

        if (!e->ours)
            continue;
        if (t->o.out.json) {
            one = json_object();
            json_object_set_new(one, "name", out_json_text(e->name));
            json_object_set_new(one, "sha256", json_string(e->sha256));
            json_object_set_new(one, "trusted", json_boolean(e->trusted));
            json_array_append_new(list, one);
        } else if (!t->o.out.quiet) {
            printf("  ours     %s%s\n             sha256:%s\n",
                   out_clean(name, sizeof(name), e->name),
                   e->trusted ? "" : " (NOT TRUSTED)", e->sha256);
        }
    }
    if (row != NULL)
        json_object_set(row, "ours", list);
    json_decref(list);
}

void trust_say(struct trust *t, const struct trust_store *s, const char *state,
               int good, const char *note, const struct trust_found *f)
{
    char what[256], path[LOCAL_PATH];
    json_t *row = NULL;

    t->visited++;
    if (t->o.out.json) {
        row = row_json(s, state);
        if (note[0] != '\0')
            json_object_set_new(row, "note", out_json_text(note));
    } else if (!t->o.out.quiet) {
        out_label(&t->o.out, stdout, good ? OUT_GREEN : OUT_YELLOW, state);
        printf("%-7s %s, %s%s%s%s\n", s->kind,
               out_clean(what, sizeof(what), s->what),
               out_clean(path, sizeof(path), s->path),
               note[0] != '\0' ? " (" : "", note, note[0] != '\0' ? ")" : "");
    }
    if (f != NULL)
        say_entries(t, f, row);
    if (row != NULL)
        json_array_append_new(t->rows, row);
    fflush(stdout);
}

static const char any_name[] =
    "this CA may sign EVERY NAME: whoever gets its key can be anybody to those "
    "who trust it";

void trust_say_ca(const struct trust *t)
{
    char subject[512];

    if (t->ca.digits == 0 || t->o.out.json)
        return;
    if (!t->o.out.quiet) {
        out_label(&t->o.out, stdout, "1", "ca");
        if (t->ca.cert != NULL)
            printf("%s  ",
                   out_clean(subject, sizeof(subject),
                             certfield(t->ca.cert, TLSOCK_CERT_SUBJECT)));
        printf("sha256:%s\n", t->ca.sha256);
        fflush(stdout);
    }
    if (t->action == TRUST_INSTALL && !t->ca.constrained) {
        out_label(&t->o.out, stderr, OUT_RED, "WARNING");
        fprintf(stderr, "%s\n", any_name);
    }
}

int trust_say_json(struct trust *t)
{
    static const char *const words[] = {"install", "uninstall", "list"};
    json_t *obj = json_object(), *ca = json_null();

    if (t->ca.digits > 0) {
        ca = json_object();
        if (t->ca.cert != NULL) {
            json_object_set_new(ca, "file", out_json_text(t->ca.path));
            certname_field(ca, "subject", t->ca.cert, TLSOCK_CERT_SUBJECT);
        }
        json_object_set_new(ca, "sha256", json_string(t->ca.sha256));
        if (t->action == TRUST_INSTALL)
            json_object_set_new(ca, "any_name",
                                json_boolean(!t->ca.constrained));
    }
    json_object_set_new(obj, "schema", json_string("tlsock.trust/1"));
    json_object_set_new(obj, "action", json_string(words[t->action]));
    json_object_set_new(obj, "dry_run", json_boolean(t->dry_run));
    json_object_set_new(obj, "ca", ca);
    json_object_set(obj, "stores", t->rows);
    if (t->action == TRUST_INSTALL && !t->ca.constrained)
        json_object_set_new(obj, "warning", json_string(any_name));
    json_object_set_new(obj, "exit", json_integer(t->failed));
    return out_json_print(obj) == 0 ? t->failed : EXIT_INTERNAL;
}
