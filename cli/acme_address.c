#include "acme_address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static int is_private4(const unsigned char b[4])
{
    return b[0] == 10 || b[0] == 127 || (b[0] == 172 && (b[1] & 0xf0) == 16) ||
           (b[0] == 192 && b[1] == 168);
}

int acme_is_private(const char *address)
{
    char host[128];
    unsigned char b[16];
    size_t n;

    if (address[0] == '[')
        snprintf(host, sizeof(host), "%.*s", (int)strcspn(address + 1, "]%"),
                 address + 1);
    else
        snprintf(host, sizeof(host), "%.*s", (int)strcspn(address, ":"),
                 address);
    if (inet_pton(AF_INET, host, b) == 1)
        return is_private4(b);
    if (inet_pton(AF_INET6, host, b) != 1)
        return 0;
    for (n = 0; n < 10 && b[n] == 0; n++)
        continue;
    if (n == 10 && b[10] == 0xff && b[11] == 0xff)
        return is_private4(b + 12);
    return (b[0] & 0xfe) == 0xfc ||
           (n == 10 && memcmp(b + 10, "\0\0\0\0\0\1", 6) == 0);
}
