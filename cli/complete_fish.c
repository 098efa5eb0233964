/* fish: one line for each word. */
#include "complete.h"

#include <stdio.h>
#include <string.h>

static const char head[] =
    "# fish completion of tlsock: tlsock completion fish\n"
    "function __tlsock_at\n"
    "    set -l words (commandline -opc)\n"
    "    test \"$words[2]\" = \"$argv[1]\"; or return\n"
    "    test (count $argv) -lt 2; or test \"$words[3]\" = \"$argv[2]\"\n"
    "end\n"
    "function __tlsock_next\n"
    "    set -l words (commandline -opc)\n"
    "    test (count $words) -eq (math (count $argv) + 1); or return\n"
    "    test (count $argv) -lt 1; or test \"$words[2]\" = \"$argv[1]\"\n"
    "end\n"
    "complete -c tlsock -f\n";

static void print_word(const char *group, const char *word, const char *text)
{
    printf("complete -c tlsock -n '__tlsock_next%s%s' -a %s -d ",
           group != NULL ? " " : "", group != NULL ? group : "", word);
    complete_quote(text, "\\'");
    putchar('\n');
}

static void print_option(const struct command *c, const struct poptOption *row)
{
    struct complete_value v;

    printf("complete -c tlsock -n '__tlsock_at %s%s%s' -l %s", c->word,
           c->sub != NULL ? " " : "", c->sub != NULL ? c->sub : "",
           row->longName);
    if (row->shortName != '\0')
        printf(" -s %c", row->shortName);
    if (row->argDescrip != NULL) {
        complete_value(&v, row->argDescrip);
        printf(v.files ? " -r -F" : " -x");
        if (row->val == OPT_SET || v.words[0] != '\0') {
            printf(" -a ");
            complete_quote(row->val == OPT_SET ? complete_keys() : v.words,
                           "\\'");
        }
    }
    printf(" -d ");
    complete_quote(row->descrip, "\\'");
    putchar('\n');
}

static void print_arguments(const struct complete_command *c)
{
    const char *sub = c->command->sub;
    struct complete_value v;

    complete_arguments(&v, c->spec);
    if (!v.files && v.words[0] == '\0')
        return;
    printf("complete -c tlsock -n '__tlsock_at %s%s%s'%s", c->command->word,
           sub != NULL ? " " : "", sub != NULL ? sub : "",
           v.files ? " -F" : "");
    if (v.words[0] != '\0') {
        printf(" -a ");
        complete_quote(v.words, "\\'");
    }
    putchar('\n');
}

void complete_fish(const struct complete_command *all, size_t n)
{
    const char *last = "";

    fputs(head, stdout);
    for (size_t i = 0; i < n; i++) {
        const struct poptOption *group, *row = NULL;
        const struct command *c = all[i].command;

        if (strcmp(last, c->word) != 0)
            print_word(NULL, c->word, c->sub != NULL ? c->word : c->summary);
        last = c->word;
        if (c->sub != NULL)
            print_word(c->word, c->sub, c->summary);
        while ((row = complete_next(all[i].spec, &group, row)) != NULL)
            print_option(c, row);
        print_arguments(&all[i]);
    }
}
