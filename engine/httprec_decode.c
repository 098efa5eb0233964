/* A body without its Content-Encoding, by the zlib that libhtp stands on. */
#include "httprec.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#define GZIP_OR_ZLIB (MAX_WBITS + 32)

/* 1: all of it is there; 0: more than most, or no memory; -1: damaged. */
static int inflate_all(z_stream *z, size_t most, unsigned char **out,
                       size_t *len)
{
    size_t room = 0;
    int rc = Z_OK;

    *len = 0;
    while (rc == Z_OK) {
        size_t want = room == 0 ? 16384 : room * 2;
        unsigned char *more;

        want = want > most ? most : want;
        more = want > room ? realloc(*out, want) : NULL;
        if (more == NULL)
            return 0;
        *out = more;
        room = want;
        z->next_out = more + *len;
        z->avail_out = (uInt)(room - *len);
        rc = inflate(z, Z_NO_FLUSH);
        *len = room - z->avail_out;
        if (rc == Z_OK && z->avail_out > 0)
            return -1; /* the input is over too early */
    }
    return rc == Z_STREAM_END ? 1 : -1;
}

static int attempt(const struct httprec_part *p, int bits, size_t most,
                   unsigned char **out, size_t *len)
{
    z_stream z;
    int rc;

    memset(&z, 0, sizeof(z));
    if (inflateInit2(&z, bits) != Z_OK)
        return 0;
    z.next_in = p->body;
    z.avail_in = (uInt)p->kept;
    *out = NULL;
    rc = inflate_all(&z, most, out, len);
    inflateEnd(&z);
    if (rc <= 0) {
        free(*out);
        *out = NULL;
    }
    return rc;
}

int httprec_decode(const struct httprec_part *p, size_t most,
                   unsigned char **out, size_t *len)
{
    const char *coding = httprec_get(p, "content-encoding");
    int is_gzip = coding != NULL && (strcasecmp(coding, "gzip") == 0 ||
                                     strcasecmp(coding, "x-gzip") == 0),
        is_deflate = coding != NULL && strcasecmp(coding, "deflate") == 0, rc;

    if ((!is_gzip && !is_deflate) || p->kept == 0 || p->kept != p->body_size)
        return -1;
    rc = attempt(p, GZIP_OR_ZLIB, most, out, len);
    /* "deflate" has a head of zlib's by the standard; some leave it out */
    if (rc < 0 && is_deflate)
        rc = attempt(p, -MAX_WBITS, most, out, len);
    return rc > 0 ? 0 : -1;
}
