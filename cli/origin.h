/* origin - whose connection is it, as limits count: an address of IPv4, and of
 * IPv6 the network of 64 bits, whose addresses one host has all.
 *
 * And how much one may have of something, in a while. Knows no connections. */
#ifndef CLI_ORIGIN_H
#define CLI_ORIGIN_H

#include <stdint.h>

#define ORIGIN 24

/* Of "192.0.2.1:443" or "[2001:db8::1]:443": "192.0.2.1", "2001:db8:0:0". Of
 * anything else, as a UNIX socket, "": nobody in particular. */
void origin_of(char out[ORIGIN], const char *peer);

#define ORIGIN_RATES 1024

/* So many at once, and one more after each step. */
struct origin_rate {
    int burst;
    int64_t step_s;
    struct {
        char origin[ORIGIN];
        int64_t free_at; /* when all of it is there again; 0: unused */
    } of[ORIGIN_RATES];  /* who is longest back to that is forgotten first */
};
/* 0: one more is taken. Else none is, until so many seconds have gone. */
int64_t origin_take(struct origin_rate *r, const char *origin, int64_t now_s);

#endif
