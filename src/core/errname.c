#include "core/err.h"

#include <stddef.h>

/* every code has one row; tests compare it with tlsock.h */
static const struct tsk_errname names[] = {
    {TLSOCK_OK, "TLSOCK_OK", "ok"},
    {TLSOCK_AGAIN, "TLSOCK_AGAIN", "again"},
    {TLSOCK_E_ARGUMENT, "TLSOCK_E_ARGUMENT", "argument"},
    {TLSOCK_E_OPTION, "TLSOCK_E_OPTION", "option"},
    {TLSOCK_E_FROZEN, "TLSOCK_E_FROZEN", "frozen"},
    {TLSOCK_E_STATE, "TLSOCK_E_STATE", "state"},
    {TLSOCK_E_UNSUPPORTED, "TLSOCK_E_UNSUPPORTED", "unsupported"},
    {TLSOCK_E_FORKED, "TLSOCK_E_FORKED", "forked"},
    {TLSOCK_E_INTERRUPTED, "TLSOCK_E_INTERRUPTED", "interrupted"},
    {TLSOCK_E_CONFIG_FILE, "TLSOCK_E_CONFIG_FILE", "config-file"},
    {TLSOCK_E_NOMEM, "TLSOCK_E_NOMEM", "nomem"},
    {TLSOCK_E_SYSTEM, "TLSOCK_E_SYSTEM", "system"},
    {TLSOCK_E_RESOLVE, "TLSOCK_E_RESOLVE", "resolve"},
    {TLSOCK_E_CONNECT, "TLSOCK_E_CONNECT", "connect"},
    {TLSOCK_E_TIMEOUT, "TLSOCK_E_TIMEOUT", "timeout"},
    {TLSOCK_E_RESET, "TLSOCK_E_RESET", "reset"},
    {TLSOCK_E_LIMIT, "TLSOCK_E_LIMIT", "limit"},
    {TLSOCK_E_PROXY, "TLSOCK_E_PROXY", "proxy"},
    {TLSOCK_E_PROXY_AUTH, "TLSOCK_E_PROXY_AUTH", "proxy-auth"},
    {TLSOCK_E_STARTTLS_UNAVAILABLE, "TLSOCK_E_STARTTLS_UNAVAILABLE",
     "starttls-unavailable"},
    {TLSOCK_E_STARTTLS_REFUSED, "TLSOCK_E_STARTTLS_REFUSED",
     "starttls-refused"},
    {TLSOCK_E_INJECTION, "TLSOCK_E_INJECTION", "injection"},
    {TLSOCK_E_NOT_TLS, "TLSOCK_E_NOT_TLS", "not-tls"},
    {TLSOCK_E_VERSION_UNSUPPORTED, "TLSOCK_E_VERSION_UNSUPPORTED",
     "version-unsupported"},
    {TLSOCK_E_NO_COMMON_PARAMETERS, "TLSOCK_E_NO_COMMON_PARAMETERS",
     "no-common-parameters"},
    {TLSOCK_E_CLOSED_IN_HANDSHAKE, "TLSOCK_E_CLOSED_IN_HANDSHAKE",
     "closed-in-handshake"},
    {TLSOCK_E_ALERT, "TLSOCK_E_ALERT", "alert"},
    {TLSOCK_E_PROTOCOL, "TLSOCK_E_PROTOCOL", "protocol"},
    {TLSOCK_E_TRUNCATED, "TLSOCK_E_TRUNCATED", "truncated"},
    {TLSOCK_E_CLIENT_CERT_REQUIRED, "TLSOCK_E_CLIENT_CERT_REQUIRED",
     "client-cert-required"},
    {TLSOCK_E_ALPN, "TLSOCK_E_ALPN", "alpn"},
    {TLSOCK_E_CHAIN_INCOMPLETE, "TLSOCK_E_CHAIN_INCOMPLETE",
     "chain-incomplete"},
    {TLSOCK_E_UNTRUSTED_ROOT, "TLSOCK_E_UNTRUSTED_ROOT", "untrusted-root"},
    {TLSOCK_E_NAME_MISMATCH, "TLSOCK_E_NAME_MISMATCH", "name-mismatch"},
    {TLSOCK_E_NO_NAME, "TLSOCK_E_NO_NAME", "no-name"},
    {TLSOCK_E_EXPIRED, "TLSOCK_E_EXPIRED", "expired"},
    {TLSOCK_E_NOT_YET_VALID, "TLSOCK_E_NOT_YET_VALID", "not-yet-valid"},
    {TLSOCK_E_PURPOSE, "TLSOCK_E_PURPOSE", "purpose"},
    {TLSOCK_E_WEAK, "TLSOCK_E_WEAK", "weak"},
    {TLSOCK_E_CERT_INVALID, "TLSOCK_E_CERT_INVALID", "cert-invalid"},
    {TLSOCK_E_PIN, "TLSOCK_E_PIN", "pin"},
    {TLSOCK_E_CLIENT_CERT_MISSING, "TLSOCK_E_CLIENT_CERT_MISSING",
     "client-cert-missing"},
    {TLSOCK_E_CLIENT_CERT_DENIED, "TLSOCK_E_CLIENT_CERT_DENIED",
     "client-cert-denied"},
    {TLSOCK_E_REVOKED, "TLSOCK_E_REVOKED", "revoked"},
    {TLSOCK_E_REVOCATION_UNKNOWN, "TLSOCK_E_REVOCATION_UNKNOWN",
     "revocation-unknown"},
    {TLSOCK_E_STAPLE, "TLSOCK_E_STAPLE", "staple"},
    {TLSOCK_E_MUST_STAPLE, "TLSOCK_E_MUST_STAPLE", "must-staple"},
    {TLSOCK_E_DANE, "TLSOCK_E_DANE", "dane"},
    {TLSOCK_E_OWN_FILE, "TLSOCK_E_OWN_FILE", "own-file"},
    {TLSOCK_E_KEY_MISMATCH, "TLSOCK_E_KEY_MISMATCH", "key-mismatch"},
    {TLSOCK_E_PASSWORD, "TLSOCK_E_PASSWORD", "password"},
    {TLSOCK_E_TRUST_STORE, "TLSOCK_E_TRUST_STORE", "trust-store"},
    {TLSOCK_E_POLICY, "TLSOCK_E_POLICY", "policy"},
    {TLSOCK_E_HOOK, "TLSOCK_E_HOOK", "hook"},
};

const struct tsk_errname *tsk_errname_find(int code)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].code == code)
            return &names[i];
    return NULL;
}
