#include "fixchain.h"

#include "certfield.h"
#include "facts.h"

#include <stdlib.h>
#include <string.h>

static char *text_of(const tlsock_cert *a, unsigned parts, const tlsock_cert *b)
{
    char *text = strdup("pem:");

    if (text != NULL)
        text = certfield_pem(text, a, parts);
    return text == NULL || b == NULL ? text : certfield_pem(text, b, parts);
}

char *fixchain_text(const tlsock_cert *a, const tlsock_cert *b)
{
    return text_of(a, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, b);
}

tlsock_cert *fixchain_at(const tlsock_cert *c, int i)
{
    return i == 0 ? tlsock_cert_ref((tlsock_cert *)(uintptr_t)c)
                  : certfield_chain(c, i - 1);
}

tlsock_cert *fixchain_last(const tlsock_cert *c)
{
    return fixchain_at(c, tlsock_cert_chain_len(c));
}

/* Same name and key; that the key signed it is the library's to find. */
int fixchain_is_root(const tlsock_cert *c)
{
    json_t *told = facts_cert_json(c);
    int root = json_is_true(json_object_get(told, "self_signed"));

    json_decref(told);
    return root;
}

int fixchain_holds(const tlsock_cert *all, const tlsock_cert *one)
{
    const char *want = certfield(one, TLSOCK_CERT_SHA256);
    int found = 0;

    for (int i = 0; !found && i <= tlsock_cert_chain_len(all); i++) {
        tlsock_cert *at = fixchain_at(all, i);
        const char *is = certfield(at, TLSOCK_CERT_SHA256);

        found = is != NULL && want != NULL && strcmp(is, want) == 0;
        tlsock_cert_unref(at);
    }
    return found;
}

/* Of "pem:...", which is freed. What there is no memory for is told at the end:
 * NULL alone would be "this leads nowhere". */
static tlsock_cert *parse(char *text)
{
    tlsock_error err = {.code = TLSOCK_E_NOMEM};
    tlsock_cert *c = NULL;

    if (text != NULL)
        c = tlsock_cert_parse(text + 4, strlen(text + 4), NULL, &err);
    if (c == NULL && err.code == TLSOCK_E_NOMEM)
        out_lack();
    free(text);
    return c;
}

static tlsock_cert *join(const tlsock_cert *a, const tlsock_cert *b)
{
    return parse(fixchain_text(a, b));
}

/* Did this very root sign the end of the chain? */
static int signed_by(const tlsock_cert *last, const tlsock_cert *root)
{
    tlsock_cert *pair = join(last, root);
    json_t *told = pair != NULL ? facts_cert_json(pair) : NULL;
    const json_t *index = json_object_get(told, "issuer_index");
    int yes = json_is_integer(index) && json_integer_value(index) >= 0;

    json_decref(told);
    tlsock_cert_unref(pair);
    return yes;
}

tlsock_cert *fixchain_alone(const tlsock_cert *c)
{
    return parse(text_of(c, TLSOCK_PART_CERT, NULL));
}

/* A longer chain with one candidate at its end, or NULL. */
static tlsock_cert *grown(const tlsock_cert *chain, const tlsock_cert *one)
{
    tlsock_cert *joined = join(chain, one), *ordered = NULL;
    tlsock_error err = {0};

    if (joined != NULL)
        ordered = tlsock_cert_order(joined, &err);
    if (err.code == TLSOCK_E_NOMEM)
        out_lack();
    tlsock_cert_unref(joined);
    if (ordered != NULL &&
        tlsock_cert_chain_len(ordered) > tlsock_cert_chain_len(chain))
        return ordered;
    tlsock_cert_unref(ordered);
    return NULL;
}

static int try_one(tlsock_cert **chain, const tlsock_cert *one)
{
    tlsock_cert *last = fixchain_last(*chain), *longer = NULL;
    const char *want = certfield(last, TLSOCK_CERT_ISSUER),
               *is = certfield(one, TLSOCK_CERT_SUBJECT);
    int rc = FIXCHAIN_NONE;

    if (want != NULL && is != NULL && strcmp(want, is) == 0) {
        if (fixchain_is_root(one))
            rc = signed_by(last, one) ? FIXCHAIN_ROOT : FIXCHAIN_NONE;
        else
            longer = grown(*chain, one);
    }
    tlsock_cert_unref(last);
    if (longer == NULL)
        return rc;
    tlsock_cert_unref(*chain);
    *chain = longer;
    return FIXCHAIN_GREW;
}

int fixchain_extend(tlsock_cert **chain, const tlsock_cert *more)
{
    int n = tlsock_cert_chain_len(more), result = FIXCHAIN_NONE;

    for (int i = 0; i <= n; i++) {
        tlsock_cert *at = fixchain_at(more, i);
        tlsock_cert *one = at != NULL ? fixchain_alone(at) : NULL;
        int rc = one != NULL ? try_one(chain, one) : FIXCHAIN_NONE;

        tlsock_cert_unref(one);
        tlsock_cert_unref(at);
        if (rc == FIXCHAIN_ROOT)
            return rc;
        if (rc == FIXCHAIN_GREW) {
            result = rc;
            i = -1; /* the next one may have been passed already */
        }
    }
    return result;
}
