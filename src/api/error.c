#include "core/str.h"
#include "api/conn.h"

#include <string.h>

const tlsock_error *tlsock_last_error(const tlsock *s)
{
    static const tlsock_error none;

    return s != NULL ? tsk_err_of(s) : &none;
}

const char *tlsock_errname(int code)
{
    const struct tsk_errname *e = tsk_errname_find(code);

    return e != NULL ? e->name : "TLSOCK_E_unknown";
}

const char *tlsock_errslug(int code)
{
    const struct tsk_errname *e = tsk_errname_find(code);

    return e != NULL ? e->slug : "unknown";
}

static const char *const phases[] = {
    "none",   "resolve", "connect", "proxy", "starttls", "handshake",
    "verify", "read",    "write",   "close", "config"};

static const char *phase_name(int phase)
{
    return phase >= 0 && (size_t)phase < sizeof(phases) / sizeof(phases[0])
               ? phases[phase]
               : "none";
}

static void full(const tlsock_error *e, char *out, size_t size, size_t *pos)
{
    tsk_append(out, size, pos, "%s\n  cause: %s\n", tlsock_errslug(e->code),
               e->message);
    if (e->hint[0] != '\0')
        tsk_append(out, size, pos, "  fix:   %s\n", e->hint);
    tsk_append(out, size, pos, "  phase: %s\n", phase_name(e->phase));
    if (e->address[0] != '\0')
        tsk_append(out, size, pos, "  peer:  %s\n", e->address);
    if (e->expected[0] != '\0')
        tsk_append(out, size, pos, "  expected:  %s\n", e->expected);
    if (e->presented[0] != '\0')
        tsk_append(out, size, pos, "  presented: %s\n", e->presented);
    if (e->subject[0] != '\0')
        tsk_append(out, size, pos, "  certificate: %s (depth %d)\n", e->subject,
                   e->x509_depth);
    if (e->alert != 0)
        tsk_append(out, size, pos, "  alert: %d from %s\n", e->alert,
                   e->alert_from_peer ? "the peer" : "us");
}

static void json(const tlsock_error *e, char *out, size_t size, size_t *pos)
{
    const struct {
        const char *key, *value;
    } texts[] = {
        {"code", tlsock_errslug(e->code)},
        {"name", tlsock_errname(e->code)},
        {"phase", phase_name(e->phase)},
        {"message", e->message},
        {"hint", e->hint},
        {"expected", e->expected},
        {"presented", e->presented},
        {"subject", e->subject},
        {"address", e->address},
    };

    tsk_append(out, size, pos, "{\"schema\":\"tlsock.error/1\"");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        tsk_append(out, size, pos, ",\"%s\":", texts[i].key);
        tsk_append_json(out, size, pos, texts[i].value);
    }
    tsk_append(out, size, pos,
               ",\"number\":%d,\"errno\":%d,\"alert\":%d,"
               "\"alert_from_peer\":%s,\"x509_code\":%d,\"x509_depth\":%d,"
               "\"openssl_code\":%lu}",
               e->code, e->sys_errno, e->alert,
               e->alert_from_peer ? "true" : "false", e->x509_code,
               e->x509_depth, (unsigned long)e->ossl_code);
}

int tlsock_error_format(const tlsock_error *err, unsigned how, char *out,
                        size_t size)
{
    size_t pos = 0;

    if (err == NULL || (out == NULL && size != 0))
        return TLSOCK_E_ARGUMENT;
    if (size != 0)
        out[0] = '\0';
    switch (how) {
    case TLSOCK_ERROR_LINE:
        tsk_append(out, size, &pos, "%s: %s", tlsock_errslug(err->code),
                   err->message);
        if (err->hint[0] != '\0')
            tsk_append(out, size, &pos, "; %s", err->hint);
        break;
    case TLSOCK_ERROR_FULL:
        full(err, out, size, &pos);
        break;
    case TLSOCK_ERROR_JSON:
        json(err, out, size, &pos);
        break;
    default:
        return TLSOCK_E_ARGUMENT;
    }
    return (int)pos;
}
