/* complete - what shells complete, out of the same option tables as --help:
 * commands, their options, and what an option's value looks like. */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "commands.h"
#include "opt.h"

#include <stddef.h>

struct complete_command {
    const struct command *command;
    const struct opt_spec *spec;
};

/* All of them; NULL if there is no memory. The caller frees the array. */
struct complete_command *complete_commands(size_t *n);

/* The options of a command one by one; start with NULL, NULL behind the last.
 * *group is where the walk is. */
const struct poptOption *complete_next(const struct opt_spec *spec,
                                       const struct poptOption **group,
                                       const struct poptOption *row);

#define COMPLETE_WORDS 512
/* What a value may be, by its description ("off|soft|FILE"). */
struct complete_value {
    char words[COMPLETE_WORDS]; /* "off soft", "file: env:"; "" */
    int files;                  /* or a file's name */
};
void complete_value(struct complete_value *v, const char *description);
/* Keys of -o, each with "=", as words. Static; "" if there is no memory. */
const char *complete_keys(void);
/* The same of what is no option. */
void complete_arguments(struct complete_value *v, const struct opt_spec *spec);

/* A text within single quotes of a shell, and without what is in strip. */
void complete_quote(const char *text, const char *strip);

void complete_bash(const struct complete_command *all, size_t n);
void complete_zsh(const struct complete_command *all, size_t n);
void complete_fish(const struct complete_command *all, size_t n);

#endif
