/* Validity: RFC 5280, 4.1.2.5, and how long clients allow it to be. */
#include "cert/lint.h"

#include <string.h>

#define DAY 86400

static int date_at(struct tsk_lint_cert *l, int which, struct tsk_der *out)
{
    struct tsk_der validity = l->validity;

    return tsk_der_next(&validity, out) &&
           (which == 0 || tsk_der_next(&validity, out));
}

/* "YYMMDDHHMMSSZ" or "YYYYMMDDHHMMSSZ", nothing else. */
static int format(struct tsk_lint_cert *l, int which)
{
    struct tsk_der d;
    size_t digits;
    int ok;

    if (!date_at(l, which, &d))
        return 0;
    digits = d.tag == V_ASN1_UTCTIME ? 12 : 14;
    ok = d.n == digits + 1 && d.p[digits] == 'Z';
    for (size_t i = 0; ok && i < digits; i++)
        ok = d.p[i] >= '0' && d.p[i] <= '9';
    if (ok)
        return 0;
    return tsk_lint_say(l,
                        "%s is \"%s\": no date with seconds and Z, without "
                        "fractions",
                        which == 0 ? "notBefore" : "notAfter",
                        tsk_lint_show(l, d.p, d.n));
}

static int choice(struct tsk_lint_cert *l, int which)
{
    struct tsk_der d;

    if (!date_at(l, which, &d) || d.tag != V_ASN1_GENERALIZEDTIME || d.n < 4 ||
        memcmp(d.p, "2050", 4) >= 0 || memcmp(d.p, "1950", 4) < 0)
        return 0;
    return tsk_lint_say(l, "%s, \"%s\", is before 2050, but not UTCTime",
                        which == 0 ? "notBefore" : "notAfter",
                        tsk_lint_show(l, d.p, d.n));
}

static int unreadable(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->from != INT64_MIN && l->to != INT64_MIN)
        return 0;
    return tsk_lint_say(l, "%s is no date",
                        l->from == INT64_MIN ? "notBefore" : "notAfter");
}

static int dates_known(const struct tsk_lint_cert *l)
{
    return l->from != INT64_MIN && l->to != INT64_MIN;
}

static int order(struct tsk_lint_cert *l, int arg)
{
    char from[32], to[32];

    (void)arg;
    if (!dates_known(l) || l->from <= l->to)
        return 0;
    tsk_cert_date(X509_get0_notBefore(l->x), from);
    tsk_cert_date(X509_get0_notAfter(l->x), to);
    return tsk_lint_say(l, "it ends (%s) before it begins (%s)", to, from);
}

static int expired(struct tsk_lint_cert *l, int arg)
{
    char when[32];

    (void)arg;
    if (l->to == INT64_MIN || l->to >= l->now)
        return 0;
    tsk_cert_date(X509_get0_notAfter(l->x), when);
    return tsk_lint_say(l, "it expired on %s", when);
}

static int early(struct tsk_lint_cert *l, int arg)
{
    char when[32];

    (void)arg;
    if (l->from == INT64_MIN || l->from <= l->now)
        return 0;
    tsk_cert_date(X509_get0_notBefore(l->x), when);
    return tsk_lint_say(l, "it is not valid before %s", when);
}

/* Of a short-lived one, the last third is early enough. */
static int soon(struct tsk_lint_cert *l, int arg)
{
    int64_t left;

    if (!dates_known(l) || l->to < l->now)
        return 0;
    left = l->to - l->now;
    if (left > arg * (int64_t)DAY || left > (l->to - l->from) / 3)
        return 0;
    return tsk_lint_say(l, "it expires in %lld days", (long long)(left / DAY));
}

/* CA/Browser Forum Baseline Requirements, 6.3.2. */
static int too_long(struct tsk_lint_cert *l, int arg)
{
    static const struct {
        int64_t since;
        int days;
    } most[] = {{1868227200, 47},   /* 2029-03-15 */
                {1805068800, 100},  /* 2027-03-15 */
                {1773532800, 200},  /* 2026-03-15 */
                {1598918400, 398},  /* 2020-09-01 */
                {1519862400, 825},  /* 2018-03-01 */
                {1427846400, 1187}, /* 2015-04-01 */
                {INT64_MIN, 1827}};
    int64_t days;
    size_t i = 0;

    (void)arg;
    if (!dates_known(l) || l->to < l->from)
        return 0;
    while (l->from < most[i].since)
        i++;
    /* the last second counts */
    days = (l->to - l->from + 1 + DAY - 1) / DAY;
    if (l->to - l->from + 1 <= most[i].days * (int64_t)DAY + 1)
        return 0;
    return tsk_lint_say(l,
                        "it is valid for %lld days; browsers allow %d for "
                        "one that begins then",
                        (long long)days, most[i].days);
}

static int no_end(struct tsk_lint_cert *l, int arg)
{
    struct tsk_der d;

    (void)arg;
    if (!date_at(l, 1, &d) || d.n != 15 ||
        memcmp(d.p, "99991231235959Z", 15) != 0)
        return 0;
    return tsk_lint_say(l, "it never expires (99991231235959Z)");
}

const struct tsk_lint_rule tsk_lint_dates[] = {
    {"validity-unreadable", LINT_E, LINT_ANY, unreadable, 0,
     "RFC 5280, 4.1.2.5", "have it issued anew: every client refuses it"},
    {"validity-order", LINT_E, LINT_ANY, order, 0, "RFC 5280, 4.1.2.5",
     "have it issued anew, with its end after its beginning"},
    {"not-before-format", LINT_E, LINT_ANY, format, 0, "RFC 5280, 4.1.2.5",
     "write dates as YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ"},
    {"not-after-format", LINT_E, LINT_ANY, format, 1, "RFC 5280, 4.1.2.5",
     "write dates as YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ"},
    {"not-before-type", LINT_E, LINT_ANY, choice, 0, "RFC 5280, 4.1.2.5",
     "write dates before 2050 as UTCTime"},
    {"not-after-type", LINT_E, LINT_ANY, choice, 1, "RFC 5280, 4.1.2.5",
     "write dates before 2050 as UTCTime"},
    {"expired", LINT_E, LINT_FIRST, expired, 0, "RFC 5280, 6.1.3",
     "renew it: tlsock cert renew"},
    {"chain-expired", LINT_E, LINT_CHAIN, expired, 0, "RFC 5280, 6.1.3",
     "replace it by the CA's current certificate"},
    {"not-yet-valid", LINT_W, LINT_ANY, early, 0, "RFC 5280, 6.1.3",
     "wait until then, or set this machine's clock"},
    {"expires-soon", LINT_N, LINT_ANY, soon, 14, "practice",
     "renew it now: tlsock cert renew"},
    {"validity-too-long", LINT_W, LINT_SERVER, too_long, 0, "CA/B BR, 6.3.2",
     "ask for a shorter lifetime, and renew automatically"},
    {"validity-no-end", LINT_N, LINT_ANY, no_end, 0, "RFC 5280, 4.1.2.5",
     "choose an end that somebody will live to see"},
    {.code = NULL}};
