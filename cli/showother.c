#include "showother.h"

#include "certfield.h"
#include "certtext.h"
#include "errors.h"

#include <stdlib.h>
#include <string.h>
#include <tlsock/revoke.h>

/* A JSON text of the library, of whatever length; NULL: *err says why. */
static json_t *grown(int (*write)(const char *uri, const char *pass, char *out,
                                  size_t size, tlsock_error *err),
                     const char *uri, const char *pass, tlsock_error *err)
{
    size_t size = 4096;

    for (;;) {
        char *text = malloc(size);
        json_t *value;
        int len;

        if (text == NULL) {
            err->code = TLSOCK_E_NOMEM;
            return NULL;
        }
        len = write(uri, pass, text, size, err);
        if (len < 0 || (size_t)len < size) {
            value = len < 0 ? NULL : out_json_raw(text);
            free(text);
            return value;
        }
        free(text);
        size = (size_t)len + 1;
    }
}

static int crl_text(const char *uri, const char *pass, char *out, size_t size,
                    tlsock_error *err)
{
    (void)pass;
    return tlsock_crl_json(uri, out, size, err);
}

/* With "fd:" a password can be read once only: there is room enough at the
 * first try. */
json_t *show_key_json(const char *uri, const char *pass, tlsock_error *err)
{
    return grown(tlsock_key_json, uri, pass, err);
}

/* {"schema":"tlsock.cert-show/1","target":...,"kind":...,KEY:[thing]} */
static int print_json(const struct source *s, const char *kind, const char *key,
                      json_t *thing)
{
    json_t *obj = json_object(), *list = json_array();

    json_object_set_new(obj, "schema", json_string("tlsock.cert-show/1"));
    json_object_set_new(obj, "target", out_json_text(s->target));
    json_object_set_new(obj, "kind", json_string(kind));
    json_array_append_new(list, thing);
    json_object_set_new(obj, key, list);
    return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

static json_t *csr_json(const tlsock_csr *r)
{
    int len = tlsock_csr_json(r, NULL, 0);
    char *text = len > 0 ? malloc((size_t)len + 1) : NULL;
    json_t *value = NULL;

    if (text != NULL && tlsock_csr_json(r, text, (size_t)len + 1) == len)
        value = out_json_raw(text);
    free(text);
    if (value == NULL)
        out_lack();
    return value != NULL ? value : json_null();
}

static void csr_rows(const struct out *o, const tlsock_csr *r)
{
    static const struct {
        const char *label;
        int item;
    } rows[] = {{"names", TLSOCK_CERT_SANS},
                {"key", TLSOCK_CERT_KEY_TYPE},
                {"asks for", TLSOCK_CERT_USAGE},
                {"signed with", TLSOCK_CERT_SIGNATURE}};
    const char *text;

    text = certfield_csr(r, TLSOCK_CERT_SUBJECT);
    printf("signing request  %s\n", text[0] != '\0' ? text : "(no subject)");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        certtext_row(o, rows[i].label, certfield_csr(r, rows[i].item));
    text = certfield_csr(r, TLSOCK_CERT_PIN);
    if (text[0] != '\0') {
        certtext_row(o, "pin", "of the key");
        printf("    %s\n", text);
    }
}

static int show_csr(const struct out *o, const struct source *s)
{
    tlsock_error err = {0};
    tlsock_csr *r = tlsock_csr_load(s->uri, &err);
    int rc = EXIT_GOOD;

    if (r == NULL)
        return err_report(o, s->target, &err, 1);
    if (o->json)
        rc = print_json(s, "request", "requests", csr_json(r));
    else
        csr_rows(o, r);
    tlsock_csr_free(r);
    return rc != EXIT_GOOD || fflush(stdout) == 0 ? rc : EXIT_INTERNAL;
}

static void crl_entries(const json_t *crl)
{
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(crl, "revoked"), i, one)
        printf("    %s  %.10s  %s\n", certtext_get(one, "serial"),
               certtext_get(one, "when"), certtext_get(one, "reason"));
}

static void crl_rows(const struct out *o, const json_t *crl)
{
    int overdue = json_is_true(json_object_get(crl, "overdue"));
    const char *next = certtext_get(crl, "next_update");
    char text[200];

    printf("revocation list  of %s\n", certtext_get(crl, "issuer"));
    certtext_row(o, "number", certtext_get(crl, "number"));
    snprintf(text, sizeof(text), "%s, next %s%s",
             certtext_get(crl, "this_update"), next[0] != '\0' ? next : "never",
             overdue ? ", OVERDUE" : "");
    certtext_row(o, "made", text);
    certtext_row(o, "signed with", certtext_get(crl, "signature"));
    snprintf(
        text, sizeof(text), "%lld%s",
        (long long)json_integer_value(json_object_get(crl, "revoked_count")),
        o->verbose ? "" : " (-v lists them)");
    certtext_row(o, "revoked", text);
    if (o->verbose)
        crl_entries(crl);
}

static int show_crl(const struct out *o, const struct source *s)
{
    tlsock_error err = {0};
    json_t *crl = grown(crl_text, s->uri, NULL, &err);

    if (crl == NULL)
        return err_report(o, s->target, &err, 1);
    if (o->json)
        return print_json(s, "crl", "crls", crl);
    crl_rows(o, crl);
    json_decref(crl);
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

static int show_key(const struct out *o, const struct source *s)
{
    tlsock_error err = {0};
    json_t *key = show_key_json(s->uri, s->pass, &err);

    if (key == NULL)
        return err_report(o, s->target, &err, 1);
    if (o->json)
        return print_json(s, "key", "keys", key);
    printf("private key  %s%s\n", certtext_get(key, "key_type"),
           json_is_true(json_object_get(key, "encrypted")) ? ", encrypted"
                                                           : "");
    certtext_row(o, "pin", "of its public half, as in its certificate");
    printf("    %s\n", certtext_get(key, "pin"));
    json_decref(key);
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

int show_other(const struct out *o, const struct source *s)
{
    if ((s->kind & TLSOCK_KIND_CSR) != 0)
        return show_csr(o, s);
    if ((s->kind & TLSOCK_KIND_CRL) != 0)
        return show_crl(o, s);
    if ((s->kind & TLSOCK_KIND_KEY) != 0)
        return show_key(o, s);
    return err_plain(o, s->target, EXIT_OWN, "own-file",
                     "name the certificate or the private key it belongs to",
                     "a public key alone says nothing of whose it is");
}
