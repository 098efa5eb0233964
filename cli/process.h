/* process - run another program and listen to what it says.
 *
 * There is no shell: each argument arrives as it was given. Knows nothing of
 * what is run. */
#ifndef CLI_PROCESS_H
#define CLI_PROCESS_H

#include <stddef.h>

struct process_said {
    int code;     /* its exit code; 128 + n if signal n ended it */
    char *out;    /* its stdout, with a NUL at the end; process_free() */
    size_t len;   /* of out */
    char *err;    /* its stderr, likewise */
    size_t e_len; /* of err */
};

/* Where a program is: in PATH, or in the sbin beside a bin of it. 0, or
 * -1 if there is none. */
int process_find(char *path, size_t size, const char *program);
/* Run argv[0], a path, with this input on its stdin, and wait for its end. Its
 * messages are in English. 0, or the errno of what kept it from running. */
int process_run(const char *const *argv, const char *input, size_t len,
                struct process_said *s);
/* What it complained of, on one line: stderr, or else stdout. */
void process_words(const struct process_said *s, char *text, size_t size);
void process_free(struct process_said *s);

#endif
