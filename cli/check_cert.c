/* Whom the certificate is for, how long it lasts, and what standards and
 * browsers have against it. */
#include "certfield.h"
#include "certtext.h"
#include "check.h"

#include "facts.h"

#include <string.h>

static const char *scheme_of(const struct check *c)
{
    for (size_t i = 0; i + 2 < c->o.sets.n; i += 3)
        if (strcmp(c->o.sets.v[i], "verify.scheme") == 0)
            return c->o.sets.v[i + 1];
    return NULL;
}

/* The connection knows all rules; where it ended before the name, or something
 * else stood in for it, the certificate itself is asked. */
static void check_name(struct check *c)
{
    const struct check_address *m = c->main;
    tlsock_error err = {0};
    int rc;

    if (c->name[0] == '\0') {
        check_add(c, CHECK_NOTE, "no-name",
                  "--name NAME says what the certificate has to be for",
                  "no name was asked for, so none was checked");
        return;
    }
    if (m->err.code == 0 && m->verdict.code == TLSOCK_E_NAME_MISMATCH) {
        check_add_error(c, CHECK_ERROR, &m->verdict);
        return;
    }
    rc = tlsock_cert_matches(m->sent, c->name, scheme_of(c), &err);
    if (rc == 0 || (m->verdict.code == 0 && m->by_chain))
        check_add(c, CHECK_OK, "name", NULL, "matches %s", c->name);
    else if (m->verdict.code == 0)
        check_add_error(c, CHECK_NOTE, &err);
    else
        check_add_error(c, CHECK_ERROR, &err);
}

/* Said already, by whoever verified it, or said better elsewhere. */
static int said(const struct check *c, const char *code)
{
    static const char *const elsewhere[] = {"self-signed", "chain-order",
                                            "chain-duplicate", "chain-root"};
    const json_t *f;
    size_t i;

    for (i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
        if (strcmp(code, elsewhere[i]) == 0)
            return 1;
    json_array_foreach(c->findings, i, f)
    {
        const char *is = certtext_get(f, "code");

        if (strcmp(is, code) == 0 && (strcmp(code, "expired") == 0 ||
                                      strcmp(code, "not-yet-valid") == 0))
            return 1;
        if (strcmp(code, "chain-expired") == 0 && strcmp(is, "expired") == 0)
            return 1;
    }
    return 0;
}

static int take_lint(const tlsock_lint *lint, void *arg)
{
    static const enum check_level levels[] = {CHECK_NOTE, CHECK_WARN,
                                              CHECK_ERROR};
    struct check *c = arg;
    enum check_level level = levels[lint->severity];
    char name[120];
    tlsock_cert *at;
    json_t *f;

    if (said(c, lint->code))
        return 0;
    /* a server that goes on with it is about to fail */
    if (strcmp(lint->code, "expires-soon") == 0 && lint->index == 0)
        level = CHECK_WARN;
    f = check_add(c, level, lint->code, lint->hint, "%s", lint->message);
    json_object_set_new(f, "certificate", json_integer(lint->index));
    json_object_set_new(f, "source", out_json_text(lint->source));
    if (lint->index > 0) {
        at = certfield_chain(c->full, lint->index - 1);
        check_cert_name(at, name, sizeof(name));
        check_row(f, "in", "%d  %s", lint->index, name);
        tlsock_cert_unref(at);
    }
    return 0;
}

void check_cert(struct check *c)
{
    tlsock_error err;
    char expiry[80];

    if (c->main->sent == NULL)
        return;
    json_object_set_new(c->doc, "certificates",
                        facts_certs_json(c->main->sent));
    check_chain(c);
    check_name(c);
    /* in its right order: how it was sent has been judged */
    if (c->full != NULL && tlsock_cert_lint(c->full, take_lint, c, &err) < 0)
        check_add_error(c, CHECK_NOTE, &err);
    if (!check_has(c, "expired") && !check_has(c, "expires-soon")) {
        facts_expiry(c->main->sent, expiry, sizeof(expiry));
        check_add(c, CHECK_OK, "expiry", NULL, "%s", expiry);
    }
}
