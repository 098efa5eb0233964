/* asked - what a signing request asked for, next to what was signed.
 *
 * Compares the two files themselves, so that it tells what is, not what was
 * meant. */
#ifndef CLI_ASKED_H
#define CLI_ASKED_H

#include "out.h"

enum asked_fate { ASKED_KEPT, ASKED_CHANGED, ASKED_DROPPED };

struct asked_one {
    char name[64];  /* "subjectAltName", or its numbers */
    char text[256]; /* what it says, on one line */
    int critical;
    enum asked_fate fate;
};

struct asked {
    char subject[256]; /* as it was asked for */
    int subject_kept;
    struct asked_one *ext;
    size_t n;
};

/* Both files are readable by now. 0, or -1: out of memory, or one changed. */
int asked_compare(struct asked *a, const char *csr, const char *cert);
void asked_free(struct asked *a);
/* "kept", "changed", "dropped" */
const char *asked_word(enum asked_fate fate);

#endif
