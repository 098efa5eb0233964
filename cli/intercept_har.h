/* intercept_har - --har FILE: see intercept_har.c. */
#ifndef CLI_INTERCEPT_HAR_H
#define CLI_INTERCEPT_HAR_H

#include "harjson.h"
#include "out.h"

struct har;

/* NULL: *rc is the exit code, and why has been said. */
struct har *har_open(const struct out *o, const char *path, int force, int *rc);
/* By any thread; entry is given away. What cannot be written is said once. */
void har_add(struct har *h, json_t *entry);
void har_close(struct har *h);

#endif
