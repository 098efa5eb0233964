/* intercept_pins - which clients refuse our certificates for which names: two
 * refusals, and the name is passed for a time for that client.
 *
 * For the client's address, so that one client cannot take all others out of
 * interception. Bounded: what was not asked for longest makes way. Any number
 * of threads at once. */
#ifndef ENGINE_INTERCEPT_PINS_H
#define ENGINE_INTERCEPT_PINS_H

#include <stdint.h>
#include <time.h>

struct intercept_pins;

/* pass_s: for how long; 0: never. NULL: out of memory. */
struct intercept_pins *pins_new(int64_t pass_s);
void pins_free(struct intercept_pins *p);
/* A refusal: how many it has been in a row. *until: 0, or passed until then. */
int pins_refused(struct intercept_pins *p, const char *client,
                 const char *name, time_t now, time_t *until);
/* It took our certificate after all. */
void pins_accepted(struct intercept_pins *p, const char *client,
                   const char *name);
/* Until when this is passed; 0: it is not. */
time_t pins_passed(struct intercept_pins *p, const char *client,
                   const char *name, time_t now);

#endif
