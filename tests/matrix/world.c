/* One row's PKI, and the web server where it is asked about. */
#include "matrix.h"

static enum mx_key key_of(const struct mx_spec *s, enum mx_key of_role)
{
    return s->key != 0 ? s->key : of_role;
}

static void make_others(struct mx_world *w)
{
    const struct mx_spec root = {.cn = "Other Root", .key = MX_KEY_OTHER};
    const struct mx_spec twin = {.key = MX_KEY_OTHER};
    const struct mx_spec leaf = {
        .cn = "x.test", .san = "DNS:x.test", .key = MX_KEY_OTHER};

    w->other_root = mx_make(&root, MX_ROLE_ROOT, NULL, 0);
    w->twin = mx_make(&twin, MX_ROLE_INTER, w->other_root, MX_KEY_OTHER);
    for (int i = 0; i < 3; i++)
        w->strangers[i] =
            mx_make(&leaf, MX_ROLE_LEAF, w->other_root, MX_KEY_OTHER);
}

/* A source's address goes into the certificate as one extension more. */
static void make_asked(struct mx_world *w, struct mx_spec *leaf,
                       struct mx_spec *inter, char text[3][128])
{
    if (w->web.port == 0)
        return;
    snprintf(text[0], 128, "crlDistributionPoints=URI:%s/leaf.crl", w->web.url);
    snprintf(text[1], 128, "authorityInfoAccess=OCSP;URI:%s/leaf.ocsp",
             w->web.url);
    snprintf(text[2], 128, "crlDistributionPoints=URI:%s/root.crl", w->web.url);
    if (w->row->crl.says != MX_NO_WORD)
        leaf->more = text[0];
    if (w->row->ocsp.says != MX_NO_WORD)
        leaf->again = text[1];
    inter->more = text[2];
}

static void make_chain(struct mx_world *w)
{
    const struct mx_row *row = w->row;
    struct mx_spec leaf = row->leaf, inter = row->inter;
    char text[3][128];

    make_others(w);
    make_asked(w, &leaf, &inter, text);
    w->root = mx_make(&row->root, MX_ROLE_ROOT, NULL, 0);
    w->inter = mx_make(&inter, MX_ROLE_INTER, w->root,
                       key_of(&row->root, MX_KEY_ROOT));
    w->leaf = row->sent == MX_SELF ? mx_make(&leaf, MX_ROLE_LEAF, NULL, 0)
                                   : mx_make(&leaf, MX_ROLE_LEAF, w->inter,
                                             key_of(&inter, MX_KEY_INTER));
    w->key = mx_key(key_of(&leaf, MX_KEY_LEAF));
    w->own_key = row->wrong_key;
    if (row->wrong_key)
        w->key = mx_false_key(MX_KEY_LEAF, MX_KEY_OTHER);
}

static void set_page(struct mx_world *w, const char *path,
                     const struct mx_source *s, const void *body, size_t len)
{
    const struct httpd_page page = {.path = path,
                                    .status = s->status,
                                    .fields = s->fields,
                                    .body = body,
                                    .len = len,
                                    .how = s->how};

    httpd_set(&w->web, &page);
}

static enum mx_word word(const struct mx_source *s)
{
    return s->says != MX_NO_WORD ? s->says : MX_GOOD;
}

static void open_web(struct mx_world *w)
{
    const struct mx_row *row = w->row;

    w->list = mx_list(w, 0, word(&row->crl), &w->list_len);
    w->root_list = mx_list(w, 1, word(&row->root_crl), &w->root_list_len);
    w->answer = mx_response(w, word(&row->ocsp), &w->answer_len);
    set_page(w, "/leaf.crl", &row->crl, w->list, w->list_len);
    set_page(w, "/root.crl", &row->root_crl, w->root_list, w->root_list_len);
    set_page(w, "/leaf.ocsp*", &row->ocsp, w->answer, w->answer_len);
}

void mx_world_start(struct mx_world *w, const struct mx_row *row, int tls13)
{
    static const struct httpd_page none;
    int asked = row->crl.says != MX_NO_WORD || row->ocsp.says != MX_NO_WORD ||
                row->root_crl.says != MX_NO_WORD;

    memset(w, 0, sizeof(*w));
    w->row = row;
    w->tls13 = tls13;
    if (asked)
        httpd_start(&w->web, &none, 0);
    make_chain(w);
    if (asked)
        open_web(w);
    if (row->staple.says != MX_NO_WORD)
        w->staple = mx_response(w, row->staple.says, &w->staple_len);
}

void mx_world_stop(struct mx_world *w)
{
    if (w->web.port != 0)
        httpd_stop(&w->web);
    X509_free(w->root);
    X509_free(w->inter);
    X509_free(w->leaf);
    X509_free(w->other_root);
    X509_free(w->twin);
    for (int i = 0; i < 3; i++)
        X509_free(w->strangers[i]);
    if (w->own_key)
        EVP_PKEY_free(w->key);
    OPENSSL_free(w->staple);
    OPENSSL_free(w->list);
    OPENSSL_free(w->root_list);
    OPENSSL_free(w->answer);
}
