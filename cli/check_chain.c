/* The chain as it was sent, as it should be, and what it ends at. */
#include "certfield.h"
#include "check.h"
#include "civil.h"

#include "errors.h"
#include "fetch.h"
#include "fixchain.h"
#include "tofile.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_FETCHES 5
#define FETCH_MS 10000 /* of all together */
#define MOST_SHOWN 12  /* certificates */
#define MOST_TRIED 20  /* of those that were sent */

/* How far the chain was put together. */
struct grown {
    tlsock_cert *chain; /* leaf first, each signed by the next, no root */
    int sent;           /* how many of these the server sent */
    char *from[32];     /* where each of the others was found */
    char why[400];      /* why no more was found, or "" */
    int fetches;
    int root; /* 1: the root was found, too; whoever trusts it */
};

/* "CN=a,O=b" is "a" to a person. */
static void short_name(const char *dn, char *text, size_t size)
{
    size_t used = 0;

    if (strncmp(dn, "CN=", 3) != 0) {
        snprintf(text, size, "%s", dn);
        return;
    }
    for (dn += 3; *dn != '\0' && *dn != ',' && used + 1 < size; dn++) {
        if (*dn == '\\' && dn[1] != '\0')
            dn++;
        text[used++] = *dn;
    }
    text[used] = '\0';
}

/* A box of the picture, a row of the text. */
static void tell(struct check *c, const char *state, int place,
                 const tlsock_cert *cert, const char *name, const char *from)
{
    static const struct {
        const char *key;
        int item;
    } rows[] = {{"subject", TLSOCK_CERT_SUBJECT},
                {"issuer", TLSOCK_CERT_ISSUER},
                {"not_after", TLSOCK_CERT_NOT_AFTER},
                {"sha256", TLSOCK_CERT_SHA256}};
    json_t *box = json_object();
    char text[200];

    if (cert != NULL)
        check_cert_name(cert, text, sizeof(text));
    else
        short_name(name != NULL ? name : "", text, sizeof(text));
    json_object_set_new(box, "state", json_string(state));
    json_object_set_new(box, "place", json_integer(place));
    json_object_set_new(box, "name", out_json_text(text));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        json_object_set_new(box, rows[i].key,
                            cert != NULL
                                ? out_json_text(certfield(cert, rows[i].item))
                                : json_null());
    json_object_set_new(box, "found_at", out_json_text(from));
    json_array_append_new(json_object_get(c->doc, "chain"), box);
}

static const char *get(const json_t *obj, const char *key)
{
    const char *text = json_string_value(json_object_get(obj, key));

    return text != NULL ? text : "";
}

/* What the boxes say, as rows below a finding. */
static void rows(struct check *c, json_t *finding)
{
    const json_t *box;
    size_t i;

    json_array_foreach(json_object_get(c->doc, "chain"), i, box)
    {
        const char *state = get(box, "state"), *from = get(box, "found_at");
        char issuer[200];
        int end =
            strcmp(state, "trusted") == 0 || strcmp(state, "untrusted") == 0;

        short_name(get(box, "issuer"), issuer, sizeof(issuer));
        check_row(
            finding, strcmp(state, "missing") == 0 ? "MISSING" : state,
            "%d  %-20s %s%s%s%s",
            (int)json_integer_value(json_object_get(box, "place")),
            get(box, "name"), end || issuer[0] == '\0' ? "" : "issued by ",
            end ? "" : issuer,
            from[0] == '\0' || end || issuer[0] == '\0' ? "" : ", ", from);
    }
}

static int verify(struct check *c, const tlsock_cert *chain, int64_t when,
                  tlsock_cert **path, tlsock_error *err)
{
    *err = (tlsock_error){0};
    *path = NULL;
    return tlsock_verify_path(chain, c->judge, TLSOCK_VERIFY_OPTS(.time = when),
                              path, err);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int fetch_one(struct grown *g, const char *url, int ms)
{
    int before = tlsock_cert_chain_len(g->chain), rc = FIXCHAIN_NONE;
    tlsock_error err = {0};
    tlsock_cert *found = NULL;
    char *data = NULL, why[300] = "";
    size_t len = 0;

    g->fetches++;
    if (fetch_url(url, ms, &data, &len, why, sizeof(why)) == 0) {
        found = tlsock_cert_parse(data, len, NULL, &err);
        if (found == NULL)
            snprintf(why, sizeof(why), "%.280s", err.message);
        else
            rc = fixchain_extend(&g->chain, found);
        if (found != NULL && rc == FIXCHAIN_NONE)
            snprintf(why, sizeof(why),
                     "what is there did not sign the certificate");
    }
    for (int i = before; i < tlsock_cert_chain_len(g->chain) && i < 32; i++)
        g->from[i] = strdup(url);
    snprintf(g->why, sizeof(g->why), "%.90s%s%.290s", rc == 0 ? url : "",
             rc == 0 ? ": " : "", rc == 0 ? why : "");
    tlsock_cert_unref(found);
    free(data);
    return rc;
}

/* From one issuer to the next, until the chain is good or nothing leads on. */
static int fetch_missing(struct check *c, struct grown *g, tlsock_cert **path)
{
    int64_t end = now_ms() + FETCH_MS;
    tlsock_error err;
    int grew = FIXCHAIN_GREW, rc = TLSOCK_E_CHAIN_INCOMPLETE;

    while (rc == TLSOCK_E_CHAIN_INCOMPLETE && grew == FIXCHAIN_GREW) {
        tlsock_cert *last = fixchain_last(g->chain);
        char *urls = strdup(certfield_text(last, TLSOCK_CERT_AIA_URLS)),
             *save = NULL, *url;

        tlsock_cert_unref(last);
        grew = FIXCHAIN_NONE;
        url = urls != NULL ? strtok_r(urls, " ", &save) : NULL;
        if (url == NULL)
            snprintf(g->why, sizeof(g->why),
                     "the certificate does not say where it is");
        while (url != NULL && grew == FIXCHAIN_NONE &&
               g->fetches < MOST_FETCHES && now_ms() < end) {
            grew = fetch_one(g, url, (int)(end - now_ms()) + 1);
            url = strtok_r(NULL, " ", &save);
        }
        free(urls);
        g->root = grew == FIXCHAIN_ROOT;
        if (grew == FIXCHAIN_GREW)
            rc = verify(c, g->chain, 0, path, &err);
    }
    return rc;
}

/* The boxes: what was sent and is needed, what is missing, where it ends, and
 * what was sent in vain. */
static void draw(struct check *c, const struct grown *g,
                 const tlsock_cert *path, int complete)
{
    int n = tlsock_cert_chain_len(g->chain) + 1;
    const char *trust = c->o.ca.n > 0 ? "trusted by --ca" : "system store";
    tlsock_cert *end = fixchain_last(path != NULL ? path : g->chain);
    int root = path != NULL && !fixchain_holds(g->chain, end);

    for (int i = 0; i < n && i < MOST_SHOWN; i++) {
        tlsock_cert *at = fixchain_at(g->chain, i);

        tell(c, i < g->sent ? "sent" : "missing", i, at, NULL,
             i < g->sent || i > 31 || g->from[i - 1] == NULL ? NULL
                                                             : g->from[i - 1]);
        tlsock_cert_unref(at);
    }
    if (root)
        tell(c, "trusted", n, end, NULL, trust);
    else if (path == NULL && !fixchain_is_root(end))
        tell(c, complete ? "untrusted" : "missing", n, NULL,
             certfield(end, TLSOCK_CERT_ISSUER),
             complete ? "trusted by nobody here" : "not found");
    tlsock_cert_unref(end);
}

/* Place in the chain as it should be, or -1. */
static int place_of(const tlsock_cert *chain, const tlsock_cert *one)
{
    const char *want = certfield(one, TLSOCK_CERT_SHA256);
    int n = tlsock_cert_chain_len(chain), place = -1;

    for (int i = 0; i <= n && place < 0; i++) {
        tlsock_cert *at = fixchain_at(chain, i);
        const char *is = at != NULL ? certfield(at, TLSOCK_CERT_SHA256) : NULL;

        if (is != NULL && want != NULL && strcmp(is, want) == 0)
            place = i;
        tlsock_cert_unref(at);
    }
    return place;
}

/* What is wrong with the chain as it came, apart from what is missing. */
struct sending {
    char extra[400]; /* names of what nobody needs */
    char root[120];
    int disorder;
};

static void add_extra(struct sending *w, const tlsock_cert *at)
{
    size_t used = strlen(w->extra);
    char name[120];

    check_cert_name(at, name, sizeof(name));
    if (used + sizeof(name) + 8 < sizeof(w->extra))
        snprintf(w->extra + used, sizeof(w->extra) - used, "%s\"%s\"",
                 used > 0 ? ", " : "", name);
}

static void look_through(struct check *c, const struct grown *g,
                         struct sending *w)
{
    const tlsock_cert *sent = c->main->sent;
    int n = tlsock_cert_chain_len(sent), last = 0;

    for (int i = 0; i < n && i < 100; i++) {
        tlsock_cert *at = certfield_chain(sent, i);
        int place = at != NULL ? place_of(g->chain, at) : 0;

        if (at != NULL && place < 0 && fixchain_is_root(at)) {
            check_cert_name(at, w->root, sizeof(w->root));
        } else if (at != NULL && (place < 0 || place == last)) {
            tell(c, "extra", i + 1, at, NULL, NULL);
            add_extra(w, at);
        } else {
            w->disorder = w->disorder || place < last;
            last = place;
        }
        tlsock_cert_unref(at);
    }
}

static void sending(struct check *c, const struct grown *g)
{
    static const char fix[] = "serve the leaf, then what leads to the root, "
                              "without it: --write-chain FILE writes that";
    struct sending w = {.disorder = 0};

    look_through(c, g, &w);
    if (w.disorder)
        check_add(c, CHECK_WARN, "chain-order", fix,
                  "the chain is not in order: TLSv1.2 wants each certificate "
                  "behind the one that it signed (RFC 5246, 7.4.2)");
    if (w.extra[0] != '\0')
        check_add(c, CHECK_NOTE, "chain-extra", fix,
                  "certificates are sent that nobody needs: %s", w.extra);
    if (w.root[0] != '\0' && tlsock_cert_chain_len(c->main->sent) > 0)
        check_add(c, CHECK_NOTE, "chain-root", fix,
                  "the root \"%s\" is sent, which clients have to know anyway",
                  w.root);
}

/* What DANE stands in for hurts only those who do not know it. */
static enum check_level grave(const struct check *c)
{
    return c->main->err.code == 0 && c->main->verdict.code == 0 ? CHECK_WARN
                                                                : CHECK_ERROR;
}

/* It ends at something that nobody can go on from. */
static void stuck(struct check *c, const struct grown *g,
                  const tlsock_error *err)
{
    const tlsock_error *v = &c->main->verdict;
    tlsock_cert *last = fixchain_last(g->chain);
    char name[200], issuer[200];

    check_cert_name(last, name, sizeof(name));
    short_name(certfield(last, TLSOCK_CERT_ISSUER), issuer, sizeof(issuer));
    rows(c,
         check_add(c, grave(c), "chain-incomplete",
                   v->code == TLSOCK_E_CHAIN_INCOMPLETE ? v->hint : err->hint,
                   "the chain ends at \"%.120s\": its issuer \"%.120s\" is "
                   "neither sent nor trusted here%s%.390s%s",
                   name, issuer, g->why[0] != '\0' ? " (" : "", g->why,
                   g->why[0] != '\0' ? ")" : ""));
    tlsock_cert_unref(last);
}

static void incomplete(struct check *c, const struct grown *g)
{
    tlsock_cert *at = fixchain_at(g->chain, g->sent);
    char name[200], fix[400];

    check_cert_name(at, name, sizeof(name));
    snprintf(fix, sizeof(fix),
             "serve leaf and intermediate: tlsock check %.200s --write-chain "
             "fullchain.pem",
             c->target);
    rows(c, check_add(c, grave(c), "chain-incomplete", fix,
                      "the server does not send the intermediate \"%.120s\"",
                      name));
    tlsock_cert_unref(at);
}

static void untrusted(struct check *c, const struct grown *g)
{
    tlsock_cert *last = fixchain_last(g->chain);
    char root[200];

    short_name(certfield(last, TLSOCK_CERT_ISSUER), root, sizeof(root));
    rows(c, check_add(c, grave(c), "untrusted-root",
                      "if it is a CA of your own: --ca +FILE or tlsock trust "
                      "install; else have a certificate issued by a CA that "
                      "clients know",
                      "the chain ends at the root \"%.120s\", which is not "
                      "trusted here",
                      root));
    tlsock_cert_unref(last);
}

static void good(struct check *c, const tlsock_cert *path)
{
    char line[600] = "", name[120];
    size_t used = 0;
    int n = tlsock_cert_chain_len(path);

    for (int i = 0; i <= n && used + 130 < sizeof(line); i++) {
        tlsock_cert *at = fixchain_at(path, i);

        check_cert_name(at, name, sizeof(name));
        used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s",
                                 i > 0 ? " < " : "", name);
        tlsock_cert_unref(at);
    }
    if (n == 0 && !fixchain_is_root(path))
        check_add(c, CHECK_OK, "chain", NULL, "%s, accepted for itself", line);
    else
        check_add(c, CHECK_OK, "chain", NULL, "%s (%s)", line,
                  c->o.ca.n > 0 ? "trusted by --ca" : "system store");
}

/* In the middle of its life all else about it can still be judged. */
static int64_t lively(const tlsock_cert *leaf)
{
    struct tm from = {0}, to = {0};
    const char *f = certfield(leaf, TLSOCK_CERT_NOT_BEFORE),
               *t = certfield(leaf, TLSOCK_CERT_NOT_AFTER);

    if (strptime(f, "%Y-%m-%dT%H:%M:%SZ", &from) == NULL ||
        strptime(t, "%Y-%m-%dT%H:%M:%SZ", &to) == NULL)
        return 0;
    return civil_seconds(&from) / 2 + civil_seconds(&to) / 2;
}

static void complete(struct check *c, struct grown *g, tlsock_cert **path,
                     const tlsock_error *err)
{
    int found;

    if (c->no_aia || c->o.proxy != NULL)
        snprintf(g->why, sizeof(g->why), "nothing was fetched: %s",
                 c->no_aia ? "--no-aia" : "--proxy");
    else
        (void)fetch_missing(c, g, path);
    found = tlsock_cert_chain_len(g->chain) + 1 > g->sent;
    c->complete = *path != NULL || g->root;
    draw(c, g, *path, g->root);
    if (found)
        incomplete(c, g);
    if (*path == NULL && g->root)
        untrusted(c, g);
    else if (*path == NULL)
        stuck(c, g, err);
}

static void judge(struct check *c, struct grown *g, tlsock_cert **path)
{
    tlsock_error err;
    int rc = verify(c, c->main->sent, 0, path, &err);

    if (rc == TLSOCK_E_EXPIRED || rc == TLSOCK_E_NOT_YET_VALID) {
        check_add_error(c, grave(c), &err);
        rc = verify(c, c->main->sent, lively(c->main->sent), path, &err);
        if (rc == TLSOCK_E_EXPIRED || rc == TLSOCK_E_NOT_YET_VALID)
            rc = 0;
    }
    if (rc == TLSOCK_E_CHAIN_INCOMPLETE) {
        complete(c, g, path, &err);
        return;
    }
    draw(c, g, *path, 1);
    c->complete = rc == 0 || rc == TLSOCK_E_UNTRUSTED_ROOT;
    if (rc != 0)
        rows(c, check_add_error(c, grave(c), &err));
    else if (*path != NULL)
        good(c, *path);
}

/* Out of what was sent, in whatever order: each round adds one at least. A
 * peer may send hundreds that seem to fit, so that only so many are tried. */
static void extend(tlsock_cert **chain, const tlsock_cert *sent)
{
    int n = tlsock_cert_chain_len(sent), rc = FIXCHAIN_GREW;

    n = n < MOST_TRIED ? n : MOST_TRIED;
    while (rc == FIXCHAIN_GREW) {
        rc = FIXCHAIN_NONE;
        for (int i = 0; i < n && rc == FIXCHAIN_NONE; i++) {
            tlsock_cert *at = certfield_chain(sent, i);
            tlsock_cert *one = at != NULL ? fixchain_alone(at) : NULL;

            rc = one != NULL ? fixchain_extend(chain, one) : FIXCHAIN_NONE;
            tlsock_cert_unref(one);
            tlsock_cert_unref(at);
        }
    }
}

void check_chain(struct check *c)
{
    struct grown g = {.chain = fixchain_alone(c->main->sent)};

    if (g.chain == NULL)
        return;
    extend(&g.chain, c->main->sent);
    g.sent = tlsock_cert_chain_len(g.chain) + 1;
    judge(c, &g, &c->path);
    sending(c, &g);
    for (size_t i = 0; i < 32; i++)
        free(g.from[i]);
    c->full = g.chain;
}

int check_write_chain(struct check *c)
{
    const unsigned both = TLSOCK_PART_CERT | TLSOCK_PART_CHAIN;
    struct tofile f;
    char *text;
    int rc;

    if (c->full == NULL || !c->complete)
        return err_plain(&c->o.out, c->write_chain, EXIT_OWN, "own-file",
                         "tlsock cert fix FILE --with DIR puts it together "
                         "out of files",
                         "nothing was written: the chain of %.200s could not "
                         "be completed",
                         c->target);
    text = certfield_pem(NULL, c->full, both);
    if (text == NULL)
        return err_plain(&c->o.out, c->write_chain, EXIT_INTERNAL, "nomem", "",
                         "out of memory for the chain of %.200s", c->target);
    rc = tofile_begin(&f, &c->o.out, c->write_chain, c->force);
    if (rc == 0) {
        rc = tofile_write(&f, text, strlen(text));
        rc = tofile_end(&f, rc);
    }
    free(text);
    return rc;
}
