#include "hellos.h"

#include <string.h>

#define SUITES 200
#define BODY (2 + 32 + 1 + 2 + 2 * SUITES + 2)

void hello_long(uint8_t out[HELLO_LONG])
{
    static const uint8_t head[] = {
        22,         3, 1, (BODY + 4) >> 8, (BODY + 4) & 255, 1, 0, BODY >> 8,
        BODY & 255, 3, 3};
    uint8_t *p = out + sizeof(head) + 32 + 1;

    memset(out, 0, HELLO_LONG);
    memcpy(out, head, sizeof(head));
    *p++ = (2 * SUITES) >> 8;
    *p++ = (2 * SUITES) & 255;
    for (unsigned i = 100; i < 100 + SUITES; i++) {
        *p++ = (uint8_t)(i >> 8);
        *p++ = (uint8_t)i;
    }
    *p = 1; /* no compression */
}
