/* bash: COMPREPLY by what stands in COMP_WORDS. */
#include "complete.h"

#include <stdio.h>
#include <string.h>

static const char head[] =
    "# bash completion of tlsock: tlsock completion bash\n"
    "_tlsock() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} at=$((COMP_CWORD - 1)) files=\n"
    "    local prev=${COMP_WORDS[at]} word=${COMP_WORDS[1]} opts= words=\n"
    "    COMPREPLY=()\n"
    "    # --option=value comes as three words, file:name as well\n"
    "    if [[ $cur == [=:] ]]; then\n"
    "        cur=\n"
    "    elif [[ $prev == [=:] ]]; then\n"
    "        at=$((at - 1)) prev=${COMP_WORDS[at]}\n"
    "    fi\n"
    "    if [[ $at -gt 2 && ${COMP_WORDS[at - 1]} == [=:] ]]; then\n"
    "        prev=${COMP_WORDS[at - 2]}\n"
    "    elif [[ $at -gt 2 && ${COMP_WORDS[at - 1]} == -* &&\n"
    "        ${COMP_WORDS[at + 1]} == : ]]; then\n"
    "        prev=${COMP_WORDS[at - 1]}\n"
    "    fi\n";

static const char tail[] =
    "    if [[ -n $files$words ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
    "        [[ -z $files ]] ||\n"
    "            mapfile -t -O ${#COMPREPLY[@]} COMPREPLY \\\n"
    "                < <(compgen -f -- \"$cur\")\n"
    "    elif [[ $cur == -* ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$opts\" -- \"$cur\"))\n"
    "    fi\n"
    "    [[ ${COMPREPLY[0]} == *[=:] ]] && compopt -o nospace 2>/dev/null\n"
    "    [[ -z $files ]] || compopt -o filenames 2>/dev/null\n"
    "    return 0\n"
    "}\n"
    "complete -F _tlsock tlsock\n";

/* The first words: those of all commands, or the second ones of a group. */
static void print_words(const struct complete_command *all, size_t n,
                        const char *group)
{
    const char *last = "";

    for (size_t i = 0; i < n; i++) {
        const struct command *c = all[i].command;

        if (group != NULL && strcmp(group, c->word) == 0)
            printf(" %s", c->sub);
        else if (group == NULL && strcmp(last, c->word) != 0)
            printf(" %s", c->word);
        last = c->word;
    }
}

static void print_groups(const struct complete_command *all, size_t n)
{
    const char *last = "";

    for (size_t i = 0; i < n; i++) {
        const struct command *c = all[i].command;

        if (c->sub != NULL && strcmp(last, c->word) != 0) {
            printf("    %s)\n        if [[ $COMP_CWORD -eq 2 ]]; then\n"
                   "            COMPREPLY=($(compgen -W '",
                   c->word);
            print_words(all, n, c->word);
            printf("' -- \"$cur\"))\n            return 0\n        fi\n"
                   "        word=\"$word ${COMP_WORDS[2]}\"\n        ;;\n");
        }
        last = c->word;
    }
}

static void print_values(const struct opt_spec *spec)
{
    const struct poptOption *group, *row = NULL;
    struct complete_value v;

    printf("        case $prev in\n");
    while ((row = complete_next(spec, &group, row)) != NULL) {
        if (row->argDescrip == NULL)
            continue;
        complete_value(&v, row->argDescrip);
        printf("        --%s", row->longName);
        if (row->shortName != '\0')
            printf("|-%c", row->shortName);
        printf(") words='%s ' files=%s ;;\n",
               row->val == OPT_SET ? complete_keys() : v.words,
               v.files ? "y" : "");
    }
    complete_arguments(&v, spec);
    printf("        *) [[ $cur == -* ]] || words='%s' files=%s ;;\n"
           "        esac\n",
           v.words, v.files ? "y" : "");
}

void complete_bash(const struct complete_command *all, size_t n)
{
    fputs(head, stdout);
    printf("    if [[ $COMP_CWORD -eq 1 ]]; then\n"
           "        COMPREPLY=($(compgen -W '");
    print_words(all, n, NULL);
    printf("' -- \"$cur\"))\n        return 0\n    fi\n    case $word in\n");
    print_groups(all, n);
    printf("    esac\n    case $word in\n");
    for (size_t i = 0; i < n; i++) {
        const struct poptOption *group, *row = NULL;
        const struct command *c = all[i].command;

        printf("    '%s%s%s')\n        opts='", c->word,
               c->sub != NULL ? " " : "", c->sub != NULL ? c->sub : "");
        while ((row = complete_next(all[i].spec, &group, row)) != NULL)
            printf(" --%s", row->longName);
        printf("'\n");
        print_values(all[i].spec);
        printf("        ;;\n");
    }
    printf("    esac\n");
    fputs(tail, stdout);
}
