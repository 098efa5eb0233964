#include "complete.h"

#include "out.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct walk {
    struct complete_command *all;
    size_t n;
};

static void take_spec(void *arg, const struct opt_spec *spec)
{
    struct walk *w = arg;

    w->all[w->n].spec = spec;
}

struct complete_command *complete_commands(size_t *n)
{
    const struct command *c;
    struct walk w = {NULL, 0};
    size_t count = 0;

    while (command_at(count) != NULL)
        count++;
    w.all = calloc(count, sizeof(*w.all));
    if (w.all == NULL)
        return NULL;
    opt_tell(take_spec, &w);
    for (; (c = command_at(w.n)) != NULL; w.n++) {
        const char *argv[] = {c->word, NULL};

        w.all[w.n].command = c;
        (void)c->run(1, argv);
        if (w.all[w.n].spec == NULL) { /* it ran out of memory before */
            opt_tell(NULL, NULL);
            free(w.all);
            return NULL;
        }
    }
    opt_tell(NULL, NULL);
    *n = w.n;
    return w.all;
}

const struct poptOption *complete_next(const struct opt_spec *spec,
                                       const struct poptOption **group,
                                       const struct poptOption *row)
{
    if (row == NULL) {
        *group = spec->table;
        row = (*group)->arg;
    } else {
        row++;
    }
    while (row != NULL && row->longName == NULL) {
        ++*group;
        row = (*group)->arg;
    }
    return row;
}

/* A word that is typed as it stands ("soft", "1.2-"), or up to its colon
 * ("file:FILE"): how much of it. */
static size_t literal(const char *word, size_t len)
{
    size_t n = 0;

    while (n < len && !isupper((unsigned char)word[n]) && word[n] != '[' &&
           word[n] != '"' && word[n] != '*')
        n++;
    if (n == len)
        return len > 0 && word[0] != '.' && word[0] != '-' ? n : 0;
    return n > 1 && word[n - 1] == ':' ? n : 0;
}

static int names_file(const char *word, size_t len)
{
    static const char *const names[] = {"FILE", "DIR", "PATH"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *at = strstr(word, names[i]);

        if (at != NULL && at < word + len)
            return 1;
    }
    return 0;
}

void complete_value(struct complete_value *v, const char *description)
{
    size_t used = 0;

    v->words[0] = '\0';
    v->files = 0;
    while (description != NULL && *description != '\0') {
        size_t len = strcspn(description, "| "), n = literal(description, len);

        if (n > 0 && used + n + 2 < sizeof(v->words))
            used += (size_t)snprintf(v->words + used, sizeof(v->words) - used,
                                     "%s%.*s", used > 0 ? " " : "", (int)n,
                                     description);
        v->files |= names_file(description, len);
        description += len + (description[len] != '\0');
    }
}

const char *complete_keys(void)
{
    static char *keys;
    const tlsock_option *row = NULL;
    size_t size = 1, used = 0;

    if (keys != NULL)
        return keys;
    while ((row = tlsock_option_next(row)) != NULL)
        size += strlen(row->key) + 2;
    keys = malloc(size);
    if (keys == NULL) {
        out_lack();
        return "";
    }
    keys[0] = '\0';
    while ((row = tlsock_option_next(row)) != NULL)
        used += (size_t)snprintf(keys + used, size - used,
                                 "%s%s=", used > 0 ? " " : "", row->key);
    return keys;
}

void complete_arguments(struct complete_value *v, const struct opt_spec *spec)
{
    static const char *const files[] = {"CSR", "[CA]", " A B"};

    complete_value(v, spec->usage);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        v->files |= strstr(spec->usage, files[i]) != NULL;
}

void complete_quote(const char *text, const char *strip)
{
    putchar('\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (strchr(strip, *text) == NULL)
            putchar(*text);
    }
    putchar('\'');
}
