/* settings - every option's value, parsed, as one config has them.
 * Plain data: filled in by api/config, read by tls/ctx and the handshake. */
#ifndef TSK_TLS_SETTINGS_H
#define TSK_TLS_SETTINGS_H

#include "revoke/crl.h"
#include "verify/allow.h"
#include "verify/policy.h"

#include <stddef.h>
#include <stdint.h>
#include <tlsock/cert.h>
#include <tlsock/hook.h>
#include <tlsock/session.h>

enum tsk_revocation { /* in the order of options.def */
    TSK_REVOKE_OFF,
    TSK_REVOKE_STAPLE,
    TSK_REVOKE_MUST_STAPLE,
    TSK_REVOKE_CRL,
    TSK_REVOKE_OCSP,
    TSK_REVOKE_FULL
};
enum tsk_dane_use { TSK_DANE_OFF, TSK_DANE_ON, TSK_DANE_REQUIRE };
enum tsk_client_auth { /* in the order of options.def */
    TSK_CLIENT_NONE,
    TSK_CLIENT_ASK,
    TSK_CLIENT_REQUIRE,
    TSK_CLIENT_LATER
};

/* What a policy of the process can tighten: see api/policy_rules.h. */
enum tsk_rule_kind {
    TSK_RULE_TLS_MIN,
    TSK_RULE_CIPHERS,
    TSK_RULE_CIPHERSUITES,
    TSK_RULE_GROUPS,
    TSK_RULE_SIGALGS,
    TSK_RULE_TRUST,
    TSK_RULE_INSECURE,
    TSK_RULE_PSL,
    TSK_RULE_PARTIAL_CHAIN,
    TSK_RULE_PURPOSE,
    TSK_RULE_TIME,
    TSK_RULE_PIN_MODE,
    TSK_RULE_REVOCATION,
    TSK_RULE_REVOCATION_FAIL,
    TSK_RULE_CLIENT_AUTH,
    TSK_RULE_SESSION,
    TSK_RULE_TICKETS,
    TSK_RULE_STARTTLS,
    TSK_RULE_TRUNCATION,
    TSK_RULE_KEYLOG,
    TSK_RULE_TRACE,
    TSK_RULE_PSK,
    TSK_RULE_KINDS
};

#define TSK_EVENTS (TLSOCK_ON_DIALOGUE + 1)

struct tsk_tickets;
struct tsk_idcache;
struct tsk_lazy;
struct tsk_identity {
    char *host; /* NULL: names come from the SANs; "": the default host */
    char *cert_uri, *key_uri, *pass_uri; /* NULL cert_uri: in memory only */
    tlsock_cert *cert;                   /* loaded and proven; or NULL: */
    struct tsk_lazy *lazy; /* not decoded yet; see tls/identity.h. Counted */
};

/* What is otherwise for one host: "KEY@HOST". */
struct tsk_host_set {
    char *name;                   /* A-labels, "*.a.test" */
    char *ciphers, *ciphersuites; /* NULL, -1, 0: as for all others */
    int client_auth;
    struct tsk_allow *allow; /* counted */
    char **trust;
    size_t n_trust;
};

#define TSK_PSK_ID_MAX 255
#define TSK_PSK_MIN 16 /* bytes of a key: 128 bits */
#define TSK_PSK_MAX 256

struct tsk_psk {
    char *identity; /* printable ASCII; "": of who is not named (servers) */
    uint8_t *key;
    size_t len;
    char *uri; /* where it was read, or NULL */
};

struct tsk_crl_source {
    char *uri;
    struct tsk_crls *crls; /* read when they were named */
};

struct tsk_settings {
    /* protocol */
    int tls_min, tls_max; /* 0x0303, 0x0304; tls_max 0: newest */
    char *ciphers, *ciphersuites, *groups, *sigalgs; /* NULL: default */
    int server_order;
    /* verification */
    char *verify_name;   /* NULL: that of each connection */
    char *verify_scheme; /* NULL: RFC 9525 */
    int verify_depth, verify_purpose, partial_chain, psl;
    int64_t verify_time;
    int verify_cache; /* an accepted chain is not verified again at once */
    int pin_mode;
    int truncation_allowed;
    int starttls_opportunistic;
    int revocation;  /* enum tsk_revocation */
    int revocation_soft;       /* what nobody can tell is no failure */
    int revocation_timeout_ms; /* of one request */
    char *revocation_cache;    /* directory, or NULL: memory alone */
    char *revocation_proxy;    /* URL, or NULL: the connection's own */
    int staple;                /* a server fetches and sends its own */
    int aia;                   /* missing issuers may be fetched */
    int raw_keys;              /* in place of certificates */
    int dane;                  /* enum tsk_dane_use */
    char *dane_anchor;         /* file, or NULL: the system's */
    char *dane_resolver;       /* ADDRESS[@PORT], or NULL: the system's */
    int client_auth;         /* enum tsk_client_auth */
    struct tsk_allow *allow; /* which clients; counted; NULL: any */
    int post_handshake_auth; /* a client offers it, if it has an identity */
    unsigned insecure;
    char *insecure_text; /* "no-name: lab box" */
    /* ALPN in wire form (length-prefixed), NULL: none */
    unsigned char *alpn;
    size_t alpn_len;
    int alpn_required;
    /* sessions */
    int session, session_size, session_timeout_s;
    char *session_file; /* NULL: memory, or the store */
    tlsock_store session_store; /* get NULL: none */
    void *session_store_arg;
    int tickets, tickets_count;
    char *tickets_secret; /* where it is: secret; NULL: a random one */
    int tickets_rotate_s; /* 0: see tsk_settings_rotate_s() */
    /* counted, one of each for each config; never NULL in a box */
    struct tsk_tickets *ticket_keys;
    struct tsk_idcache *id_cache;
    int early_data; /* most bytes; 0: none */
    char *session_id_context; /* NULL: derived */
    /* time and buffers */
    int timeout_ms, handshake_timeout_ms; /* -1: none */
    int write_buffer, record_size, read_ahead, release_buffers, prints, ktls;
    int reload_ms; /* between looks at the files; 0: nobody looks */
    char *keylog;  /* file, or NULL */
    struct tsk_hook {
        tlsock_hook *call; /* NULL: none */
        void *arg;
    } on[TSK_EVENTS]; /* by TLSOCK_ON_* */
    /* lists */
    char **trust;
    size_t n_trust; /* 0: the system's */
    struct tsk_identity *identities;
    size_t n_identities, cap_identities;
    struct tsk_host_set *host_sets;
    size_t n_host_sets;
    struct tsk_pin *pins;
    size_t n_pins;
    struct tsk_crl_source *crls;
    size_t n_crls;
    struct tsk_psk *psks;
    size_t n_psks;
    /* "FILE:7: tls.min = 1.3": the rule that made a setting stricter than what
     * was asked for; lives as long as the process. NULL: nobody did. */
    const char *policy[TSK_RULE_KINDS];
};

#define TSK_TICKETS_ROTATE_S 43200

static inline int tsk_settings_rotate_s(const struct tsk_settings *set)
{
    if (set->tickets_rotate_s != 0)
        return set->tickets_rotate_s;
    return set->session_timeout_s > TSK_TICKETS_ROTATE_S
               ? set->session_timeout_s
               : TSK_TICKETS_ROTATE_S;
}

#endif
