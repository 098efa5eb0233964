/* lint_rows - for each rule of lint, a certificate it speaks of and one,
 * nearly the same, that it does not. */
#ifndef LINT_ROWS_H
#define LINT_ROWS_H

#include "lint_make.h"

struct row {
    const char *code;
    int at; /* which certificate the recipes are for: see lint_make() */
    struct recipe yes, no;
};

extern const struct row lint_rows[];
extern const size_t lint_n_rows;

#endif
