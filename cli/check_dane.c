/* The TLSA records of the server, one by one: which fits what, and why not. The
 * verdict is the library's. */
#include "certfield.h"
#include "check.h"

#include "fixchain.h"
#include "tlsalook.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 10000
#define SMTP "25"

/* The value of a line "key = value" of the part of the file that was read. */
static int in_line(char *line, const char *key, int here, char *out,
                   size_t size)
{
    size_t len = strlen(key);
    char *p = line + strspn(line, " \t"), *end;

    if (!here || strncmp(p, key, len) != 0)
        return 0;
    p += len;
    p += strspn(p, " \t");
    if (*p != '=')
        return 0;
    p += 1 + strspn(p + 1, " \t");
    end = p + strcspn(p, ";\r\n");
    while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    snprintf(out, size, "%.*s", (int)(end - p), p);
    return out[0] != '\0';
}

/* --config FILE[:SECTION], as opt_make_config() has taken it. */
static int in_file(const char *config, const char *key, char *out, size_t size)
{
    char path[4096], line[1024], head[300] = "";
    FILE *f = fopen(config, "re");
    int here, found = 0;

    if (f == NULL) {
        const char *colon = strrchr(config, ':');

        if (colon == NULL || (size_t)(colon - config) >= sizeof(path))
            return 0;
        snprintf(path, sizeof(path), "%.*s", (int)(colon - config), config);
        snprintf(head, sizeof(head), "[%.290s]", colon + 1);
        f = fopen(path, "re");
    }
    here = head[0] == '\0';
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        if (line[0] == '[')
            here = head[0] != '\0' && strncmp(line, head, strlen(head)) == 0;
        else
            found = in_line(line, key, here, out, size) || found;
    }
    if (f != NULL)
        fclose(f);
    return found;
}

/* What the library was told, by option or file, as it was told; NULL: nothing.
 */
static const char *setting(struct check *c, const char *key)
{
    char text[512];

    for (size_t i = c->o.sets.n; i >= 3; i -= 3)
        if (strcmp(c->o.sets.v[i - 3], key) == 0)
            return c->o.sets.v[i - 2];
    return c->o.config != NULL && in_file(c->o.config, key, text, sizeof(text))
               ? opt_keep(&c->o, text, sizeof(text))
               : NULL;
}

/* What the library would not make use of, either (RFC 6698, 4.1). */
static const char *fault(const struct tlsalook_record *r, const char *port)
{
    static const size_t lengths[] = {0, 32, 64};

    if (r->usage > 3)
        return "unknown usage";
    if (r->selector > 1)
        return "unknown selector";
    if (r->matching > 2)
        return "unknown matching type";
    if (r->matching != 0 && r->whole != lengths[r->matching])
        return "a hash of the wrong length";
    if (r->len != r->whole)
        return "too long";
    if (strcmp(port, SMTP) == 0 && r->usage < 2)
        return "usages 0 and 1 mean nothing to SMTP (RFC 7672, 3.1.3)";
    return NULL;
}

static X509 *x509_of(const tlsock_cert *cert)
{
    char *text = certfield_pem(NULL, cert, TLSOCK_PART_CERT);
    BIO *bio = text != NULL ? BIO_new_mem_buf(text, -1) : NULL;
    X509 *x = NULL;

    if (bio != NULL)
        x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    free(text);
    return x;
}

static int fits(const struct tlsalook_record *r, const tlsock_cert *cert)
{
    unsigned char *der = NULL, md[EVP_MAX_MD_SIZE];
    X509 *x = x509_of(cert);
    unsigned n = 0;
    int len = 0, yes = 0;

    if (x != NULL)
        len = r->selector == 0 ? i2d_X509(x, &der)
                               : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    if (len > 0 && r->matching == 0)
        yes = (size_t)len == r->len && memcmp(der, r->data, r->len) == 0;
    else if (len > 0 &&
             EVP_Digest(der, (size_t)len, md, &n,
                        r->matching == 1 ? EVP_sha256() : EVP_sha512(), NULL))
        yes = n == r->len && memcmp(md, r->data, n) == 0;
    OPENSSL_free(der);
    X509_free(x);
    return yes;
}

/* Which certificate it is about: the leaf for PKIX-EE and DANE-EE, one above it
 * for the others; of those that were sent, and of the chain that was built. */
static tlsock_cert *match(struct check *c, const struct tlsalook_record *r)
{
    const tlsock_cert *lists[] = {c->main->sent, c->path};

    for (size_t k = 0; k < 2; k++) {
        int n = lists[k] != NULL ? tlsock_cert_chain_len(lists[k]) : -1;
        int from = r->usage % 2 == 1 ? 0 : 1, to = r->usage % 2 == 1 ? 0 : n;

        for (int i = from; i <= to && i <= n && i < 100; i++) {
            tlsock_cert *at = fixchain_at(lists[k], i);

            if (at != NULL && fits(r, at))
                return at;
            tlsock_cert_unref(at);
        }
    }
    return NULL;
}

static void hex(char *out, size_t size, const struct tlsalook_record *r,
                size_t most)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < r->len && i < most && used + 3 < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%02x", r->data[i]);
    if (r->len > most && used + 4 < size)
        snprintf(out + used, size - used, "...");
}

/* A row for people, an object for programs; 1: it fits. */
static int tell(struct check *c, json_t *rows, json_t *list,
                const struct tlsalook_record *r)
{
    static const char *const usages[] = {"PKIX-TA", "PKIX-EE", "DANE-TA",
                                         "DANE-EE"};
    const char *bad = fault(r, c->port);
    tlsock_cert *at = bad == NULL ? match(c, r) : NULL;
    json_t *one = json_object();
    char data[2 * 64 + 4], name[120] = "", why[200] = "";

    if (at != NULL)
        check_cert_name(at, name, sizeof(name));
    else
        snprintf(why, sizeof(why), "%s",
                 bad != NULL         ? bad
                 : r->usage % 2 == 1 ? "it is not of the server's certificate"
                                     : "it is of no CA of the server's chain");
    hex(data, sizeof(data), r, 64);
    json_object_set_new(one, "usage", json_integer(r->usage));
    json_object_set_new(one, "selector", json_integer(r->selector));
    json_object_set_new(one, "matching", json_integer(r->matching));
    json_object_set_new(one, "data", json_string(data));
    json_object_set_new(one, "matches", json_boolean(at != NULL));
    json_object_set_new(one, "certificate",
                        out_json_text(at != NULL ? name : NULL));
    json_object_set_new(one, "reason", out_json_text(at != NULL ? NULL : why));
    json_array_append_new(list, one);
    hex(data, sizeof(data), r, 12);
    check_row(rows, at != NULL ? "fits" : "no", "%d %d %d %-27s %s%s%s%s",
              r->usage, r->selector, r->matching, data,
              r->usage < 4 ? usages[r->usage] : "", r->usage < 4 ? ": " : "",
              at != NULL ? "of " : "", at != NULL ? name : why);
    tlsock_cert_unref(at);
    return at != NULL;
}

/* "_443._tcp.app.test. IN TLSA 3 1 1 HEX": what would be right. */
static void advise(const struct check *c, const struct tlsalook *t, char *out,
                   size_t size)
{
    const char *pin = c->main->sent != NULL
                          ? certfield(c->main->sent, TLSOCK_CERT_PIN)
                          : NULL;
    const char *digits = pin != NULL ? strrchr(pin, ':') : NULL;

    snprintf(out, size, "%.250s. IN TLSA 3 1 1 %s", t->owner,
             digits != NULL ? digits + 1 : "(the SHA-256 of the public key)");
}

static json_t *add(struct check *c, const struct tlsalook *t)
{
    const tlsock_error *v = &c->main->verdict;
    char right[400], fix[640];

    advise(c, t, right, sizeof(right));
    if (v->code == TLSOCK_E_DANE)
        return check_add_error(c, CHECK_ERROR, v);
    if (t->n == 0) {
        snprintf(fix, sizeof(fix), "in a zone signed by DNSSEC: %s", right);
        return check_add(c, CHECK_NOTE, "dane-none", fix,
                         "there are no TLSA records at %s", t->owner);
    }
    if (!t->secure) {
        snprintf(fix, sizeof(fix),
                 "sign the zone by DNSSEC, and have its "
                 "parent publish its DS record");
        return check_add(c, CHECK_WARN, "dane-insecure", fix,
                         "%zu TLSA record%s at %s, but not signed: nobody may "
                         "believe them",
                         t->n, t->n == 1 ? "" : "s", t->owner);
    }
    if (strcmp(c->main->dane, "unusable") == 0) {
        snprintf(fix, sizeof(fix), "publish one that can be used: %s", right);
        return check_add(c, CHECK_WARN, "dane-unusable", fix,
                         "none of the TLSA records at %s can be used",
                         t->owner);
    }
    return check_add(c, CHECK_OK, "dane", NULL, "%s at %s", c->main->dane,
                     t->owner);
}

static void tell_all(struct check *c, const struct tlsalook *t)
{
    json_t *dane = json_object(), *list = json_array(), *f = add(c, t);
    size_t matched = 0;

    for (size_t i = 0; i < t->n; i++)
        matched += (size_t)tell(c, f, list, &t->list[i]);
    if (c->main->verdict.code != TLSOCK_E_DANE && t->secure && matched > 0 &&
        matched < t->n)
        check_add(c, CHECK_NOTE, "dane-unmatched",
                  "leave it if it is of the next key; else take it out of the "
                  "zone",
                  "%zu of %zu TLSA records fit nothing that the server shows",
                  t->n - matched, t->n);
    json_object_set_new(dane, "owner", out_json_text(t->owner));
    json_object_set_new(dane, "state",
                        json_string(t->bogus    ? "bogus"
                                    : t->failed ? "failed"
                                    : t->n == 0 ? "none"
                                    : t->secure ? "secure"
                                                : "insecure"));
    json_object_set_new(dane, "why",
                        out_json_text(t->why[0] != '\0' ? t->why : NULL));
    json_object_set_new(dane, "verdict", out_json_text(c->main->dane));
    json_object_set_new(dane, "records", list);
    json_object_set_new(c->doc, "dane", dane);
}

void check_dane(struct check *c)
{
    const struct check_address *m = c->main;
    unsigned char raw[16];
    int ip = inet_pton(AF_INET, c->host, raw) == 1 ||
             inet_pton(AF_INET6, c->host, raw) == 1;
    const char *host = ip || c->host[0] == '\0' ? c->o.name : c->host;
    struct tlsalook t;

    if (m->dane[0] == '\0' && m->verdict.code != TLSOCK_E_DANE)
        return;
    if (host == NULL || tlsalook(&t, host, c->port, setting(c, "dane.anchor"),
                                 setting(c, "dane.resolver"), LOOK_MS) != 0) {
        if (m->verdict.code == TLSOCK_E_DANE)
            check_add_error(c, CHECK_ERROR, &m->verdict);
        else
            check_add(c, CHECK_OK, "dane", NULL, "%s", m->dane);
        return;
    }
    if ((t.failed || t.bogus) && m->verdict.code != TLSOCK_E_DANE)
        check_add(c, CHECK_ERROR, "dane",
                  t.bogus ? "mend the signatures of the zone"
                          : "mend the resolver, or name one that answers: -o "
                            "dane.resolver=ADDRESS",
                  "the TLSA records of %s could not be looked up: %s", host,
                  t.why);
    else
        tell_all(c, &t);
    free(t.list);
}
