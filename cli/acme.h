/* acme - a server of RFC 8555 for one CA: accounts, orders, validation by
 * http-01 and tls-alpn-01, certificates, revocation.
 *
 * Accounts are kept in the CA's directory; orders live as long as the process.
 * Validation asks addresses that are not public, unless told otherwise. Knows
 * HTTP requests, and nothing of the connections they come by. */
#ifndef CLI_ACME_H
#define CLI_ACME_H

#include "ca_site.h"
#include "opt.h"

struct event_base;
struct acme;

struct acme_opts {
    struct event_base *base;
    const struct out *out;
    struct ca_site *site;
    long days, port, tls_port; /* 0: 90, 80, 443 */
    struct strs resolve;       /* "NAME=ADDRESS" */
    int anywhere;
    const tlsock_cert *identity; /* addresses that clients may call us by */
};

/* What was asked for, before anything is opened: 0 or an exit code. NULL from
 * acme_new(): *rc is it. A build without libjose says so here. */
int acme_check_opts(const struct acme_opts *how, const struct opts *o);
struct acme *acme_new(const struct acme_opts *how, int *rc);
void acme_free(struct acme *a); /* NULL is a no-op */
/* 1: the path was one of ours, *out is filled in. */
int acme_answer(struct acme *a, const struct http_request *r,
                struct http_answer *out);
/* From time to time: what has expired goes. */
void acme_look(struct acme *a);

/* The server's own certificate, signed by the CA for localhost and hosts: made,
 * with its key, as acme.pem in the CA's directory, or made anew when a third of
 * its time is left, or the names changed. 1: made, 0: as it was, or a code;
 * wait 0: TLSOCK_AGAIN, somebody else is at work with the CA. */
int acme_identity(struct ca_site *s, const struct strs *hosts, int wait,
                  tlsock_cert **c, char path[4096], tlsock_error *err);

#endif
