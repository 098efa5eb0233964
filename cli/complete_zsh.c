/* zsh: one call of _arguments for each command. */
#include "complete.h"

#include <stdio.h>
#include <string.h>

/* Within '...' of a specification of _arguments or _describe. */
static void print_escaped(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (strchr("[]:\\", *text) != NULL)
            printf("\\%c", *text);
        else
            putchar(*text);
    }
}

static void print_action(const char *words, int files)
{
    if (files && words[0] != '\0') {
        /* within quotes within quotes */
        printf("_alternative \"w\\:value\\:(");
        print_escaped(words);
        printf(")\" \"f\\:file\\:_files\"");
    } else if (files) {
        printf("_files");
    } else if (words[0] != '\0') {
        putchar('(');
        print_escaped(words);
        putchar(')');
    }
}

static void print_option(const struct poptOption *row, char dash,
                         const char *name)
{
    struct complete_value v;

    printf("            '*%s%s%s[", dash == '-' ? "--" : "-", name,
           row->argDescrip == NULL ? ""
           : dash == '-'           ? "="
                                   : "+");
    print_escaped(row->descrip);
    putchar(']');
    if (row->argDescrip != NULL) {
        complete_value(&v, row->argDescrip);
        putchar(':');
        print_escaped(row->argDescrip);
        putchar(':');
        print_action(row->val == OPT_SET ? complete_keys() : v.words, v.files);
    }
    printf("' \\\n");
}

static void print_command(const struct complete_command *c)
{
    const struct poptOption *group, *row = NULL;
    int words = c->command->sub != NULL ? 2 : 1;
    struct complete_value v;

    printf("    '%s%s%s')\n"
           "        words=(tlsock \"${(@)words[%d,-1]}\")\n"
           "        (( CURRENT -= %d ))\n"
           "        _arguments -S \\\n",
           c->command->word, words == 2 ? " " : "",
           words == 2 ? c->command->sub : "", words + 2, words);
    while ((row = complete_next(c->spec, &group, row)) != NULL) {
        char name[2] = {row->shortName, '\0'};

        print_option(row, '-', row->longName);
        if (row->shortName != '\0')
            print_option(row, ' ', name);
    }
    complete_arguments(&v, c->spec);
    printf("            '*:argument:");
    if (!v.files && v.words[0] == '\0')
        printf("%s", c->spec->max_args > 0 ? "_hosts" : "");
    print_action(v.words, v.files);
    printf("'\n        ;;\n");
}

/* Words with what they mean: of all commands, or of one group. */
static void print_words(const struct complete_command *all, size_t n,
                        const char *group)
{
    const char *last = "";

    for (size_t i = 0; i < n; i++) {
        const struct command *c = all[i].command;
        int begins = strcmp(last, c->word) != 0;

        last = c->word;
        if (group != NULL ? strcmp(group, c->word) != 0 : !begins)
            continue;
        printf(" '%s:", group != NULL ? c->sub : c->word);
        if (group == NULL && c->sub != NULL)
            printf("%s ...", c->word);
        else
            print_escaped(c->summary);
        putchar('\'');
    }
}

void complete_zsh(const struct complete_command *all, size_t n)
{
    const char *last = "";

    printf("#compdef tlsock\n"
           "# zsh completion of tlsock: tlsock completion zsh\n"
           "_tlsock() {\n"
           "    local word=$words[2]\n"
           "    local -a list\n"
           "    if (( CURRENT == 2 )); then\n"
           "        list=(");
    print_words(all, n, NULL);
    printf(")\n        _describe command list\n        return\n    fi\n"
           "    case $word in\n");
    for (size_t i = 0; i < n; i++) {
        const struct command *c = all[i].command;

        if (c->sub != NULL && strcmp(last, c->word) != 0) {
            printf("    %s)\n        if (( CURRENT == 3 )); then\n"
                   "            list=(",
                   c->word);
            print_words(all, n, c->word);
            printf(")\n            _describe command list\n"
                   "            return\n        fi\n"
                   "        word=\"$word $words[3]\"\n        ;;\n");
        }
        last = c->word;
    }
    printf("    esac\n    case $word in\n");
    for (size_t i = 0; i < n; i++)
        print_command(&all[i]);
    printf("    esac\n}\n"
           "# autoloaded from $fpath, or evaluated\n"
           "if [[ $funcstack[1] == _tlsock ]]; then\n"
           "    _tlsock \"$@\"\nelse\n    compdef _tlsock tlsock\nfi\n");
}
