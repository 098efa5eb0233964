#include "opthelp.h"

#include "errors.h"

#include <string.h>

#define COLUMN 30
#define WIDTH 79

/* Words of text from a column on, the first line being there already. */
static void wrap(const char *text, int column)
{
    int at = column;

    while (*text != '\0') {
        int len = (int)strcspn(text, " ");

        if (at > column && at + 1 + len > WIDTH) {
            printf("\n%*s", column, "");
            at = column;
        }
        at += printf("%s%.*s", at > column ? " " : "", len, text);
        text += len;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_option(const struct poptOption *row)
{
    char left[160], dash[5] = "    ";
    int n;

    if (row->shortName != '\0')
        snprintf(dash, sizeof(dash), "-%c, ", row->shortName);
    n = snprintf(left, sizeof(left), "  %s--%s%s%s", dash, row->longName,
                 row->argDescrip != NULL ? " " : "",
                 row->argDescrip != NULL ? row->argDescrip : "");
    if (n < COLUMN)
        printf("%-*s", COLUMN, left);
    else
        printf("%s\n%*s", left, COLUMN, "");
    wrap(row->descrip, COLUMN);
}

/* A command's table names groups, each with its options. */
static void print_options(const struct poptOption *group)
{
    for (; group->arg != NULL; group++) {
        printf("\n%s\n", group->descrip);
        for (const struct poptOption *row = group->arg; row->longName != NULL;
             row++)
            print_option(row);
    }
}

static void print_keys(void)
{
    const tlsock_option *row = NULL;

    printf("\nKeys for -o and --config: values, default, meaning\n");
    while ((row = tlsock_option_next(row)) != NULL) {
        printf("  %-20s %s%s%s\n%*s", row->key, row->type,
               row->dflt[0] != '\0' ? ", " : "", row->dflt, 6, "");
        wrap(row->help, 6);
    }
}

static void print_exits(const char *one)
{
    char text[256];

    snprintf(text, sizeof(text),
             "Exit: 0 good, %s%s%s2 usage, 3 network, 4 TLS, 5 peer not "
             "trusted, 6 own file, 7 timeout, 8 policy, 70 internal.",
             one != NULL ? "1 " : "", one != NULL ? one : "",
             one != NULL ? ", " : "");
    putchar('\n');
    wrap(text, 0);
}

int opt_help(const struct opt_spec *spec)
{
    printf("Usage: tlsock %s %s\n\n", spec->command, spec->usage);
    wrap(spec->about, 0);
    print_options(spec->table);
    if (spec->after != NULL)
        printf("\nExamples:\n%s", spec->after);
    if (spec->with_table)
        print_keys();
    print_exits(spec->one);
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}
