/* site - a directory as a web site: one connection's requests, one after the
 * other, and what is answered. GET and HEAD, HTTP/1.0 and 1.1 (RFC 9110, 9112).
 *
 * Knows channels and files; heads of answers go into the channel, a file is
 * left to its owner, who sends it from where it lies. Knows nothing of
 * connections and time. */
#ifndef ENGINE_SITE_H
#define ENGINE_SITE_H

#include "chan.h"

#include <stdint.h>

struct site;

/* One request and its answer, for whoever keeps a log. */
struct site_entry {
    const char *path; /* decoded; "" if it could not be read */
    int status;
    int64_t length;
};

/* root: a directory, borrowed. NULL: out of memory. */
struct site *site_new(int root);
void site_free(struct site *w);
/* Take requests from in, put answers into out: 1 something moved, 0 not now.
 * entry is filled in (status is not 0) if an answer has begun. */
int site_step(struct site *w, struct chan *in, struct chan *out,
              struct site_entry *entry);
/* The file that is next, once out is empty: how much of it, 0 for none. */
uint64_t site_file(const struct site *w, int *fd, int64_t *offset);
/* So much of it was sent. */
void site_sent(struct site *w, uint64_t n);
/* Is there more of an answer than what is in the channel already? */
int site_answering(const struct site *w);

#endif
