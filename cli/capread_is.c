/* A capture is told by its first four bytes. */
#include "capread.h"

#include <string.h>

int capread_is(const char *path)
{
    static const unsigned char magic[][4] = {
        {0xd4, 0xc3, 0xb2, 0xa1},
        {0xa1, 0xb2, 0xc3, 0xd4},
        {0x4d, 0x3c, 0xb2, 0xa1},
        {0xa1, 0xb2, 0x3c, 0x4d},  /* nanoseconds */
        {0x0a, 0x0d, 0x0d, 0x0a}}; /* pcapng */
    unsigned char head[4] = {0};
    FILE *f = strcmp(path, "-") != 0 ? fopen(path, "rbe") : NULL;
    size_t n;

    if (f == NULL)
        return 0;
    n = fread(head, 1, sizeof(head), f);
    fclose(f);
    for (size_t i = 0; i < sizeof(magic) / sizeof(magic[0]); i++)
        if (n == sizeof(head) && memcmp(head, magic[i], sizeof(head)) == 0)
            return 1;
    return 0;
}
