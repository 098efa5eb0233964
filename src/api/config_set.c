#include "api/config_box.h"
#include "api/options.h"
#include "api/policy.h"
#include "cert/cert.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/str.h"
#include "tls/password.h"
#include "verify/trust.h"

#include <string.h>

const char *tsk_settings_file_name(const char *uri, char *out, size_t size)
{
    if (uri == NULL)
        return "the certificate in memory";
    if (strncmp(uri, "pem:", 4) == 0 || strstr(uri, "-----BEGIN") != NULL)
        return "inline PEM";
    if (strncmp(uri, "file:", 5) == 0)
        uri += 5;
    tsk_printable(out, size, uri, strlen(uri));
    return out;
}

/* Room for one more element; the array is the settings' own. */
static int grow(void *array, size_t n, size_t size, tlsock_error *err)
{
    void *old, *bigger;

    memcpy(&old, array, sizeof(old));
    bigger = tsk_realloc(old, (n + 1) * size);
    if (bigger == NULL)
        return tsk_fail_nomem(err);
    memset((char *)bigger + n * size, 0, size);
    memcpy(array, &bigger, sizeof(bigger));
    return TLSOCK_OK;
}

static int missing(tlsock_error *err, const char *what)
{
    return tsk_fail(err, TLSOCK_E_ARGUMENT, "%s is NULL or empty", what);
}

/* A named file is read now, so that the mistake shows where it was made. */
static int one_trust(struct tsk_settings *set, const char *uri,
                       tlsock_error *err)
{
    struct tsk_trust *trust;
    char *copy;

    if (uri == NULL || *uri == '\0')
        return missing(err, "the trust URI");
    if (strcmp(uri, "system") != 0 && strcmp(uri, "none") != 0) {
        tlsock_error why = {0};

        trust = tsk_trust_new(&uri, 1, err != NULL ? err : &why);
        if (trust == NULL)
            return err != NULL ? err->code : why.code;
        tsk_trust_unref(trust);
    }
    if (grow(&set->trust, set->n_trust, sizeof(*set->trust), err) < 0)
        return TLSOCK_E_NOMEM;
    copy = tsk_strdup(uri);
    if (copy == NULL)
        return tsk_fail_nomem(err);
    set->trust[set->n_trust++] = copy;
    return TLSOCK_OK;
}

int tsk_settings_trust_more(struct tsk_settings *set, const char *uri,
                            tlsock_error *err)
{
    size_t before = set->n_trust;
    int rc = TLSOCK_OK;

    if (before == 0)
        rc = one_trust(set, "system", err);
    if (rc == TLSOCK_OK)
        rc = one_trust(set, uri, err);
    if (rc < 0 && set->n_trust > before)
        tsk_free(set->trust[--set->n_trust]);
    return rc;
}

int tsk_settings_trust(struct tsk_settings *set, const char *uri,
                       tlsock_error *err)
{
    return uri != NULL && *uri == '+'
               ? tsk_settings_trust_more(set, uri + 1, err)
               : one_trust(set, uri, err);
}

int tsk_settings_prove(const struct tsk_settings *set, int server)
{
    return (server ? TSK_PROVE_SERVER : 0) |
           (set->on[TLSOCK_ON_SIGN].call != NULL ? TSK_PROVE_KEYLESS : 0);
}

static int one_pin(struct tsk_settings *set, const char *start, size_t len,
                   tlsock_error *err)
{
    char text[TSK_PIN_TEXT];
    struct tsk_pin pin;
    int rc;

    if (len >= sizeof(text))
        len = sizeof(text) - 1; /* too long for any: it will not parse */
    memcpy(text, start, len);
    text[len] = '\0';
    rc = tsk_pin_parse(&pin, text, err);
    if (rc < 0)
        return rc;
    if (grow(&set->pins, set->n_pins, sizeof(pin), err) < 0)
        return TLSOCK_E_NOMEM;
    set->pins[set->n_pins++] = pin;
    return TLSOCK_OK;
}

/* A list of pins, or one; all of them or none. */
int tsk_settings_pin(struct tsk_settings *set, const char *text,
                     tlsock_error *err)
{
    size_t before = set->n_pins, len;
    const char *start;
    int rc = TLSOCK_OK;

    if (text == NULL || *text == '\0')
        return missing(err, "the pin");
    for (start = tsk_pin_next(text, &len, &text); start != NULL && rc == 0;
         start = tsk_pin_next(text, &len, &text))
        rc = one_pin(set, start, len, err);
    if (rc == TLSOCK_OK && set->n_pins == before)
        rc = missing(err, "the pin");
    if (rc < 0)
        set->n_pins = before;
    return rc;
}

int tsk_settings_crl(struct tsk_settings *set, const char *uri,
                     tlsock_error *err)
{
    struct tsk_crl_source source = {0};
    tlsock_error why = {0};

    if (err == NULL)
        err = &why;
    if (uri == NULL || *uri == '\0')
        return missing(err, "the URI of the CRL");
    if (grow(&set->crls, set->n_crls, sizeof(source), err) < 0)
        return TLSOCK_E_NOMEM;
    source.uri = tsk_strdup(uri);
    if (source.uri == NULL)
        return tsk_fail_nomem(err);
    source.crls = tsk_crls_load(uri, err);
    if (source.crls == NULL) {
        tsk_free(source.uri);
        return err->code;
    }
    set->crls[set->n_crls++] = source;
    return TLSOCK_OK;
}

int tlsock_config_set(tlsock_config *c, const char *key, const char *value)
{
    int rc;

    if (c != NULL && c->asked != NULL)
        return tsk_policy_set(c, key, value);
    rc = tsk_config_begin(c);
    if (rc < 0)
        return rc;
    return tsk_config_end(c, tsk_option_set(&c->box->set, key, value, &c->err));
}

int tlsock_config_add_trust(tlsock_config *c, const char *uri)
{
    int rc = tsk_config_begin(c);

    if (rc < 0)
        return rc;
    return tsk_config_end(c, tsk_settings_trust(&c->box->set, uri, &c->err));
}

int tlsock_config_add_crl(tlsock_config *c, const char *uri)
{
    int rc = tsk_config_begin(c);

    if (rc < 0)
        return rc;
    return tsk_config_end(c, tsk_settings_crl(&c->box->set, uri, &c->err));
}

int tlsock_config_add_pin(tlsock_config *c, const char *pin)
{
    int rc = tsk_config_begin(c);

    if (rc < 0)
        return rc;
    return tsk_config_end(c, tsk_settings_pin(&c->box->set, pin, &c->err));
}
