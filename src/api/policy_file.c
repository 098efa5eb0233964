#include "api/policy_file.h"

#include "api/config_box.h"
#include "api/ini.h"
#include "core/mem.h"
#include "core/str.h"

#include <stdio.h>
#include <string.h>

static int section_sides(const char *name)
{
    if (name[0] == '\0')
        return TSK_SIDE_BOTH;
    if (strcmp(name, "client") == 0)
        return TSK_SIDE_CLIENT;
    return strcmp(name, "server") == 0 ? TSK_SIDE_SERVER : 0;
}

static int bad_section(const char *name, tlsock_error *err)
{
    char shown[64];

    tsk_printable(shown, sizeof(shown), name, strlen(name));
    tsk_fail(err, TLSOCK_E_CONFIG_FILE, "a policy has no section [%s]", shown);
    tsk_hint(err, "rules before the first section are for all connections; "
                  "then there may be [client] and [server]");
    return TLSOCK_E_CONFIG_FILE;
}

static int twice(const struct tsk_policy_file *f, const struct tsk_rule *rule,
                 tlsock_error *err)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->rules[i].row != rule->row ||
            f->rules[i].section != rule->section)
            continue;
        tsk_fail(err, TLSOCK_E_CONFIG_FILE, "%s is there twice",
                 rule->row->key);
        tsk_hint(err, "the first one is %s", f->rules[i].note);
        return TLSOCK_E_CONFIG_FILE;
    }
    return TLSOCK_OK;
}

/* Takes what the rule owns, if it succeeds. None is there twice, so that there
 * are no more than three for each key. */
static int add(struct tsk_policy_file *f, const struct tsk_rule *rule,
               tlsock_error *err)
{
    struct tsk_rule *more;

    more = tsk_realloc(f->rules, (f->n + 1) * sizeof(*more));
    if (more == NULL)
        return tsk_fail_nomem(err);
    f->rules = more;
    f->rules[f->n++] = *rule;
    return TLSOCK_OK;
}

static void take_note(struct tsk_rule *rule, const char *path,
                      const struct tsk_ini_item *item)
{
    char file[110], value[64];
    size_t len = strlen(path), skip = len > 100 ? len - 100 : 0;

    tsk_printable(file, sizeof(file), path + skip, len - skip);
    tsk_printable(value, sizeof(value), item->value, strlen(item->value));
    snprintf(rule->note, sizeof(rule->note), "%s%s:%d: %.30s = %s",
             skip != 0 ? "..." : "", file, item->line, item->key, value);
}

static int each(void *arg, struct tsk_ini_item *item, tlsock_error *err)
{
    struct tsk_policy_file *f = arg;
    int sides = section_sides(item->section), rc;
    struct tsk_rule rule;

    if (sides == 0)
        return bad_section(item->section, err);
    if (item->key == NULL)
        return TLSOCK_OK;
    rc = tsk_rule_parse(&rule, item->key, item->value, sides, err);
    rule.section = sides;
    take_note(&rule, f->path, item);
    if (rc == TLSOCK_OK)
        rc = twice(f, &rule, err);
    if (rc == TLSOCK_OK)
        rc = add(f, &rule, err);
    if (rc < 0)
        tsk_rule_free(&rule);
    return rc;
}

struct tsk_policy_file *tsk_policy_file_parse(const char *text, size_t len,
                                              const char *name,
                                              tlsock_error *err)
{
    struct tsk_policy_file *f = tsk_alloc(sizeof(*f));

    if (f != NULL)
        f->path = tsk_strdup(name);
    if (f == NULL || f->path == NULL)
        tsk_fail_nomem(err);
    else if (tsk_ini_parse(text, len, name, each, f, err) == TLSOCK_OK)
        return f;
    tsk_policy_file_free(f);
    return NULL;
}

struct tsk_policy_file *tsk_policy_file_load(const char *path,
                                             tlsock_error *err)
{
    struct tsk_policy_file *f;
    char *text = NULL;
    size_t len = 0;

    if (tsk_config_file_read(path, &text, &len, err) < 0)
        return NULL;
    f = tsk_policy_file_parse(text, len, path, err);
    tsk_free(text);
    return f;
}

void tsk_policy_file_free(struct tsk_policy_file *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->n; i++)
        tsk_rule_free(&f->rules[i]);
    tsk_free(f->rules);
    tsk_free(f->path);
    tsk_free(f);
}
