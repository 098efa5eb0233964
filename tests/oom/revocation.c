/* A connection that asks whether its peer is revoked, and for an issuer that
 * was not sent, with the n-th allocation failing: who is revoked is never
 * accepted, not even where nobody knowing anything would be borne. */
#include "ca.h"
#include "each.h"
#include "netweb.h"
#include "raw.h"

#include <unistd.h>

struct place {
    struct netweb net;
    char inter[8192];
    const char *fail;  /* revocation.fail, or NULL: it is not asked */
    tlsock_cert *bare; /* sent without its issuer, which it tells of */
};

static void place_make(struct place *p, const struct net *says)
{
    memset(p, 0, sizeof(*p));
    netweb_start(&p->net, says);
}

static void place_free(struct place *p)
{
    netweb_stop(&p->net);
    tlsock_cert_unref(p->bare);
}

static void withhold_issuer(struct place *p)
{
    static const char *const sans[] = {"a.test"};
    struct httpd_page page = {.path = "/issuer", .body = p->inter};
    char url[64];

    snprintf(url, sizeof(url), "%s/issuer", p->net.web.url);
    p->bare = tlsock_cert_create(TLSOCK_CERT_OPTS(.sans = sans, .n_sans = 1,
                                                  .issuer = p->net.pki.inter,
                                                  .aia_url = url),
                                 NULL);
    assert_non_null(p->bare);
    page.len = (size_t)tlsock_cert_pem(p->net.pki.inter, TLSOCK_PART_CERT,
                                       p->inter, sizeof(p->inter));
    assert_within(page.len, 1, sizeof(p->inter) - 1);
    httpd_set(&p->net.web, &page);
}

/* A config of its own each time: nothing is known from the time before. */
static int prepare(struct world *w, const struct place *p)
{
    int rc = tlsock_config_add_trust(w->cc, p->net.root);

    if (rc == 0 && p->fail != NULL)
        rc = tlsock_config_set(w->cc, "revocation", "full");
    if (rc == 0 && p->fail != NULL)
        rc = tlsock_config_set(w->cc, "revocation.fail", p->fail);
    if (rc == 0 && p->bare != NULL)
        rc = tlsock_config_set(w->cc, "aia", "on");
    return rc == 0 ? 0 : note(w, tlsock_config_error(w->cc), rc);
}

static int connect_to(struct world *w, const struct place *p)
{
    struct raw_opts raw = {.cert = p->net.pki.leaf};
    struct sock_thread t;
    tlsock_error err = {0};
    int fds[2];
    tlsock *s;

    if (p->bare != NULL)
        raw = (struct raw_opts){.cert = p->bare, .no_chain = 1};
    sock_pair(fds);
    sock_run(&t, fds[1], sock_raw_echo, &raw);
    s = tlsock_client_fd(fds[0], w->name, w->cc,
                         TLSOCK_OPTS(.timeout_ms = 30000), &err);
    w->accepted = s != NULL;
    if (s == NULL) /* the caller's then */
        close(fds[0]);
    else if (p->fail != NULL && strcmp(p->fail, "hard") == 0 &&
             strncmp(tlsock_info(s, TLSOCK_INFO_REVOCATION), "good by", 7) != 0)
        w->broken = "accepted without anybody's word";
    tlsock_close(s);
    sock_wait(&t);
    return s != NULL ? 0 : note(w, &err, err.code);
}

static int visit(struct world *w)
{
    const struct place *p = w->with;
    int rc = TLSOCK_E_NOMEM;

    w->cc = tlsock_config_new();
    if (w->cc == NULL)
        return note(w, &(tlsock_error){0}, rc);
    rc = prepare(w, p);
    if (rc == 0)
        rc = connect_to(w, p);
    tlsock_config_unref(w->cc);
    return rc;
}

static const struct row {
    const char *what, *fail;
    struct net says;
    int want;
} rows[] = {
    {"good by lists", "hard", {NET_GOOD, NET_NONE, NET_GOOD, NET_NONE}, 0},
    {"good by responders", "hard", {NET_NONE, NET_GOOD, NET_NONE, NET_GOOD}, 0},
    {"revoked by a list",
     "hard",
     {NET_REVOKED, NET_NONE, NET_GOOD, NET_NONE},
     TLSOCK_E_REVOKED},
    {"revoked by a list, soft",
     "soft",
     {NET_REVOKED, NET_NONE, NET_GOOD, NET_NONE},
     TLSOCK_E_REVOKED},
    {"revoked by a responder, soft",
     "soft",
     {NET_NONE, NET_REVOKED, NET_GOOD, NET_NONE},
     TLSOCK_E_REVOKED},
};

static void play(const char *what, struct place *p, const char *name,
                 enum fault_kind kind, int want)
{
    struct world w = {.with = p,
                      .name = name,
                      .dense = 20,
                      .stride = 41,
                      .soft = p->fail != NULL && p->fail[0] == 's'};

    each(what, visit, &w, kind, want);
}

static void everybody_is_asked(enum fault_kind kind)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct place p;

        place_make(&p, &rows[i].says);
        p.fail = rows[i].fail;
        play(rows[i].what, &p, "a.test", kind, rows[i].want);
        place_free(&p);
    }
}

static void who_is_revoked_stays_out_without_own_memory(void **state)
{
    (void)state;
    everybody_is_asked(FAULT_OWN);
}

static void who_is_revoked_stays_out_without_openssls_memory(void **state)
{
    (void)state;
    everybody_is_asked(FAULT_OPENSSL);
}

static void an_issuer_is_fetched(enum fault_kind kind)
{
    static const struct net none = {NET_NONE, NET_NONE, NET_NONE, NET_NONE};
    struct place p;

    place_make(&p, &none);
    withhold_issuer(&p);
    play("an issuer", &p, "a.test", kind, 0);
    play("an issuer, another name", &p, "b.test", kind, TLSOCK_E_NAME_MISMATCH);
    place_free(&p);
}

static void an_issuer_is_fetched_or_own_memory_is_lacking(void **state)
{
    (void)state;
    an_issuer_is_fetched(FAULT_OWN);
}

static void an_issuer_is_fetched_or_openssls_memory_is_lacking(void **state)
{
    (void)state;
    an_issuer_is_fetched(FAULT_OPENSSL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest own[] = {
        cmocka_unit_test(an_issuer_is_fetched_or_own_memory_is_lacking),
        cmocka_unit_test(who_is_revoked_stays_out_without_own_memory)};
    const struct CMUnitTest openssl[] = {
        cmocka_unit_test(an_issuer_is_fetched_or_openssls_memory_is_lacking),
        cmocka_unit_test(who_is_revoked_stays_out_without_openssls_memory)};

    fault_init();
    return argc > 1 && strcmp(argv[1], "own") == 0
               ? cmocka_run_group_tests(own, NULL, NULL)
               : cmocka_run_group_tests(openssl, NULL, NULL);
}
