/* testpki_index - what is in the zoo, for people and for programs. */
#include "errors.h"
#include "testpki.h"

#include <openssl/bio.h>
#include <stdlib.h>
#include <string.h>

static const char intro[] =
    "Certificates for tests, good and bad, made by tlsock testpki.\n"
    "None of this is secret: never trust one of these roots outside a test.\n"
    "\n"
    "NAME.pem is the certificate and what goes along with it, NAME.key its\n"
    "private key. index.json says the same as this file, for programs:\n"
    "\n"
    "  file, key, pass  the files; key null: in file; pass: where the\n"
    "                   password is, or null\n"
    "  format           pem, der, pkcs12\n"
    "  use, host        what to verify it for: a server, a client, any; the\n"
    "                   name to ask for, or null\n"
    "  trust            the file with the one root to trust\n"
    "  crl              hold it against this list, or null\n"
    "  verdict          what a verifier must say: good, or tlsock's code\n"
    "  x509             OpenSSL's number for that (X509_V_ERR_...); null: it\n"
    "                   has none\n"
    "\n"
    "OpenSSL's numbers are those of \"openssl verify -x509_strict -auth_level\n"
    "2\". Passwords are in password.txt.\n";

static const char left_out[] =
    "\nLeft out\n\n"
    "What breaks the encoding itself (DER that is no DER, negative serials,\n"
    "doubled extensions): that is the work of a fuzzer. Keys other than RSA,\n"
    "EC and Ed25519. OCSP answers: tlsock ca serve gives them.\n"
    "A must-staple certificate without an answer is refused only in a\n"
    "handshake: as a file it is good.\n";

/* What a key's file is called; NULL: in the certificate's file. */
static const char *key_of(const struct zoo_row *row, char *out, size_t size)
{
    snprintf(out, size, "%s.key",
             row->key != NULL && row->key[0] == '=' ? row->key + 1 : row->name);
    return out;
}

static void add_text(json_t *obj, const char *key, const char *text)
{
    json_object_set_new(obj, key,
                        text != NULL ? out_json_text(text) : json_null());
}

static json_t *row_json(const struct zoo *z, const struct zoo_row *row)
{
    json_t *obj = json_object();
    char text[300];

    snprintf(text, sizeof(text), "%s.pem", row->name);
    add_text(obj, "file", text);
    add_text(obj, "key", key_of(row, text, sizeof(text)));
    add_text(obj, "pass", NULL);
    add_text(obj, "format", "pem");
    add_text(obj, "use", row->use);
    add_text(obj, "host",
             row->host != NULL ? zoo_text(z, text, sizeof(text), row->host)
                               : NULL);
    snprintf(text, sizeof(text), "%s.pem",
             row->trust != NULL ? row->trust : "");
    add_text(obj, "trust", row->trust != NULL ? text : NULL);
    add_text(obj, "crl", row->crl);
    add_text(obj, "verdict", row->verdict);
    json_object_set_new(obj, "x509",
                        row->use != NULL && row->x509 >= 0
                            ? json_integer(row->x509)
                            : json_null());
    add_text(obj, "what", row->what);
    return obj;
}

/* The good one, so that it is verified like it. */
static json_t *form_json(const struct zoo *z, const struct zoo_form *f)
{
    json_t *obj = json_object();
    char host[300];

    add_text(obj, "file", f->file);
    add_text(obj, "key", f->key);
    add_text(obj, "pass", f->pass);
    add_text(obj, "format", f->format);
    add_text(obj, "use", "server");
    add_text(obj, "host", zoo_text(z, host, sizeof(host), "app.%D"));
    add_text(obj, "trust", "root.pem");
    add_text(obj, "crl", NULL);
    add_text(obj, "verdict", f->verdict);
    json_object_set_new(obj, "x509", json_null());
    add_text(obj, "what", f->what);
    return obj;
}

static int write_json(struct zoo *z)
{
    json_t *list = json_array(), *top = json_object();
    char *text;
    int rc;

    for (size_t i = 0; i < zoo_n_rows; i++)
        json_array_append_new(list, row_json(z, &zoo_rows[i]));
    for (size_t i = 0; i < zoo_n_forms; i++)
        json_array_append_new(list, form_json(z, &zoo_forms[i]));
    json_object_set_new(top, "schema", json_string("tlsock.testpki/1"));
    add_text(top, "domain", z->domain);
    add_text(top, "password_file", ZOO_PASSWORD_FILE);
    json_object_set_new(top, "entries", list);
    text = json_dumps(top, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    json_decref(top);
    if (text == NULL)
        return EXIT_INTERNAL;
    rc = zoo_write(z, "index.json", text, strlen(text), 0644);
    free(text);
    return rc;
}

static void put_row(const struct zoo *z, BIO *bio, const struct zoo_row *row)
{
    char host[300];

    BIO_printf(bio, "%-22s %s\n", row->name, row->what);
    if (row->use == NULL)
        return;
    BIO_printf(bio, "%-22s %s", "", row->verdict);
    BIO_printf(bio, ": as %s %s, trusting %s.pem",
               strcmp(row->use, "any") == 0 ? "any" : "a",
               strcmp(row->use, "any") == 0 ? "use" : row->use, row->trust);
    if (row->host != NULL)
        BIO_printf(bio, ", for %s", zoo_text(z, host, sizeof(host), row->host));
    if (row->crl != NULL)
        BIO_printf(bio, ", with %s", row->crl);
    BIO_printf(bio, "\n");
}

static int write_readme(struct zoo *z)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio == NULL)
        return EXIT_INTERNAL;
    BIO_printf(bio, "%s\nCertificates (NAME.pem, NAME.key)\n\n", intro);
    for (size_t i = 0; i < zoo_n_rows; i++)
        put_row(z, bio, &zoo_rows[i]);
    BIO_printf(bio, "\nFormats (of good, unless another is named)\n\n");
    for (size_t i = 0; i < zoo_n_forms; i++)
        BIO_printf(bio, "%-22s %s%s%s\n%-22s %s\n", zoo_forms[i].file,
                   zoo_forms[i].key != NULL ? zoo_forms[i].key : "",
                   zoo_forms[i].key != NULL ? ": " : "", zoo_forms[i].what, "",
                   zoo_forms[i].verdict);
    BIO_printf(bio, "%-22s the client, its key and chain, PKCS#12\n",
               "client.p12");
    BIO_printf(bio,
               "\nRevocation lists\n\n"
               "inter.crl              of inter: revoked.pem\n"
               "inter.crl.der          the same, DER\n"
               "inter-expired.crl      of inter, an old one: it should "
               "have been renewed\n"
               "root.crl               of root: nothing\n%s",
               left_out);
    return zoo_write_bio(z, "README.txt", bio, 0644);
}

int zoo_index(struct zoo *z)
{
    int rc = write_json(z);

    return rc == 0 ? write_readme(z) : rc;
}
