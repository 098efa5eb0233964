/* In place of httprec_h2.c, built without libnghttp2. */
#include "httprec_private.h"

int h2_start(struct httprec *r)
{
    (void)r;
    return -1;
}

void h2_data(struct httprec *r, int from, const unsigned char *p, size_t len)
{
    (void)r;
    (void)from;
    (void)p;
    (void)len;
}

void h2_free(struct httprec *r)
{
    (void)r;
}

int httprec_has_h2(void)
{
    return 0;
}
