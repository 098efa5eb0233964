/* Keys in other forms, and chains in order: argument checks. */
#include "cert/keysave.h"
#include "cert/order.h"

#include <string.h>

static int missing(tlsock_error *err, const char *what, const char *hint)
{
    tsk_fail(err, TLSOCK_E_ARGUMENT, "%s", what);
    tsk_hint(err, "%s", hint);
    return TLSOCK_E_ARGUMENT;
}

static int no_key(tlsock_error *err)
{
    return missing(err, "no private key was named",
                   "valid forms are FILE, file:FILE, pem:TEXT and pkcs11:URI");
}

int tlsock_key_save(const char *key_uri, const char *pass_uri, unsigned format,
                    const char *path, const char *new_pass, tlsock_error *err)
{
    tsk_clear(err);
    if (key_uri == NULL)
        return no_key(err);
    if (path == NULL || *path == '\0')
        return missing(err, "no file to save the key to was named",
                       "give a path");
    return tsk_key_save(key_uri, pass_uri, format, path, new_pass, err);
}

int tlsock_key_pin(const char *key_uri, const char *pass_uri, char *out,
                   size_t size, tlsock_error *err)
{
    tsk_clear(err);
    if (size > 0 && out != NULL)
        out[0] = '\0';
    if (key_uri == NULL)
        return no_key(err);
    if (out == NULL && size != 0)
        return missing(err, "there is no room for the pin",
                       "give a buffer and its size");
    return tsk_key_pin(key_uri, pass_uri, out, size, err);
}

tlsock_cert *tlsock_cert_order(const tlsock_cert *c, tlsock_error *err)
{
    tsk_clear(err);
    if (c == NULL) {
        missing(err, "there is no certificate to put in order",
                "load a leaf with what goes with it");
        return NULL;
    }
    return tsk_cert_order(c, err);
}
