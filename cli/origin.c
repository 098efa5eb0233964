#include "origin.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

void origin_of(char out[ORIGIN], const char *peer)
{
    int boxed = peer[0] == '[';
    size_t n = strcspn(peer + boxed, boxed ? "]%" : ":");
    struct in6_addr v6;
    struct in_addr v4;
    char host[64];

    out[0] = '\0';
    if (n >= sizeof(host))
        return;
    snprintf(host, sizeof(host), "%.*s", (int)n, peer + boxed);
    if (!boxed) {
        if (inet_pton(AF_INET, host, &v4) == 1)
            snprintf(out, ORIGIN, "%.15s", host);
    } else if (inet_pton(AF_INET6, host, &v6) == 1) {
        const uint8_t *b = v6.s6_addr;

        if (IN6_IS_ADDR_V4MAPPED(&v6))
            snprintf(out, ORIGIN, "%d.%d.%d.%d", b[12], b[13], b[14], b[15]);
        else
            snprintf(out, ORIGIN, "%x:%x:%x:%x", b[0] << 8 | b[1],
                     b[2] << 8 | b[3], b[4] << 8 | b[5], b[6] << 8 | b[7]);
    }
}

/* Its own place, or that of whoever is forgotten for it. */
static int place_of(const struct origin_rate *r, const char *origin)
{
    int oldest = 0;

    for (int i = 0; i < ORIGIN_RATES; i++) {
        if (r->of[i].free_at != 0 && strcmp(r->of[i].origin, origin) == 0)
            return i;
        if (r->of[i].free_at < r->of[oldest].free_at)
            oldest = i;
    }
    return oldest;
}

int64_t origin_take(struct origin_rate *r, const char *origin, int64_t now_s)
{
    int i = place_of(r, origin);
    int64_t used = 0;

    /* what is taken is paid for by time: each moves the end on by a step */
    if (r->of[i].free_at > now_s && strcmp(r->of[i].origin, origin) == 0)
        used = r->of[i].free_at - now_s;
    if (used > (r->burst - 1) * r->step_s)
        return used - (r->burst - 1) * r->step_s;
    snprintf(r->of[i].origin, ORIGIN, "%s", origin);
    r->of[i].free_at = now_s + used + r->step_s;
    return 0;
}
