/* The parser of raw-public-keys: an OpenSSL that has them. */
#include "api/options.h"
#include "ossl/compat.h"

#include <openssl/crypto.h>

TSK_OPTION_PARSER(rawkeys)
{
    int *field = tsk_option_field(row, set), before = *field;
    int rc = tsk_opt_onoff(row, set, value, err);

    if (rc == TLSOCK_OK && *field && !tsk_compat_has_raw_keys()) {
        *field = before;
        tsk_fail(err, TLSOCK_E_UNSUPPORTED,
                 "%s: this OpenSSL (%s) has none: 3.2 and later have them",
                 row->pub.key, OpenSSL_version(OPENSSL_VERSION_STRING));
        tsk_hint(err, "write ?%s to go on without them where they are missing",
                 row->pub.key);
        return TLSOCK_E_UNSUPPORTED;
    }
    return rc;
}
