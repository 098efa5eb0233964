/* The entries of a list: walked once, then found by serial. */
#include "core/mem.h"
#include "ossl/queue.h"
#include "revoke/crl_private.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t reason_oid[] = {0x55, 0x1d, 0x15},
                     invalidity_oid[] = {0x55, 0x1d, 0x18},
                     hold_oid[] = {0x55, 0x1d, 0x17},
                     issuer_oid[] = {0x55, 0x1d, 0x1d};

static int is_oid(const struct tsk_tlv *oid, const uint8_t want[3])
{
    return tsk_tlv_len(oid) == 3 && memcmp(oid->p, want, 3) == 0;
}

struct row {
    struct tsk_tlv serial, when, exts;
};

static int read_serial(struct tsk_tlv *from, struct tsk_tlv *serial)
{
    size_t len;

    if (!tsk_tlv_take(from, TSK_TLV_INTEGER, serial))
        return 0;
    len = tsk_tlv_len(serial);
    if (len == 0 || len > TSK_CRL_SERIAL_MAX)
        return 0;
    /* the shortest form alone, or two numbers might be one: X.690, 8.3.2 */
    return len == 1 || !((serial->p[0] == 0 && serial->p[1] < 0x80) ||
                         (serial->p[0] == 0xff && serial->p[1] >= 0x80));
}

/* 1: the next entry; 0: damaged */
static int read_row(struct tsk_tlv *all, struct row *r)
{
    struct tsk_tlv body;
    unsigned time;

    if (!tsk_tlv_take(all, TSK_TLV_SEQ, &body) ||
        !read_serial(&body, &r->serial))
        return 0;
    time = tsk_tlv_is(&body, TSK_TLV_UTC) ? TSK_TLV_UTC : TSK_TLV_TIME;
    if (!tsk_tlv_whole(&body, time, &r->when))
        return 0;
    r->exts.p = r->exts.end = body.end;
    if (body.p != body.end && !tsk_tlv_take(&body, TSK_TLV_SEQ, &r->exts))
        return 0;
    return body.p == body.end;
}

/* The name of a certificateIssuer; NULL: there is none that could be read. */
static X509_NAME *read_issuer(const struct tsk_tlv *value)
{
    const unsigned char *p = value->p;
    GENERAL_NAMES *names =
        d2i_GENERAL_NAMES(NULL, &p, (long)tsk_tlv_len(value));
    X509_NAME *found = NULL;

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && found == NULL; i++) {
        GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

        if (g->type == GEN_DIRNAME) {
            found = g->d.directoryName;
            g->d.directoryName = NULL;
        }
    }
    GENERAL_NAMES_free(names);
    return found;
}

static int add_turn(struct tsk_crl *l, const uint8_t *at, X509_NAME *name)
{
    struct tsk_crl_turn *more;
    size_t n = l->n_turns;

    if (n > 0 && X509_NAME_cmp(l->turns[n - 1].issuer, name) == 0) {
        X509_NAME_free(name);
        return TLSOCK_OK;
    }
    if ((n & (n - 1)) == 0) { /* a power of two: full */
        more = tsk_realloc(l->turns, (n != 0 ? 2 * n : 1) * sizeof(*more));
        if (more == NULL) {
            X509_NAME_free(name);
            return TLSOCK_E_NOMEM;
        }
        l->turns = more;
    }
    l->turns[n].at = at;
    l->turns[n].issuer = name;
    l->n_turns++;
    return TLSOCK_OK;
}

static int read_turn(struct tsk_crl *l, const uint8_t *at,
                     const struct tsk_tlv *value)
{
    X509_NAME *name = read_issuer(value);

    if (name != NULL)
        return add_turn(l, at, name);
    if (tsk_ossl_starved())
        return TLSOCK_E_NOMEM;
    l->unusable = "an entry has a certificateIssuer that cannot be read";
    return TLSOCK_OK;
}

/* RFC 5280, 5.3: with a critical extension of an entry that is not understood,
 * nothing of the list may be used. */
static int read_exts(struct tsk_crl *l, const uint8_t *at, struct tsk_tlv exts)
{
    struct tsk_tlv_ext e;
    int more, rc = TLSOCK_OK;

    while (rc == TLSOCK_OK && (more = tsk_tlv_ext_next(&exts, &e)) != 0) {
        if (more < 0)
            return TLSOCK_E_OWN_FILE;
        if (is_oid(&e.oid, issuer_oid))
            rc = read_turn(l, at, &e.value);
        else if (e.critical && !is_oid(&e.oid, reason_oid) &&
                 !is_oid(&e.oid, invalidity_oid) && !is_oid(&e.oid, hold_oid))
            l->unusable = "an entry has a critical extension that is not known";
    }
    return rc;
}

static int compare(const struct tsk_tlv *a, const struct tsk_tlv *b)
{
    size_t x = tsk_tlv_len(a), y = tsk_tlv_len(b);

    return x != y ? (x < y ? -1 : 1) : memcmp(a->p, b->p, x);
}

/* Of an entry that was read already: tag, length, and the first thing in it. */
static struct tsk_tlv serial_of(const uint8_t *row)
{
    size_t head = row[1] < 0x80 ? 2 : 2 + (row[1] & 0x7fu);
    const uint8_t *p = row + head + 2; /* a serial's length is one byte */

    return (struct tsk_tlv){p, p + p[-1]};
}

static int by_serial(const void *a, const void *b)
{
    struct tsk_tlv x = serial_of(*(const uint8_t *const *)a);
    struct tsk_tlv y = serial_of(*(const uint8_t *const *)b);

    return compare(&x, &y);
}

static int count(struct tsk_tlv all, size_t *n)
{
    struct row r;

    for (*n = 0; all.p != all.end; ++*n) {
        if (*n == TSK_CRL_ROWS_MAX)
            return TLSOCK_E_LIMIT;
        if (!read_row(&all, &r))
            return TLSOCK_E_OWN_FILE;
    }
    return TLSOCK_OK;
}

int tsk_crl_rows(struct tsk_crl *l, struct tsk_tlv all)
{
    int sorted = 1, rc = count(all, &l->n_rows);
    struct row r;

    if (rc != TLSOCK_OK || l->n_rows == 0)
        return rc;
    l->rows = tsk_alloc(l->n_rows * sizeof(*l->rows));
    if (l->rows == NULL)
        return TLSOCK_E_NOMEM;
    for (size_t i = 0; i < l->n_rows && rc == TLSOCK_OK; i++) {
        l->rows[i] = all.p;
        (void)read_row(&all, &r); /* counted: it can be read */
        if (r.exts.p != r.exts.end)
            rc = read_exts(l, l->rows[i], r.exts);
        sorted =
            sorted && (i == 0 || by_serial(&l->rows[i - 1], &l->rows[i]) <= 0);
    }
    if (rc == TLSOCK_OK && !sorted)
        qsort(l->rows, l->n_rows, sizeof(*l->rows), by_serial);
    return rc;
}

/* The issuer whose certificates an entry speaks of: RFC 5280, 5.3.3 */
static const X509_NAME *issuer_of(const struct tsk_crl *l, const uint8_t *row)
{
    size_t lo = 0, hi = l->n_turns; /* turns below lo are at or before row */

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (l->turns[mid].at <= row)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo == 0 ? l->issuer : l->turns[lo - 1].issuer;
}

static size_t first_of(const struct tsk_crl *l, const struct tsk_tlv *serial)
{
    size_t lo = 0, hi = l->n_rows;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        struct tsk_tlv s = serial_of(l->rows[mid]);

        if (compare(&s, serial) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static int reason_of(struct tsk_tlv exts)
{
    struct tsk_tlv_ext e;
    struct tsk_tlv n;

    while (tsk_tlv_ext_next(&exts, &e) > 0)
        if (is_oid(&e.oid, reason_oid) &&
            tsk_tlv_take(&e.value, TSK_TLV_ENUM, &n) && tsk_tlv_len(&n) == 1)
            return *n.p;
    return -1;
}

int tsk_crl_find(const struct tsk_crl *l, const X509_NAME *issuer,
                 const struct tsk_tlv *serial, struct tsk_crl_entry *out)
{
    int found = 0;

    for (size_t i = first_of(l, serial); i < l->n_rows; i++) {
        struct tsk_tlv at = {l->rows[i], l->der + l->len};
        struct row r;

        if (!read_row(&at, &r) || compare(&r.serial, serial) != 0)
            break;
        if (X509_NAME_cmp(issuer_of(l, l->rows[i]), issuer) != 0)
            continue;
        out->when = r.when;
        out->reason = reason_of(r.exts);
        found = 1;
        if (out->reason != CRL_REASON_REMOVE_FROM_CRL)
            break; /* of two that contradict each other the worse one counts */
    }
    return found;
}
