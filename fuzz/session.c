/* Bytes of a session store, of clients or of servers, as anybody may have left
 * them: none unless the digest is right, and then one that reads back as
 * itself. Then the same bytes behind a digest that is right, and as what is in
 * a session file. */
#include "core/mem.h"
#include "session/file.h"
#include "session/idcodec.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Under the key that it says it has. */
static void decode_of_server(const uint8_t *data, size_t size)
{
    static const uint8_t context[TSK_ID_CONTEXT] = {0};
    uint8_t key[TSK_ID_KEY] = {0}, own[TSK_ID_KEY];
    SSL_SESSION *ses;

    if (size >= 13 + TSK_ID_KEY)
        memcpy(key, data + 13, TSK_ID_KEY);
    ses = tsk_id_decode(data, size, context, key, 1);
    if (ses != NULL && (!tsk_id_key_of(context, ses, own) ||
                        memcmp(own, key, TSK_ID_KEY) != 0))
        abort();
    SSL_SESSION_free(ses);
}

static void decode(const uint8_t *data, size_t size)
{
    struct tsk_session_item item;
    uint8_t *again;
    size_t len;

    decode_of_server(data, size);
    if (!tsk_session_decode(data, size, &item)) {
        if (item.ses != NULL)
            abort();
        return;
    }
    /* a decoded one may be written shorter: DER has one form, OpenSSL reads
     * others */
    if (tsk_session_encode(&item, &again, &len)) {
        if (len > TSK_SESSION_BYTES_MAX)
            abort();
        tsk_free_secret(again, len);
    }
    SSL_SESSION_free(item.ses);
}

static void with_digest(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 32);

    if (copy == NULL)
        return;
    memcpy(copy, data, size);
    EVP_Digest(copy, size, copy + size, NULL, EVP_sha256(), NULL);
    decode(copy, size + 32);
    if (size > 32) { /* in place of the digest that is there */
        EVP_Digest(copy, size - 32, copy + size - 32, NULL, EVP_sha256(), NULL);
        decode(copy, size);
    }
    free(copy);
}

/* Whatever is in it: at most what was put is given out. */
static void as_a_file(const uint8_t *data, size_t size)
{
    static uint8_t out[TSK_SESSION_BYTES_MAX];
    uint8_t key[TSK_SESSION_KEY] = {0};
    struct tsk_session_file *f;
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/tmp/tlsock-fuzz-session.%d", getpid());
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0)
        return;
    if (write(fd, data, size) != (ssize_t)size)
        abort();
    close(fd);
    f = tsk_session_file_new(path, 4, NULL);
    if (f != NULL) {
        if (size > 64 + TSK_SESSION_KEY) /* that of the first place */
            memcpy(key, data + 64, TSK_SESSION_KEY);
        if (tsk_session_file_take(f, key, 1, out) > sizeof(out))
            abort();
        if (tsk_session_file_put(f, key, "text", 4, 100, 1, 1) &&
            (tsk_session_file_take(f, key, 1, out) != 4 ||
             memcmp(out, "text", 4) != 0))
            abort();
        tsk_session_file_forget(f, key);
    }
    tsk_session_file_free(f);
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1 << 16)
        return 0;
    decode(data, size);
    with_digest(data, size);
    as_a_file(data, size);
    return 0;
}
