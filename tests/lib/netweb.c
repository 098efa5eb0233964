#include "netweb.h"

void netweb_answer(const struct httpd_request *q, struct httpd_page *p,
                   unsigned char *room)
{
    struct netweb *w = p->arg;
    int post = strcmp(q->method, "POST") == 0;
    unsigned char *data = net_answer(&w->pki, &w->says, q->path,
                                     post ? q->body : NULL, q->len, &p->len);

    if (data == NULL) {
        p->status = 503;
        p->len = 0;
        return;
    }
    memcpy(room, data, p->len);
    free(data);
    p->body = room;
}

void netweb_start(struct netweb *w, const struct net *says)
{
    struct httpd_page pages[] = {
        {.path = "/leaf*", .make = netweb_answer, .arg = w},
        {.path = "/inter*", .make = netweb_answer, .arg = w},
    };

    memset(w, 0, sizeof(*w));
    w->says = *says;
    httpd_start(&w->web, pages, COUNT(pages));
    net_make(&w->pki, w->web.url, says);
    assert_true(tlsock_cert_pem(w->pki.root, TLSOCK_PART_CERT, w->root,
                                sizeof(w->root)) > 0);
}

void netweb_stop(struct netweb *w)
{
    httpd_stop(&w->web);
    net_free(&w->pki);
}
