/* fix - what the parts of cert fix share. */
#ifndef CLI_FIX_H
#define CLI_FIX_H

#include "source.h"

struct fix {
    struct opts o;
    const char *out;
    struct strs with;
    int aia, in_place, force;
    struct source in;
    tlsock_cert *chain; /* as it should be */
    tlsock_cert **more; /* what --with named, each with its chain */
    size_t n_pool, room;
    json_t *added, *dropped, *fetches;
    char ends_at[300];   /* what its end is signed by */
    const char *missing; /* why it is not complete, or NULL */
    int changed;
};

/* A row of a list: subject, digest, and one text more. */
void fix_tell(json_t *list, const tlsock_cert *c, const char *key,
              const char *text);
/* What --with names; 0, or the exit code after having said why. */
int fix_open_with(struct fix *w);
/* The chain grows as far as it can; then ends_at and missing are known. */
void fix_complete(struct fix *w);
int fix_print_json(const struct fix *w); /* 0, or -1: stdout is gone */
void fix_print_text(const struct fix *w);

#endif
