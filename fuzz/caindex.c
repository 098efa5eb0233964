/* caindex - the bytes as the index of a CA: any text is refused with its line,
 * or taken; then it is written, and read back as the same. */
#include "cadb_private.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int claim)
{
    if (!claim)
        abort();
}

static int parse(struct cadb_index *x, const char *data, size_t len,
                 tlsock_error *err)
{
    char *text = malloc(len + 1);
    int rc;

    must(text != NULL);
    if (len > 0)
        memcpy(text, data, len);
    text[len] = '\0';
    rc = cadb_index_parse(x, "index", text, len, "dir", err);
    free(text);
    return rc;
}

static void look(const struct cadb_index *x)
{
    for (size_t i = 0; i < x->n; i++) {
        const struct cadb_entry *e = x->row[i];

        must(cadb_row_find(x, e->serial) == e);
        must(strstr(e->file, e->serial) != NULL);
        must(!e->revoked || cadb_reason_name(e->reason) != NULL);
        must(i == 0 ||
             strcmp(x->sorted[i - 1]->serial, x->sorted[i]->serial) < 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct cadb_index x, again;
    tlsock_error err = {0};
    char *once, *twice;
    size_t n, m;

    if (parse(&x, (const char *)data, len, &err) != 0) {
        must(err.code == TLSOCK_E_OWN_FILE && err.hint[0] != '\0');
        must(strncmp(err.message, "index, line ", 12) == 0);
        return 0;
    }
    look(&x);
    once = cadb_index_text(&x, &n);
    must(once != NULL && parse(&again, once, n, &err) == 0);
    must(again.n == x.n);
    twice = cadb_index_text(&again, &m);
    must(twice != NULL && n == m && memcmp(once, twice, n) == 0);
    free(once);
    free(twice);
    cadb_index_free(&x);
    cadb_index_free(&again);
    return 0;
}
