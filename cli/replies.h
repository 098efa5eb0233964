/* replies - reads along with a peer that answers in lines: was there a line
 * with a certain text, and how many replies were there?
 *
 * Knows lines and the multi-line replies of FTP and SMTP; moves no bytes. */
#ifndef CLI_REPLIES_H
#define CLI_REPLIES_H

#include <stddef.h>

struct replies {
    const char *text; /* looked for; borrowed */
    int seen;         /* a whole line with it has come */
    unsigned long n;  /* replies so far; "250-..." is not the end of one */
    char line[4096];  /* what is beyond is not looked at */
    size_t len;
    char code[4]; /* of the reply that goes on, or "" */
};

void replies_feed(struct replies *r, const void *bytes, size_t n);

#endif
