#include "facts.h"

#include "certfield.h"
#include "way.h"

#include <stdlib.h>
#include <string.h>
#include <tlsock/info.h>

int facts_plain(const tlsock *s)
{
    int64_t state = tlsock_info_int(s, TLSOCK_INFO_STATE);

    /* one that has ended is neither, but still knows its TLS version */
    return state == TLSOCK_STATE_PLAIN ||
           (state > TLSOCK_STATE_HANDSHAKING &&
            tlsock_info_int(s, TLSOCK_INFO_VERSION) == 0);
}

/* Did somebody vouch for the peer? */
static int verified(const tlsock *s)
{
    const char *how = tlsock_info(s, TLSOCK_INFO_VERIFIED);

    return how != NULL && how[0] != '\0' && strncmp(how, "insecure", 8) != 0;
}

/* "all: WHY" if it was insecure, or NULL. */
static const char *forgiven(const tlsock *s)
{
    const char *how = tlsock_info(s, TLSOCK_INFO_VERIFIED);

    return how != NULL && strncmp(how, "insecure ", 9) == 0 ? how + 9 : NULL;
}

void facts_warn(const struct out *o, const tlsock *s)
{
    const char *what = forgiven(s);
    char clean[300], text[400];

    if (what == NULL)
        return;
    snprintf(text, sizeof(text), "the peer is not verified: insecure = %s",
             out_clean(clean, sizeof(clean), what));
    out_warning(o, text);
}

/* Without memory for it, which is told at the end, it is "?". */
static const char *field(const tlsock_cert *c, int item)
{
    const char *text = certfield(c, item);

    return text != NULL ? text : "?";
}

void facts_expiry(const tlsock_cert *c, char *text, size_t size)
{
    const char *after = field(c, TLSOCK_CERT_NOT_AFTER);
    int ok = 0;
    long days = out_days_until(after, &ok);

    if (!ok)
        snprintf(text, size, "expires %s", after);
    else if (days < 0)
        snprintf(text, size, "EXPIRED %.10s (%ld days ago)", after, -days);
    else
        snprintf(text, size, "expires %.10s (%ld day%s)", after, days,
                 days == 1 ? "" : "s");
}

static const char *short_name(const tlsock_cert *c)
{
    const char *cn = field(c, TLSOCK_CERT_CN);

    if (cn[0] == '\0')
        cn = field(c, TLSOCK_CERT_SUBJECT);
    return cn[0] != '\0' ? cn : field(c, TLSOCK_CERT_SANS);
}

/* "CN=a,O=b" is "a" to a person; a name without CN first stays as it is. */
static void print_issuer(const char *name)
{
    size_t len = strlen(name);

    if (strncmp(name, "CN=", 3) == 0) {
        name += 3;
        for (len = 0; name[len] != '\0' && name[len] != ','; len++)
            if (name[len] == '\\' && name[len + 1] != '\0')
                len++;
    }
    fprintf(stderr, " < %.*s", (int)len, name);
}

static void print_chain(const tlsock_cert *c, const char *how)
{
    const tlsock_cert *last = c;
    tlsock_cert *at = NULL;
    const char *issuer;
    int n = tlsock_cert_chain_len(c);

    fprintf(stderr, "%s", short_name(c));
    for (int i = 0; i < n && i < 8; i++) {
        tlsock_cert_unref(at);
        at = certfield_chain(c, i);
        if (at == NULL)
            break;
        fprintf(stderr, " < %s", short_name(at));
        last = at;
    }
    issuer = field(last, TLSOCK_CERT_ISSUER);
    if (strcmp(issuer, field(last, TLSOCK_CERT_SUBJECT)) != 0)
        print_issuer(issuer);
    fprintf(stderr, " (%s)\n", how);
    tlsock_cert_unref(at);
}

/* Where a chain ends; or what else it was accepted by. */
static const char *vouched(const tlsock *s, char *text, size_t size)
{
    const char *how = tlsock_info(s, TLSOCK_INFO_VERIFIED), *trust;
    static const char system[] = "system store";

    if (strcmp(how, "chain") != 0)
        return how;
    trust = tlsock_info(s, TLSOCK_INFO_TRUST);
    if (trust[0] == '\0')
        return "chain";
    if (strncmp(trust, system, sizeof(system) - 1) == 0 &&
        trust[strlen(trust) - 1] == ')') /* nothing was added to it */
        return system;
    return out_clean(text, size, trust);
}

/* What the certificate was accepted for. */
static const char *good_at(const tlsock *s)
{
    const char *how = tlsock_info(s, TLSOCK_INFO_VERIFIED);

    if (strncmp(how, "chain by DANE-EE", 16) == 0)
        return "key is as its zone says";
    return strncmp(how, "chain", 5) == 0 ? "name matches" : "pin matches";
}

/* "good by CRL, as of T" is "not revoked (CRL, 3 h old)" to a person. */
static void print_revocation(const char *told)
{
    char by[16], since[32], age[32], clean[200];

    if (sscanf(told, "good by %15[A-Za-z], as of %31s", by, since) == 2 &&
        out_age(age, since) == 0)
        fprintf(stderr, ", not revoked (%s, %s)", by, age);
    else if (told[0] != '\0')
        fprintf(stderr, ", revocation %s",
                out_clean(clean, sizeof(clean), told));
}

static void print_server(const struct out *o, const tlsock *s,
                         const tlsock_cert *c)
{
    const char *name = tlsock_info(s, TLSOCK_INFO_NAME);
    const char *dane;
    int good = verified(s);
    char asked[300], expiry[80];

    snprintf(asked, sizeof(asked), "%s", name != NULL ? name : "");
    facts_expiry(c, expiry, sizeof(expiry));
    out_label(o, stderr, good ? OUT_GREEN : OUT_RED, "server");
    fprintf(stderr, "%s: %s, %s", asked[0] ? asked : short_name(c),
            good ? good_at(s) : "NOT VERIFIED", expiry);
    print_revocation(tlsock_info(s, TLSOCK_INFO_REVOCATION));
    dane = tlsock_info(s, TLSOCK_INFO_DANE);
    fprintf(stderr, "%s%s\n", dane[0] != '\0' ? ", DANE " : "", dane);
}

/* Texts of tlsock_info() last until its next call: one at a time. */
static void print_security(const struct out *o, const tlsock *s)
{
    char group[64];

    if (facts_plain(s)) {
        out_label(o, stderr, OUT_RED, "security");
        fprintf(stderr, "NOT ENCRYPTED\n");
        return;
    }
    snprintf(group, sizeof(group), "%s", tlsock_info(s, TLSOCK_INFO_GROUP));
    out_label(o, stderr, OUT_GREEN, "security");
    fprintf(stderr, "%s  ", tlsock_info(s, TLSOCK_INFO_VERSION));
    fprintf(stderr, "%s", tlsock_info(s, TLSOCK_INFO_CIPHER));
    if (group[0] != '\0')
        fprintf(stderr, "  %s%s", group,
                strstr(group, "MLKEM") != NULL ? " (post-quantum)"
                                               : " (not post-quantum)");
    if (tlsock_info(s, TLSOCK_INFO_ALPN)[0] != '\0')
        fprintf(stderr, "  alpn %s", tlsock_info(s, TLSOCK_INFO_ALPN));
    fprintf(stderr, "  %s session",
            tlsock_info_int(s, TLSOCK_INFO_RESUMED) ? "resumed" : "new");
    if (tlsock_info_int(s, TLSOCK_INFO_EARLY_DATA) != TLSOCK_EARLY_NONE)
        fprintf(stderr, ", early data %s",
                tlsock_info(s, TLSOCK_INFO_EARLY_DATA));
    fputc('\n', stderr);
}

void facts_print(const struct out *o, const char *target, const tlsock *s,
                 const char *proxies)
{
    tlsock_cert *c = tlsock_peer_cert(s);
    const char *address;
    char text[512];

    out_label(o, stderr, OUT_GREEN, "connected");
    address = tlsock_info(s, TLSOCK_INFO_PEER_ADDRESS);
    fprintf(stderr, "%s", out_clean(text, sizeof(text), target));
    if (strcmp(address, target) != 0)
        fprintf(stderr, " (%s)", address);
    fprintf(stderr, "  %s\n", tlsock_info(s, TLSOCK_INFO_TIMINGS));
    way_print(o, s, proxies);
    print_security(o, s);
    if (c == NULL)
        return;
    print_server(o, s, c);
    out_label(o, stderr, verified(s) ? OUT_GREEN : OUT_RED, "chain");
    print_chain(c, vouched(s, text, sizeof(text)));
    tlsock_cert_unref(c);
}

/* The library's JSON of one thing, of whatever length. */
static json_t *grown(int (*write)(const void *thing, char *out, size_t size),
                     const void *thing)
{
    int len = write(thing, NULL, 0);
    char *text = len >= 0 ? malloc((size_t)len + 1) : NULL;
    json_t *value = NULL;

    if (text != NULL && write(thing, text, (size_t)len + 1) == len)
        value = out_json_raw(text);
    else if (len >= 0 || len == TLSOCK_E_NOMEM)
        out_lack();
    free(text);
    return value != NULL ? value : json_null();
}

static int cert_text(const void *thing, char *out, size_t size)
{
    return certfield_json(thing, out, size);
}

static int info_text(const void *thing, char *out, size_t size)
{
    return tlsock_info_json(thing, out, size);
}

json_t *facts_cert_json(const tlsock_cert *c)
{
    return grown(cert_text, c);
}

json_t *facts_certs_json(const tlsock_cert *c)
{
    json_t *list = json_array(), *leaf = grown(cert_text, c), *chain, *at;
    size_t i;

    /* one after the other: the chain is not in its leaf once more */
    chain = json_incref(json_object_get(leaf, "chain"));
    json_object_set_new(leaf, "chain", json_array());
    json_array_append_new(list, leaf);
    json_array_foreach(chain, i, at) json_array_append(list, at);
    json_decref(chain);
    return list;
}

void facts_json(json_t *obj, const tlsock *s, const char *proxies)
{
    tlsock_cert *c = tlsock_peer_cert(s);

    json_object_set_new(obj, "state",
                        json_string(facts_plain(s) ? "plain" : "tls"));
    way_json(obj, s, proxies);
    json_object_set_new(obj, "verified", json_boolean(verified(s)));
    if (forgiven(s) != NULL)
        json_object_set_new(obj, "insecure", out_json_text(forgiven(s)));
    json_object_set_new(obj, "connection", grown(info_text, s));
    json_object_set_new(obj, "certificates",
                        c != NULL ? facts_certs_json(c) : json_array());
    tlsock_cert_unref(c);
}
