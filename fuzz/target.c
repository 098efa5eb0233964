/* target - what a user types: any text is either refused with a reason, or
 * taken apart into pieces that hold together. */
#include "core/err.h"
#include "net/addr.h"
#include "net/target.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int claim)
{
    if (!claim)
        abort();
}

static void host(const char *text)
{
    char once[256], twice[256];
    tlsock_error err = {0};
    int rc = tsk_host_normalise(once, text, &err);

    must(rc == TLSOCK_OK || rc == TLSOCK_E_ARGUMENT);
    must(err.code == rc);
    if (rc != TLSOCK_OK) {
        must(err.message[0] != '\0' && err.hint[0] != '\0');
        return;
    }
    must(once[0] != '\0' && strpbrk(once, "[]*/@ ") == NULL);
    must(tsk_host_normalise(twice, once, &err) == TLSOCK_OK);
    must(strcmp(once, twice) == 0);
}

static void target(const char *text, int listening)
{
    struct tsk_target t;
    tlsock_error err = {0};
    char wire[256];
    int rc = tsk_target_parse(&t, text, listening, &err);

    must(rc == TLSOCK_OK || rc == TLSOCK_E_ARGUMENT);
    must(err.code == rc);
    if (rc != TLSOCK_OK) {
        must(err.message[0] != '\0' && err.hint[0] != '\0');
        return;
    }
    if (t.path[0] != '\0') {
        must(t.host[0] == '\0' && t.service[0] == '\0');
        return;
    }
    must(t.service[0] != '\0');
    must(t.host[0] != '\0' || listening);
    must(t.starttls[0] == '\0' || t.scheme[0] != '\0');
    if (t.host[0] != '\0')
        must(tsk_host_normalise(wire, t.host, &err) == TLSOCK_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *text = malloc(len + 1);

    if (text == NULL)
        return 0;
    if (len > 0)
        memcpy(text, data, len);
    text[len] = '\0';
    host(text);
    target(text, 0);
    target(text, 1);
    free(text);
    return 0;
}
