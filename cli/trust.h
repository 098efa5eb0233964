/* trust - what the stores of trust have in common.
 *
 * A store knows how to list what is in it, to add a certificate and to remove
 * one. What is asked of it, what was found and what is said about it is the
 * same for all and stands in trust.c. Whose an entry is can be told from its
 * name alone: "tlsock", the CA's name, and the beginning of the certificate's
 * fingerprint, which must fit the certificate that is there. */
#ifndef CLI_TRUST_H
#define CLI_TRUST_H

#include "local.h"
#include "opt.h"

#include <openssl/types.h>
#include <tlsock/cert.h>

#define TRUST_TAG 16 /* hex digits of a fingerprint that a name ends with */
#define TRUST_NAME 96

enum trust_action { TRUST_INSTALL, TRUST_UNINSTALL, TRUST_LIST };

/* The CA that all is about. Of one that is to be removed the fingerprint may
 * be all that is known, or its beginning. */
struct trust_ca {
    char path[LOCAL_PATH]; /* "": only the fingerprint is known */
    char sha256[65];       /* hex */
    size_t digits;         /* of it; 0: there is no CA */
    char name[TRUST_NAME]; /* "tlsock local CA 0123456789abcdef" */
    tlsock_cert *cert;
    char *pem;
    size_t pem_len;
    int constrained; /* it may not sign every name */
};

struct trust {
    struct opts o;
    enum trust_action action;
    const char *file, *fingerprint;
    char root[LOCAL_PATH]; /* "", or the path that all others are below */
    int system, nss, java; /* which kinds are wanted */
    int by_default;        /* nobody asked for these kinds in particular */
    int dry_run;
    int hooked; /* of Java only what update-ca-certificates put there */
    struct trust_ca ca;
    int failed;   /* an exit code */
    int visited;  /* how many stores were there */
    int browsers; /* one of them was changed */
    json_t *rows; /* with --json: what was said of each store */
};

struct trust_entry {
    char name[256];
    char sha256[65];
    int trusted; /* for servers */
    int ours;
};

struct trust_found {
    struct trust_entry *v;
    size_t n;
};

/* One store. The functions give 0, or -1 after trust_fail(). */
struct trust_store {
    const char *kind;      /* "system", "nss", "java" */
    char what[64];         /* "Debian", "Firefox abc.default" */
    char path[LOCAL_PATH]; /* how it is shown */
    char tool[LOCAL_PATH]; /* the program that changes it */
    const char *missing;   /* the package that would bring it */
    const void *row;       /* for the kind's own use */
    int new;               /* not there yet: add makes it */
    const char *note;      /* what is left to do, or NULL */
    int (*scan)(struct trust *t, struct trust_store *s, struct trust_found *f);
    int (*ready)(struct trust *t, struct trust_store *s); /* may it change? */
    /* again: it is there, but not trusted any more */
    int (*add)(struct trust *t, struct trust_store *s, int again);
    int (*remove)(struct trust *t, struct trust_store *s, const char *name);
};

/* Each goes through the stores of its kind, with trust_visit(). */
void trust_system(struct trust *t);
void trust_nss(struct trust *t);
void trust_java(struct trust *t);
/* Do with this store what is asked for, and say so. */
void trust_visit(struct trust *t, struct trust_store *s);
/* Nothing could be done: why, and what helps. Gives -1. */
int trust_fail(struct trust *t, const struct trust_store *s, const char *slug,
               const char *fix, const char *format, ...) TLSOCK_PRINTF(5, 6);
/* The same for a store that this user may not write to. */
int trust_denied(struct trust *t, const struct trust_store *s,
                 const char *path);
/* The same for a program that is not there, or not content. */
int trust_no_tool(struct trust *t, const struct trust_store *s,
                  const char *program);

/* trust_say.c: one line about a store: the state it is in, and a remark or "".
 * f: with the entries of ours, or NULL. */
void trust_say(struct trust *t, const struct trust_store *s, const char *state,
               int good, const char *note, const struct trust_found *f);
/* Whom all is about, with a warning if it may sign every name. */
void trust_say_ca(const struct trust *t);
/* With --json: all of it. Gives the exit code. */
int trust_say_json(struct trust *t);

/* trust_ca.c: load the CA that the command line names, judge it if it is to
 * be installed. 0, or an exit code after having said why. */
int trust_ca_choose(struct trust *t);
void trust_ca_free(struct trust_ca *ca);
/* trust_find.c. Add what a listing in PEM holds. label: a line "label: NAME"
 * before each certificate names it; NULL: they are named name. -1: out of
 * memory. */
int trust_scan_pem(struct trust_found *f, const char *text, const char *label,
                   const char *name, int trusted);
/* Is this a name that we give to a certificate with this fingerprint? */
int trust_named(const char *name, size_t len, const char *sha256);
int trust_push(struct trust_found *f, const char *name, const char *sha256,
               int trusted);
/* Is it the CA in question? */
int trust_is(const struct trust_ca *ca, const struct trust_entry *e);
/* A whole file, NUL at the end; NULL: errno. */
char *trust_read(const char *path);
/* path below --root, links resolved; -1 if it is not there or leads out. */
int trust_below(const struct trust *t, char full[LOCAL_PATH], const char *path);
#endif
