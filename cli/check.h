/* check - what the parts of "tlsock check" share: one target under
 * examination, and what has been found.
 *
 * All of the result is in one JSON document (doc/schema/tlsock.check.1.json),
 * which text and HTML are made of: what is shown has been cleaned when it went
 * in. Everything here runs on one thread, one connection after the other. */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "probe.h"

#include <tlsock/cert.h>

#define CHECK_ADDRESSES 16 /* of one name that are looked at */

enum check_level { CHECK_OK, CHECK_NOTE, CHECK_WARN, CHECK_ERROR };

/* One address of the target. */
struct check_address {
    char dial[64];        /* numeric; "": as the target says */
    char text[80];        /* "192.0.2.1:443" */
    tlsock_error err;     /* of the look at it; code 0: it has TLS for us */
    tlsock_error verdict; /* of a connection as anybody makes it */
    tlsock_cert *sent;
    char after[32]; /* until when that is valid */
    int versions;   /* bit 0 is SSL 3.0 */
    int unsure;     /* of these nobody can tell */
    int speaks_tls;
    int by_chain; /* verdict: good by chain and name, nothing else */
    char revocation[160], dane[80]; /* as tlsock_info() tells them */
    char client_cas[300];           /* whose client certificates it wants */
};

struct check {
    struct opts o;
    const char *html, *write_chain, *policy;
    int fail_on; /* enum check_level */
    int no_aia, force;

    const char *target; /* as typed */
    const char *whole;  /* with its port */
    char host[256], name[256], port[16], starttls[32];
    char sni[256];         /* as the library sends it; "": none */
    tlsock_config *strict; /* as the options say */
    tlsock_config *look;   /* the same, whoever it may be */
    tlsock_config *judge;  /* as strict, for chains alone: no name */
    tlsock_config *plain, *unseen;
    struct probe probe;
    tlsock_config *old;     /* a look of TLSv1.2 alone, where that is needed */
    const char *intolerant; /* what must not be in a ClientHello, or NULL */
    int intolerance;        /* the code of what else happens */

    struct check_address at[CHECK_ADDRESSES];
    size_t n_at, more_at;
    const struct check_address *main; /* the one that is looked at closely */
    tlsock_cert *full;                /* as it should be sent, or NULL */
    int complete;                     /* 1: full leads to a root */
    tlsock_cert *path;                /* as it was verified, or NULL */
    int connections;
    int cert_asked, tickets; /* seen in the last handshake */
    int policy_refused;
    json_t *doc, *findings;
    int found[4]; /* by level */
};

/* A finding; printf-like, what it is. fix: "" or NULL if there is none. Gives
 * the object, borrowed, for rows. */
json_t *check_add(struct check *c, enum check_level level, const char *code,
                  const char *fix, const char *format, ...) TLSOCK_PRINTF(5, 6);
/* What the library says of a failure. */
json_t *check_add_error(struct check *c, enum check_level level,
                        const tlsock_error *err);
/* "sent     0  app.test  issued by X", below a finding. */
void check_row(json_t *finding, const char *label, const char *format, ...)
    TLSOCK_PRINTF(3, 4);
const char *check_level_name(enum check_level level);
/* Has this been found? */
int check_has(const struct check *c, const char *code);
/* Worst first, each level in the order of its coming. */
void check_sort(struct check *c);
/* Is there anything at or above --fail-on? */
int check_bad(const struct check *c);

/* Which addresses; 0, or an exit code after having said why. */
int check_resolve(struct check *c);
/* From now on, connections go there. 0, or an exit code, said. */
int check_turn_to(struct check *c, const struct check_address *a);
/* One connection, its handshake done or failed: then err->code is not 0. NULL:
 * it did not come to be. sni NULL: as the options say; "": none. */
tlsock *check_connect(struct check *c, tlsock_config *config, const char *sni,
                      tlsock_error *err);
/* As the look, but for this; yours. NULL: it cannot be so. */
tlsock_config *check_variant(struct check *c, const char *key,
                             const char *value);
/* Says goodbye and hears the peer out, so that tickets come in: 0, or what the
 * peer had against us. */
int check_part(tlsock *s, tlsock_error *err);
/* A look at each address; 0, or an exit code after having said why: nobody
 * speaks TLS there. */
int check_visit(struct check *c);
/* How the addresses differ. */
void check_compare(struct check *c);

/* Chain, name, dates, and what lint finds. */
void check_cert(struct check *c);
void check_chain(struct check *c);
/* --write-chain; 0, or an exit code after having said why. */
int check_write_chain(struct check *c);
/* "TLSv1.3 TLSv1.2" of bits as in check_address.versions. */
void check_versions_text(char *text, size_t size, int versions);
/* Asks for this version, and for all suites and groups there are; both lists
 * have room for PROBE_MOST. */
void check_ask(struct check *c, int version, struct hello_ask *ask,
               uint16_t *suites, uint16_t *groups);
/* Versions, suites, groups, by hand. */
void check_protocols(struct check *c);
void check_suites(struct check *c);
/* Sessions, staple, SNI, ALPN, client certificates, revocation. */
void check_habits(struct check *c);
/* --dane */
void check_dane(struct check *c);

void check_print_text(struct check *c);
/* 0, or an exit code after having said why. */
int check_write_html(struct check *c);

/* What people call a certificate: its CN, else a name, else its subject. */
void check_cert_name(const tlsock_cert *c, char *text, size_t size);

#endif
