#include "ossl/queue.h"
#include "tls/prints.h"

#include <errno.h>
#include <tlsock/prints.h>

#define MOST 262144 /* more than the lists of any hello can be */

int tlsock_hello_print(const void *hello, size_t len, int item, char *out,
                       size_t size)
{
    struct tsk_greeting g;
    int saved = errno, rc;

    if (size != 0 && out != NULL)
        out[0] = '\0';
    if (hello == NULL || (out == NULL && size != 0) || !tsk_prints_item(item))
        return TLSOCK_E_ARGUMENT;
    if (len > MOST)
        return TLSOCK_E_LIMIT;
    if (tsk_greeting_parse(&g, hello, len) != 0)
        return TLSOCK_E_PROTOCOL;
    tsk_ossl_enter();
    rc = tsk_prints_text(&g, item, out, size);
    tsk_ossl_leave();
    errno = saved;
    return rc;
}
