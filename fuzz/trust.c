/* trust - what certutil and keytool list: foreign names, foreign certificates.
 * Only a name that fits its certificate's fingerprint makes it one of ours. */
#include "../cli/trust_nicks.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int claim)
{
    if (!claim)
        abort();
}

static void check(const struct trust_found *f)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct trust_entry *e = &f->v[i];
        size_t n = strlen(e->name);

        must(strlen(e->sha256) == 64);
        must(strspn(e->sha256, "0123456789abcdef") == 64);
        must(n < sizeof(e->name));
        must(!e->ours ||
             (n > TRUST_TAG && strncasecmp(e->name, "tlsock", 6) == 0 &&
              strncasecmp(e->name + n - TRUST_TAG, e->sha256, TRUST_TAG) == 0));
    }
}

/* The listing itself stands for what certutil answers to each nickname. */
static void take_nicks(char *text)
{
    struct trust_nick *rows = NULL;
    struct trust_found f = {NULL, 0};
    char *copy = strdup(text);
    size_t n = 0;

    must(copy != NULL);
    must(trust_nicks_read(copy, &rows, &n) == 0);
    for (size_t i = 0; i < n && i < 16; i++) {
        must(rows[i].nick[0] != '\0');
        must(trust_scan_pem(&rows[i].certs, text, NULL, rows[i].nick,
                            rows[i].trusted) == 0);
    }
    must(trust_nicks_tell(rows, n, &f) == 0);
    check(&f);
    for (size_t i = 0; i < n; i++)
        free(rows[i].certs.v);
    free(rows);
    free(f.v);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct trust_found f = {NULL, 0};
    char *text = malloc(len + 1);

    must(text != NULL);
    if (len > 0)
        memcpy(text, data, len);
    text[len] = '\0';
    must(trust_scan_pem(&f, text, "Alias name:", NULL, 1) == 0);
    check(&f);
    free(f.v);
    take_nicks(text);
    free(text);
    return 0;
}
