/* In place of httprec_h1.c, built without libhtp. */
#include "httprec_private.h"

int h1_start(struct httprec *r)
{
    (void)r;
    return -1;
}

size_t h1_data(struct httprec *r, int from, const unsigned char *p, size_t len)
{
    (void)r;
    (void)from;
    (void)p;
    return len;
}

void h1_close(struct httprec *r)
{
    (void)r;
}

void h1_free(struct httprec *r)
{
    (void)r;
}

int httprec_has_h1(void)
{
    return 0;
}

int httprec_decode(const struct httprec_part *p, size_t most,
                   unsigned char **out, size_t *len)
{
    (void)p;
    (void)most;
    (void)out;
    (void)len;
    return -1;
}
