/* Whose TLSA records a connection goes by, and the rung that waits for them:
 * their lookup begins beside the dial, and ends before anything is said. */
#include "api/dane.h"

#include "api/conn.h"
#include "core/mem.h"
#include "net/addr.h"
#include "net/target.h"

#include <stdio.h>
#include <string.h>

/* The name whose service this is: the target's, or what the caller calls the
 * machine at a numeric address. "" if there is none. */
static int base_of(char out[256], const struct tsk_target *t,
                   const tlsock_opts *o, tlsock_error *err)
{
    const char *host = t->is_ip || t->host[0] == '\0' ? o->name : t->host;
    uint8_t ip[16];
    int rc;

    out[0] = '\0';
    if (t->path[0] != '\0' || host == NULL || host[0] == '\0')
        return TLSOCK_OK;
    rc = tsk_host_normalise(out, host, err);
    if (rc == TLSOCK_OK && tsk_ip_parse(out, ip) != 0)
        out[0] = '\0';
    return rc;
}

static int no_base(const tlsock *s, tlsock_error *err)
{
    if (s->set->dane != TSK_DANE_REQUIRE)
        return TLSOCK_OK;
    tsk_fail(err, TLSOCK_E_UNSUPPORTED,
             "dane = require, but without a host name and a port there are no "
             "TLSA records to ask for");
    tsk_hint(err, "use tlsock_connect() with \"host:port\", or with an address "
                  "and the name in opts.name; or dane = on");
    return TLSOCK_E_UNSUPPORTED;
}

int tsk_dane_prepare(tlsock *s, const struct tsk_target *t,
                     const tlsock_opts *o, tlsock_error *err)
{
    struct tsk_dane *d;
    char base[256] = "";
    int rc;

    s->sni_given = o->sni != NULL;
    if (s->server || s->set->dane == TSK_DANE_OFF)
        return TLSOCK_OK;
    rc = t != NULL ? base_of(base, t, o, err) : TLSOCK_OK;
    if (rc < 0)
        return rc;
    if (base[0] == '\0')
        return no_base(s, err);
    d = tsk_alloc(sizeof(*d));
    if (d == NULL)
        return tsk_fail_nomem(err);
    snprintf(d->host, sizeof(d->host), "%s", base);
    snprintf(d->service, sizeof(d->service), "%s", t->service);
    d->required = s->set->dane == TSK_DANE_REQUIRE;
    s->dane = d;
    return TLSOCK_OK;
}

int tsk_dane_begin(tlsock *s)
{
    struct tsk_dane *d = s->dane;

    if (d == NULL || d->lookup != NULL)
        return TLSOCK_OK;
    d->lookup =
        tsk_tlsa_start(tsk_ctx_dns(s->ctx), d->host, d->service, tsk_err(s));
    return d->lookup != NULL ? TLSOCK_OK : tsk_err_of(s)->code;
}

int tsk_dane_step(tlsock *s)
{
    const struct tsk_tlsa_set *set = NULL;
    int rc = tsk_dane_begin(s);

    if (rc == TLSOCK_OK)
        rc = tsk_tlsa_result(s->dane->lookup, &set, tsk_err(s));
    if (rc < 0)
        return rc;
    s->dane->set = set;
    return tsk_dane_judge(s->dane, &s->dane->found, tsk_err(s));
}

size_t tsk_dane_pollfds(const tlsock *s, struct pollfd *fds, size_t max)
{
    if (s->dane->lookup == NULL || max == 0)
        return 0;
    fds[0] = (struct pollfd){tsk_tlsa_fd(s->dane->lookup), POLLIN, 0};
    return 1;
}

int tsk_dane_forbids_plaintext(const tlsock *s)
{
    return s->dane != NULL && s->dane->set != NULL &&
           s->dane->set->state == TSK_TLSA_THERE;
}

void tsk_dane_free(tlsock *s)
{
    if (s->dane == NULL)
        return;
    tsk_tlsa_free(s->dane->lookup);
    tsk_free(s->dane);
    s->dane = NULL;
}

const char *tsk_dane_text(tlsock *s)
{
    static const char *const states[] = {[TSK_TLSA_THERE] = "unusable",
                                         [TSK_TLSA_NONE] = "none",
                                         [TSK_TLSA_INSECURE] = "insecure",
                                         [TSK_TLSA_BOGUS] = "bogus",
                                         [TSK_TLSA_FAILED] = "failed"};
    const struct tsk_dane *d = s->dane;
    char *text;

    if (d == NULL || d->set == NULL)
        return "";
    if (d->usable == 0)
        return states[d->set->state];
    if (s->facts->verdict.dane[0] == '\0') /* by pin, or insecurely */
        return "secure";
    text = tsk_conn_text(s);
    snprintf(text, TSK_CONN_TEXT, "secure %s", s->facts->verdict.dane);
    return text;
}
