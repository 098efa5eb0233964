/* opt - the words of the command line: tables that commands share, their
 * parsing, and the config they describe.
 *
 * Knows popt and tlsock_config. Of connections it knows how the options of the
 * network are handed over, and nothing of what happens on them. */
#ifndef CLI_OPT_H
#define CLI_OPT_H

#include "out.h"

#include <popt.h>
#include <tlsock/config.h>

/* What popt returns for each option; commands number their own from OPT_OWN. */
enum {
    OPT_HELP = 256,
    OPT_CA,
    OPT_PIN,
    OPT_NAME,
    OPT_SNI,
    OPT_VERIFY_NAME,
    OPT_SCHEME,
    OPT_ACCEPT,
    OPT_INSECURE,
    OPT_REVOCATION,
    OPT_CRL,
    OPT_DANE,
    OPT_CERT,
    OPT_KEY,
    OPT_PASS,
    OPT_PSK,
    OPT_PSK_KEY,
    OPT_TLS,
    OPT_CIPHERS,
    OPT_GROUPS,
    OPT_ALPN,
    OPT_KEYLOG,
    OPT_PCAP,
    OPT_TRACE,
    OPT_SESSION,
    OPT_EARLY_DATA,
    OPT_IPV4,
    OPT_IPV6,
    OPT_TIMEOUT,
    OPT_STARTTLS,
    OPT_PROXY,
    OPT_IP,
    OPT_LOCAL,
    OPT_JSON,
    OPT_QUIET,
    OPT_VERBOSE,
    OPT_COLOR,
    OPT_SET,
    OPT_CONFIG,
    OPT_USER,
    OPT_CHROOT,
    OPT_CONFINE,
    OPT_OWN = 512
};

struct strs {
    const char **v;
    size_t n;
};

struct ident {
    const char *cert, *key, *pass;
};

struct opts {
    struct out out;
    const char *command; /* "connect", "cert new" */
    int family;          /* 0, 4, 6 */
    int timeout_ms;      /* 0: the config's */
    int insecure;
    int early_data;
    const char *name, *sni, *accept, *config;
    const char *verify_name; /* also in sets */
    const char *starttls, *starttls_arg, *ip, *local;
    const char *keylog, *pcap;
    const char *user, *chroot, *confine; /* see confine.h */
    int trace;
    struct evidence *evidence;   /* see evidence.h; NULL: none is wanted yet */
    char *proxy;                 /* a secret: may hold passwords */
    const char *dial;            /* the target, or --ip in its place */
    const char *dialled;         /* then: the target's own host */
    tlsock_config *proxy_config; /* trust for https:// proxies */
    struct strs ca, pins, crls;
    struct strs psks, psk_keys; /* the n-th key is of the n-th identity */
    struct strs sets;           /* key, value, flag, by threes */
    struct ident *idents;
    size_t n_idents;
    struct strs args; /* what is no option */
    struct strs pool; /* every string that popt gave */
    poptContext con;
};

/* A command's line: its tables, and what it does with options of its own. */
struct opt_spec {
    const char *command; /* "cert new" */
    const char *usage;   /* "[options] TARGET" */
    const char *about;   /* a paragraph for --help */
    const char *after;   /* examples, for the end of --help */
    int with_table;      /* --help ends with the config keys */
    const char *one;     /* what exit 1 means; NULL: it is never used */
    struct poptOption *table;
    /* 0, or an exit code after having said why */
    int (*take)(void *own, struct opts *o, int val, const char *arg);
    size_t min_args, max_args;
};

extern struct poptOption opt_trust[], opt_identity[], opt_protocol[],
    opt_network[], opt_output[], opt_settings[], opt_evidence[], opt_confine[],
    opt_confine_calls[];

#define OPT_GROUP(table, title)                                                \
    {                                                                          \
        NULL, '\0', POPT_ARG_INCLUDE_TABLE, table, 0, title, NULL              \
    }

/* Parse argv (argv[0] is the command's own name). -1: go on; else exit with
 * this code, all has been said. opt_free() in every case. */
int opt_parse(struct opts *o, const struct opt_spec *spec, void *own, int argc,
              const char **argv);
/* From now on opt_parse() tells take of the command instead, which then ends
 * with 0. Specs live as long as the process. */
void opt_tell(void (*take)(void *arg, const struct opt_spec *spec), void *arg);
void opt_free(struct opts *o);
/* The config that the options describe; NULL: *exit_code, all has been said. */
tlsock_config *opt_make_config(struct opts *o, int *exit_code);
/* The same for commands whose --pass is of a file, not of an identity. */
tlsock_config *opt_make_file_config(struct opts *o, int *exit_code);
/* "insecure": what was asked for with --insecure or --accept, if it was. */
void opt_insecure_json(const struct opts *o, json_t *obj);
/* A whole number within bounds, or a usage error (then nonzero). */
int opt_number(const struct opts *o, const char *flag, const char *text,
               long min, long max, long *value);
/* A copy that lives as long as the options; NULL: out of memory. */
char *opt_keep(struct opts *o, const char *text, size_t len);
/* Where a password is, "prompt" asks for it, twice if it is a new one: *uri is
 * "file:", "env:" or "fd:". 0, or an exit code after having said why. */
int opt_take_pass(struct opts *o, const char *flag, const char *arg, int twice,
                  const char **uri);
/* For commands that take one of them: the last --ca or --dir, the password of
 * --pass; NULL: not given. */
const char *opt_ca(const struct opts *o);
const char *opt_pass(const struct opts *o);
/* --timeout, --starttls, --proxy, --ip, --local, -4, -6. */
int opt_take_net(struct opts *o, int val, const char *arg);
/* What --ip and --proxy make of a target; once, before opt_connect(). 0, or
 * an exit code after having said why. */
int opt_dial(struct opts *o, const char *target);
/* "8080" was meant to be a port: say how one is written. */
void opt_listen_hint(const char *target, tlsock_error *err);
tlsock *opt_connect(const struct opts *o, tlsock_config *config,
                    int nonblocking, tlsock_error *err);
/* The trust that --ca describes. */
int opt_add_trust(const struct opts *o, tlsock_config *c);
/* Add a string to a list; 0, or EXIT_INTERNAL after having said why. */
int opt_push(const struct opts *o, struct strs *list, const char *text);

#endif
