/* CRLs of anybody, PEM or DER. As text: whatever it is, JSON comes out whole,
 * or an error. As lists to be judged: every entry can be found again, and
 * nothing that was not signed by the issuer, whose key nobody has, tells of a
 * certificate. */
#include "certs.h"
#include "revoke/crl_private.h"
#include "revoke/make.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int as_text(const uint8_t *data, size_t size)
{
    tlsock_error err = {0};
    char small[64], *text;
    int n = tsk_crl_text(data, size, "fuzz", 1800000000, small, sizeof(small),
                         &err);

    if (n < 0)
        return err.code == n && err.message[0] != '\0' ? 0 : (abort(), 0);
    text = malloc((size_t)n + 1);
    if (text == NULL)
        abort();
    if (tsk_crl_text(data, size, "fuzz", 1800000000, text, (size_t)n + 1,
                     &err) != n ||
        strlen(text) != (size_t)n || text[n - 1] != '}' ||
        strncmp(text, small, sizeof(small) - 1) != 0)
        abort();
    for (int i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ')
            abort();
    free(text);
    return 0;
}

static STACK_OF(X509) * chain;

static void once(void)
{
    X509 *ca, *leaf;

    certs_once(&ca, &leaf);
    chain = sk_X509_new_null();
    if (chain == NULL || !sk_X509_push(chain, leaf) || !sk_X509_push(chain, ca))
        abort();
}

static void find_all(const struct tsk_crl *l)
{
    for (size_t i = 0; i < l->n_rows; i++) {
        struct tsk_tlv all = {l->rows[i], l->der + l->len}, body, serial;
        struct tsk_crl_entry e;
        char date[32];

        if (!tsk_tlv_take(&all, TSK_TLV_SEQ, &body) ||
            !tsk_tlv_take(&body, TSK_TLV_INTEGER, &serial))
            abort();
        if (l->n_turns == 0 && !tsk_crl_find(l, l->issuer, &serial, &e))
            abort();
        if (tsk_crl_find(l, l->issuer, &serial, &e))
            (void)tsk_crl_entry_time(&e, date);
    }
}

static void judge(const uint8_t *data, size_t size)
{
    struct tsk_crl_question q = {.now = 1800000000, .untrusted = chain};
    tlsock_error err = {0};
    struct tsk_crls *l = tsk_crls_parse(data, size, "fuzz", &err);
    struct tsk_status st;

    if (l == NULL && (err.code == 0 || err.message[0] == '\0'))
        abort();
    if (l == NULL)
        return;
    q.chain = chain;
    if (tsk_crl_judge(&l, 1, &q, &st, &err) != TLSOCK_OK ||
        st.state != TSK_UNKNOWN || err.message[0] == '\0')
        abort();
    for (size_t i = 0; i < l->n; i++) {
        find_all(l->list[i]);
        for (size_t k = 0; k < l->n; k++)
            (void)tsk_crl_delta_fits(l->list[i], l->list[k]);
    }
    (void)tsk_crls_until(l);
    if (tsk_crls_memory(l) < l->n)
        abort();
    tsk_crls_unref(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (chain == NULL)
        once();
    judge(data, size);
    return as_text(data, size);
}
