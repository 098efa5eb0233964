/* What a server may say to a ClientHello by hand: whatever it is, one of five
 * things, the same however much of it has come, and no byte too far. */
#include "hello.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum hello_kind read_exactly(struct hello_answer *a, int want_key,
                                    const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size + (size == 0));
    enum hello_kind kind;

    if (exact == NULL)
        abort();
    if (size > 0)
        memcpy(exact, data, size);
    kind = hello_read(a, want_key, exact, size);
    free(exact);
    return kind;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int want_key = 0; want_key < 2; want_key++) {
        struct hello_answer whole, part;
        enum hello_kind kind = read_exactly(&whole, want_key, data, size);

        if (kind > HELLO_OTHER || whole.kind != kind || whole.suite < 0 ||
            whole.suite > 0xffff || whole.group < 0 || whole.group > 0xffff)
            abort();
        if (size == 0)
            continue;
        /* what was an answer stays it, what is not yet one may become it */
        if (read_exactly(&part, want_key, data, size - 1) != HELLO_MORE &&
            part.kind != kind)
            abort();
    }
    return 0;
}
