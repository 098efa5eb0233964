/* acme_private - what the parts of the ACME server share. */
#ifndef CLI_ACME_PRIVATE_H
#define CLI_ACME_PRIVATE_H

#include "acme.h"
#include "acme_address.h"
#include "acme_jws.h"
#include "origin.h"

#define ACME_ID 23 /* base64url of 16 bytes, and a NUL */
/* What there is of each in all; who has more than EACH of an origin gives up
 * its own oldest, or waits. */
#define ACME_NONCES 4096 /* that may be under way */
#define ACME_NONCES_EACH 256
#define ACME_ACCOUNTS 1000
#define ACME_IDLE_S                                                            \
    3600 /* then an account without certificates may be given up */
#define ACME_ORDERS 1000
#define ACME_ORDERS_EACH 100 /* that are not done */
#define ACME_CHECKS 64       /* validations under way */
#define ACME_CHECKS_EACH 16
#define ACME_IDENTS 100 /* in one order */
#define ACME_URL 512

enum acme_status {
    ACME_PENDING,
    ACME_PROCESSING,
    ACME_READY,
    ACME_VALID,
    ACME_INVALID,
    ACME_DEACTIVATED
};
extern const char *const acme_status_names[];

struct acme_account {
    struct acme_account *next;
    char id[ACME_ID], thumb[ACME_THUMB];
    int deactivated;
    json_t *jwk, *contact, *serials; /* arrays; serials: what it was given */
    json_int_t created;
    int64_t used; /* Unix seconds: its last request, or when it was made */
};

struct acme_nonce {
    char id[ACME_ID], origin[ORIGIN];
    uint64_t given; /* as they were given out, one after the other; 0: none */
    const void *holder; /* the connection whose request has it and waits */
};

struct acme_check;

struct acme_authz {
    int is_ip, status;
    int by_tls; /* the challenge that was begun: tls-alpn-01, not http-01 */
    char name[256];
    char token[ACME_THUMB];
    int64_t validated;
    json_t *error;            /* or NULL */
    struct acme_check *check; /* under way, or NULL */
    int waits;                /* for its turn to be checked */
};

struct acme_order {
    struct acme_order *next;
    struct acme *acme;
    struct acme_account *account;
    char id[ACME_ID], origin[ORIGIN];
    int status;
    int64_t expires;
    char serial[48];
    size_t n_checks, n_waits; /* of its names: being checked, waiting for it */
    size_t n;
    struct acme_authz authz[];
};

struct acme {
    struct acme_opts how;
    char path[4096]; /* of the accounts */
    int lock;
    struct acme_account *accounts;
    struct acme_order *orders;
    size_t n_accounts, n_orders, n_checks;
    struct acme_nonce nonces[ACME_NONCES];
    uint64_t given; /* nonces */
    int no_more;    /* checks begin just now */
    struct origin_rate *new_accounts;
};

/* One request: what it is about, and where its answer goes. */
struct acme_call {
    struct acme *acme;
    const struct http_request *request;
    struct http_answer *out;
    struct acme_jws jws;
    struct acme_account *account; /* NULL: signed with a key of its own */
    const char *rest;             /* of the path, behind its first word */
    char base[300];               /* "https://localhost:8443" */
    struct acme_problem problem;
    struct acme_nonce *nonce; /* that it has taken, or NULL */
};

/* acme.c: the answers */
void acme_refuse(struct acme_call *c, int status, const char *type,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Of now alone: with when to come back. */
void acme_refuse_for(struct acme_call *c, int status, int64_t seconds,
                     const char *detail);
void acme_refuse_as(struct acme_call *c); /* what c->problem says */
void acme_json(struct acme_call *c, int status, json_t *obj); /* taken */
json_t *acme_problem_json(const struct acme_problem *p);
/* base/acme/WHAT/ID */
void acme_url(const struct acme_call *c, char url[ACME_URL], const char *what,
              const char *id);
/* 128 random bits; 0 or -1. */
int acme_random_id(char id[ACME_ID]);

/* acme_nonce.c */
void acme_nonce_give(struct acme_call *c);
/* 1: it was given out, and is not good any more but for this request. */
int acme_nonce_take(struct acme_call *c, const char *nonce);
/* The request is over. */
void acme_nonce_end(struct acme_call *c);

/* acme_store.c */
int acme_store_load(struct acme *a); /* 0 or an exit code, after saying why */
int acme_store_save(struct acme *a); /* 0 or -1, after saying why */
void acme_store_free(struct acme *a);
struct acme_account *acme_account_find(struct acme *a, const char *id);
struct acme_account *acme_account_of_key(struct acme *a, const char *thumb);
/* NULL: no memory, or there are too many. Not saved yet. */
struct acme_account *acme_account_add(struct acme *a, const json_t *jwk);
/* It must have no orders. */
void acme_account_drop(struct acme *a, struct acme_account *account);
/* 1: there was one to give up, so that there is room again. */
int acme_account_give_up(struct acme *a, int64_t now);
int acme_account_has(const struct acme_account *a, const char *serial);

/* acme_account.c, acme_order.c, acme_issue.c: one call each */
void acme_new_account(struct acme_call *c);
void acme_account(struct acme_call *c);
void acme_key_change(struct acme_call *c);
void acme_new_order(struct acme_call *c);
void acme_order(struct acme_call *c);
void acme_authz(struct acme_call *c);
void acme_challenge(struct acme_call *c);
void acme_finalize(struct acme_call *c);
void acme_cert(struct acme_call *c);
void acme_revoke(struct acme_call *c);

/* acme_order.c */
json_t *acme_order_json(const struct acme_call *c, const struct acme_order *o);
/* This order, if it is the account's; else refused. */
struct acme_order *acme_order_find(struct acme_call *c, const char *id);
/* The outcome of a validation; type NULL: good. */
void acme_validated(struct acme_order *o, struct acme_authz *z,
                    const char *type, const char *detail);
void acme_orders_expire(struct acme *a, int64_t now);
void acme_orders_free(struct acme *a);
json_t *acme_orders_json(const struct acme_call *c);

/* acme_issue.c: may the CA sign for this name? 0, or *err */
int acme_permits(const struct acme *a, const char *name, int is_ip,
                 tlsock_error *err);

/* acme_check.c: starts http-01 or tls-alpn-01, as soon as it is its turn; the
 * order hears of the outcome, unless it is stopped before. */
void acme_check_start(struct acme_order *o, struct acme_authz *z, int by_tls);
void acme_check_stop(struct acme_order *o, struct acme_authz *z);

#endif
