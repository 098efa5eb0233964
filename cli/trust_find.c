/* trust_find - certificates in what stores and programs show of themselves,
 * and files below another root. */
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (64 << 20)
#define BEGIN "-----BEGIN CERTIFICATE-----"
#define DASHES "-----"
#define END "-----END "
#define BEGIN_TRUSTED "-----BEGIN TRUSTED CERTIFICATE-----"

char *trust_read(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* no FIFO waits */
    FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    struct stat st;
    char *text = NULL;
    size_t n = 0;

    if (f == NULL) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    if (fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode) ||
        st.st_size > FILE_MAX)
        errno = EFBIG;
    else
        text = malloc((size_t)st.st_size + 1);
    if (text != NULL) {
        n = fread(text, 1, (size_t)st.st_size, f);
        text[n] = '\0';
    }
    fclose(f);
    return text;
}

/* Symbolic links in the middle of a path are followed by realpath(3), which
 * must not lead out; one at its end may be absolute and is taken below root,
 * as whoever lives there would. */
int trust_below(const struct trust *t, char full[LOCAL_PATH], const char *path)
{
    char at[LOCAL_PATH], link[LOCAL_PATH], real[PATH_MAX];
    size_t root_len = strlen(t->root);
    ssize_t n;

    for (int i = 0;; i++) {
        if ((size_t)snprintf(at, sizeof(at), "%s%s", t->root, path) >=
            sizeof(at))
            return -1;
        n = root_len > 0 && i < 8 ? readlink(at, link, sizeof(link) - 1) : 0;
        if (n <= 0 || link[0] != '/')
            break;
        link[n] = '\0';
        path = link;
    }
    if (realpath(at, real) == NULL || strlen(real) >= LOCAL_PATH)
        return -1;
    if (root_len > 0 && (strncmp(real, t->root, root_len) != 0 ||
                         (real[root_len] != '/' && real[root_len] != '\0')))
        return -1;
    strcpy(full, real);
    return 0;
}

static int hex_of(char sha256[65], const unsigned char *der, size_t len)
{
    unsigned char digest[32];

    if (!EVP_Digest(der, len, digest, NULL, EVP_sha256(), NULL))
        return -1;
    for (size_t i = 0; i < sizeof(digest); i++)
        sprintf(sha256 + 2 * i, "%02x", digest[i]);
    return 0;
}

int trust_named(const char *name, size_t len, const char *sha256)
{
    return len > 6 + TRUST_TAG && strncasecmp(name, "tlsock", 6) == 0 &&
           (name[6] == ' ' || name[6] == '-') &&
           (name[len - TRUST_TAG - 1] == ' ' ||
            name[len - TRUST_TAG - 1] == '-') &&
           strncasecmp(name + len - TRUST_TAG, sha256, TRUST_TAG) == 0;
}

int trust_push(struct trust_found *f, const char *name, const char *sha256,
               int trusted)
{
    struct trust_entry *e;
    size_t len;

    if ((f->n & (f->n - 1)) == 0) {
        e = realloc(f->v, (f->n > 0 ? 2 * f->n : 1) * sizeof(*e));
        if (e == NULL)
            return -1;
        f->v = e;
    }
    e = &f->v[f->n++];
    *e = (struct trust_entry){.trusted = trusted};
    len = strlen(name);
    if (len >= sizeof(e->name)) /* none of ours: they are short */
        len = 0;
    memcpy(e->name, name, len);
    snprintf(e->sha256, sizeof(e->sha256), "%s", sha256);
    e->ours = trust_named(name, len, sha256);
    return 0;
}

/* Bytes of the block that begins here; 0: it has no end before the next one.
 * Whoever is given all that is left reads it anew for each block. */
static size_t block_len(const char *from)
{
    const char *line = from;

    do {
        line += strcspn(line, "\r\n");
        line += strspn(line, "\r\n");
    } while (*line != '\0' && strncmp(line, DASHES, sizeof(DASHES) - 1) != 0);
    if (strncmp(line, END, sizeof(END) - 1) != 0)
        return 0;
    return (size_t)(line - from) + strcspn(line, "\r\n");
}

/* The fingerprint of one PEM block; -1: it is none. */
static int block_hex(char sha256[65], const char *from)
{
    size_t size = block_len(from);
    BIO *b = size > 0 ? BIO_new_mem_buf(from, (int)size) : NULL;
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    const unsigned char *p;
    long len = 0, body;
    int tag, class, rc = -1;

    if (b != NULL && PEM_read_bio(b, &name, &header, &der, &len)) {
        p = der; /* a "trusted" certificate has settings behind it */
        if ((ASN1_get_object(&p, &body, &tag, &class, len) & 0x80) == 0)
            rc = hex_of(sha256, der, (size_t)(p - der) + (size_t)body);
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(b);
    ERR_clear_error();
    return rc;
}

static int starts(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

int trust_scan_pem(struct trust_found *f, const char *text, const char *label,
                   const char *name, int trusted)
{
    char said[256] = "", sha256[65];

    for (const char *line = text; line != NULL && *line != '\0';) {
        size_t len = strcspn(line, "\r\n");

        if (label != NULL && starts(line, label)) {
            const char *value = line + strlen(label);

            value += strspn(value, ": ");
            len = strcspn(value, "\r\n");
            snprintf(said, sizeof(said), "%.*s", (int)len, value);
            line = value;
        } else if ((starts(line, BEGIN) || starts(line, BEGIN_TRUSTED)) &&
                   block_hex(sha256, line) == 0 &&
                   trust_push(f, label != NULL ? said : name, sha256, trusted) <
                       0) {
            return -1;
        }
        line += len;
        line += strspn(line, "\r\n");
    }
    return 0;
}

int trust_is(const struct trust_ca *ca, const struct trust_entry *e)
{
    return ca->digits > 0 && strncmp(ca->sha256, e->sha256, ca->digits) == 0;
}
