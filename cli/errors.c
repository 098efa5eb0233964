#include "errors.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

static const char *const phases[] = {
    "none",   "resolve", "connect", "proxy", "starttls", "handshake",
    "verify", "read",    "write",   "close", "config"};

static atomic_int said;

int err_said(void)
{
    return said;
}

static int of_system(const tlsock_error *err, int own)
{
    switch (err->code) {
    case TLSOCK_E_NOMEM:
        return EXIT_INTERNAL;
    case TLSOCK_E_TIMEOUT:
        return EXIT_TIMEOUT;
    case TLSOCK_E_SYSTEM:
        return own ? EXIT_OWN : EXIT_NETWORK;
    case TLSOCK_E_RESET:
    case TLSOCK_E_LIMIT:
        if (err->phase == TLSOCK_PHASE_PROXY) /* on the way, not at its end */
            return EXIT_NETWORK;
        return own ? EXIT_OWN : EXIT_TLS;
    default:
        return EXIT_NETWORK;
    }
}

int err_exit_code(const tlsock_error *err, int own)
{
    own = own || err->phase == TLSOCK_PHASE_CONFIG;
    switch (-err->code / 100) {
    case 0:
        return err->code == TLSOCK_OK ? EXIT_GOOD : EXIT_INTERNAL;
    case 1:
        switch (err->code) {
        case TLSOCK_E_ARGUMENT:
        case TLSOCK_E_OPTION:
        case TLSOCK_E_UNSUPPORTED:
        case TLSOCK_E_CONFIG_FILE:
            return EXIT_USAGE;
        default:
            return EXIT_INTERNAL;
        }
    case 2:
        return of_system(err, own);
    case 3:
        return err->code == TLSOCK_E_PROXY || err->code == TLSOCK_E_PROXY_AUTH
                   ? EXIT_NETWORK
                   : EXIT_TLS;
    case 4:
        return EXIT_TLS;
    case 5: /* it is the peer that does not trust us */
        if (err->code == TLSOCK_E_CLIENT_CERT_DENIED && err->alert_from_peer)
            return EXIT_TLS;
        return own ? EXIT_OWN : EXIT_PEER;
    case 6:
        return err->code == TLSOCK_E_POLICY || err->code == TLSOCK_E_HOOK
                   ? EXIT_POLICY
                   : EXIT_OWN;
    default:
        return EXIT_INTERNAL;
    }
}

static void add_text(json_t *obj, const char *key, const char *text)
{
    if (text[0] != '\0')
        json_object_set_new(obj, key, out_json_text(text));
}

static json_t *head_json(const char *target, const char *slug, int exit_code)
{
    json_t *obj = json_object();

    json_object_set_new(obj, "schema", json_string("tlsock.error/1"));
    json_object_set_new(obj, "target", out_json_text(target));
    json_object_set_new(obj, "code", out_json_text(slug));
    json_object_set_new(obj, "exit", json_integer(exit_code));
    return obj;
}

json_t *err_json(const struct out *o, const char *target,
                 const tlsock_error *err, int exit_code)
{
    json_t *obj = head_json(target, tlsock_errslug(err->code), exit_code);

    if (err->phase > 0 &&
        (size_t)err->phase < sizeof(phases) / sizeof(phases[0]))
        add_text(obj, "phase", phases[err->phase]);
    add_text(obj, "cause", err->message);
    add_text(obj, "fix", err->hint);
    add_text(obj, "expected", err->expected);
    add_text(obj, "presented", err->presented);
    add_text(obj, "subject", err->subject);
    add_text(obj, "address", err->address);
    if (err->alert != 0) {
        json_object_set_new(obj, "alert", json_integer(err->alert));
        json_object_set_new(obj, "alert_from_peer",
                            json_boolean(err->alert_from_peer));
    }
    if (err->x509_code != 0)
        json_object_set_new(obj, "x509_code", json_integer(err->x509_code));
    if (o->verbose && err->ossl_code != 0)
        json_object_set_new(obj, "openssl_code", json_integer(err->ossl_code));
    return obj;
}

static void print_text(const struct out *o, const char *target,
                       const char *slug, const char *cause, const char *fix)
{
    char text[512];

    fprintf(stderr, "tlsock: %s: ", out_clean(text, sizeof(text), target));
    if (out_colored(o, stderr))
        fprintf(stderr, "\033[%sm%s\033[0m\n", OUT_RED, slug);
    else
        fprintf(stderr, "%s\n", slug);
    fprintf(stderr, "  cause: %s\n", cause);
    if (fix[0] != '\0')
        fprintf(stderr, "  fix:   %s\n", fix);
}

/* What only someone who debugs wants: OpenSSL's words and numbers. */
static void print_codes(const tlsock_error *err)
{
    char text[256];

    if (err->address[0] != '\0')
        fprintf(stderr, "  peer:  %s\n", err->address);
    if (err->alert != 0)
        fprintf(stderr, "  alert: %d, %s\n", err->alert,
                err->alert_from_peer ? "from the peer" : "from us");
    if (err->x509_code != 0)
        fprintf(stderr, "  x509:  %d at depth %d: %s\n", err->x509_code,
                err->x509_depth, X509_verify_cert_error_string(err->x509_code));
    if (err->ossl_code != 0) {
        ERR_error_string_n(err->ossl_code, text, sizeof(text));
        fprintf(stderr, "  openssl: %s\n", text);
    }
    if (err->sys_errno != 0)
        fprintf(stderr, "  errno: %d: %s\n", err->sys_errno,
                strerror(err->sys_errno));
}

tlsock_error err_of_call(const tlsock *s, int rc)
{
    tlsock_error err = *tlsock_last_error(s);

    if (err.code == TLSOCK_OK) {
        err.code = rc;
        snprintf(err.message, sizeof(err.message), "%s",
                 rc == TLSOCK_E_NOMEM ? "out of memory"
                                      : "the connection cannot be waited for");
    }
    return err;
}

/* Who could not even keep why has no memory; it is never "ok". */
static const tlsock_error starved = {.code = TLSOCK_E_NOMEM,
                                     .message = "out of memory"};

int err_report(const struct out *o, const char *target, const tlsock_error *err,
               int own)
{
    int exit_code;

    if (err->code == TLSOCK_OK ||
        (err->code == TLSOCK_E_NOMEM && err->message[0] == '\0'))
        err = &starved;
    exit_code = err_exit_code(err, own);
    said = 1;
    if (o->json) {
        out_json_print(err_json(o, target, err, exit_code));
        return exit_code;
    }
    print_text(o, target, tlsock_errslug(err->code), err->message, err->hint);
    if (o->verbose)
        print_codes(err);
    return exit_code;
}

#define KEPT 240 /* bytes of either end of what is cut */

/* A long name must not hide what is behind it: why. */
static void cut_middle(char *text)
{
    static const char mark[] = " ... ";
    size_t len = strlen(text);
    char *to = text + KEPT;

    if (len <= 2 * KEPT + sizeof(mark))
        return;
    memcpy(to, mark, sizeof(mark) - 1);
    memmove(to + sizeof(mark) - 1, text + len - KEPT, KEPT + 1);
}

TLSOCK_PRINTF(6, 0)
static int vplain(const struct out *o, const char *target, int exit_code,
                  const char *slug, const char *fix, const char *format,
                  va_list ap)
{
    char raw[8192], cause[2048], clean[512];
    json_t *obj;

    said = 1;
    vsnprintf(raw, sizeof(raw), format, ap);
    cut_middle(raw);
    out_clean(cause, sizeof(cause), raw);
    out_clean(clean, sizeof(clean), fix);
    if (!o->json) {
        print_text(o, target, slug, cause, clean);
        return exit_code;
    }
    obj = head_json(target, slug, exit_code);
    add_text(obj, "cause", cause);
    add_text(obj, "fix", clean);
    out_json_print(obj);
    return exit_code;
}

int err_usage(const struct out *o, const char *command, const char *fix,
              const char *format, ...)
{
    char help[64];
    va_list ap;

    snprintf(help, sizeof(help), "tlsock %s --help lists the valid forms",
             command);
    va_start(ap, format);
    vplain(o, command, EXIT_USAGE, "usage", fix != NULL ? fix : help, format,
           ap);
    va_end(ap);
    return EXIT_USAGE;
}

int err_plain(const struct out *o, const char *target, int exit_code,
              const char *slug, const char *fix, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vplain(o, target, exit_code, slug, fix, format, ap);
    va_end(ap);
    return exit_code;
}
