/* netweb - net.h on a web server of the test's: what its certificates name as
 * places to ask can be asked there. */
#ifndef TEST_NETWEB_H
#define TEST_NETWEB_H

#include "httpd.h"
#include "net.h"

struct netweb {
    struct net says;
    struct net_pki pki;
    struct httpd web;
    char root[8192]; /* the anchor, as PEM */
};

void netweb_start(struct netweb *w, const struct net *says);
void netweb_stop(struct netweb *w);

/* The page of each place, for those who wrap it; p->arg is the netweb. Nobody
 * who answers is a 503. */
void netweb_answer(const struct httpd_request *q, struct httpd_page *p,
                   unsigned char *room);

#endif
