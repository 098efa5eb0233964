#include "opt.h"

#include "evidence.h"

#include "errors.h"
#include "opthelp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STR(name, ch, val, help, arg)                                          \
    {                                                                          \
        name, ch, POPT_ARG_STRING, NULL, val, help, arg                        \
    }
#define FLAG(name, ch, val, help)                                              \
    {                                                                          \
        name, ch, POPT_ARG_NONE, NULL, val, help, NULL                         \
    }

struct poptOption opt_trust[] = {
    STR("ca", 0, OPT_CA, "trust these instead of the system's; + adds",
        "FILE|DIR|system|+FILE"),
    STR("pin", 0, OPT_PIN, "accept this certificate or key; several",
        "sha256:HEX|sha256:pub:HEX|sha256//BASE64"),
    STR("name", 0, OPT_NAME, "name to send (SNI) and to check", "NAME"),
    STR("sni", 0, OPT_SNI, "name to send only", "NAME"),
    STR("verify-name", 0, OPT_VERIFY_NAME, "name to check only", "NAME"),
    STR("scheme", 0, OPT_SCHEME, "older name rules of this protocol",
        "smtp|ldap|rfc2818|..."),
    STR("accept", 0, OPT_ACCEPT, "forgive exactly one fault",
        "expired|self-signed|name"),
    FLAG("insecure", 0, OPT_INSECURE, "check nothing: anybody may listen in"),
    STR("revocation", 0, OPT_REVOCATION, "what has to say it is not revoked",
        "off|soft|hard|staple|must-staple|crl|ocsp"),
    STR("crl", 0, OPT_CRL, "revocation list; has them checked, too", "FILE"),
    STR("dane", 0, OPT_DANE, "believe the TLSA records of the server's zone",
        "on|require"),
    POPT_TABLEEND};
struct poptOption opt_identity[] = {
    STR("cert", 0, OPT_CERT, "own certificate and its chain (PEM, DER, p12)",
        "FILE"),
    STR("key", 0, OPT_KEY, "its private key, if not in the same file", "FILE"),
    STR("pass", 0, OPT_PASS, "where the key's password is",
        "file:FILE|env:NAME|fd:N|prompt"),
    STR("psk", 0, OPT_PSK, "identity of a pre-shared key", "IDENTITY"),
    STR("psk-key", 0, OPT_PSK_KEY, "where that key is, in hex digits",
        "file:FILE|env:NAME|fd:N"),
    POPT_TABLEEND};
struct poptOption opt_protocol[] = {
    STR("tls", 0, OPT_TLS, "versions", "1.2-1.3|1.2-|-1.2|1.3"),
    STR("ciphers", 0, OPT_CIPHERS, "cipher suites, separated by colons",
        "LIST"),
    STR("groups", 0, OPT_GROUPS, "key exchange groups, separated by colons",
        "LIST"),
    STR("alpn", 0, OPT_ALPN, "application protocols, separated by commas",
        "LIST"),
    POPT_TABLEEND};
struct poptOption opt_evidence[] = {
    STR("keylog", 0, OPT_KEYLOG, "write the session keys (for Wireshark)",
        "FILE"),
    STR("pcap", 0, OPT_PCAP, "record connections for Wireshark, keys included",
        "FILE.pcapng"),
    FLAG("trace", 0, OPT_TRACE, "show each message of TLS on stderr"),
    POPT_TABLEEND};
struct poptOption opt_network[] = {
    FLAG("ipv4", '4', OPT_IPV4, "IPv4 only"),
    FLAG("ipv6", '6', OPT_IPV6, "IPv6 only"),
    STR("ip", 0, OPT_IP, "connect to this address instead of the target's",
        "ADDRESS"),
    STR("local", 0, OPT_LOCAL, "connect from this address", "ADDRESS"),
    STR("starttls", 0, OPT_STARTTLS, "begin in plaintext, as this protocol",
        "PROTO[:ARG]"),
    STR("proxy", 0, OPT_PROXY, "through these proxies, the nearest first",
        "URL[,URL]|env:NAME|file:FILE"),
    STR("timeout", 0, OPT_TIMEOUT, "budget of connect and handshake",
        "10s|500ms|2m|none"),
    POPT_TABLEEND};
struct poptOption opt_output[] = {
    FLAG("json", 0, OPT_JSON, "results and errors as JSON on stdout"),
    FLAG("quiet", 'q', OPT_QUIET, "errors only"),
    FLAG("verbose", 'v', OPT_VERBOSE, "say more, OpenSSL's codes too"),
    STR("color", 0, OPT_COLOR, "colour in text", "auto|always|never"),
    FLAG("help", 'h', OPT_HELP, "this text"),
    POPT_TABLEEND};
struct poptOption opt_confine[] = {
    STR("user", 0, OPT_USER, "become this user before the first client comes",
        "NAME[:GROUP]"),
    STR("chroot", 0, OPT_CHROOT, "with --user: see this directory alone",
        "DIR"),
    STR("confine", 0, OPT_CONFINE,
        "give up files, ports and system calls that are not needed (soft)",
        "off|soft|hard"),
    POPT_TABLEEND};
struct poptOption opt_confine_calls[] = {
    STR("confine", 0, OPT_CONFINE,
        "give up system calls that are not needed (soft)", "off|soft|hard"),
    POPT_TABLEEND};
struct poptOption opt_settings[] = {
    STR("option", 'o', OPT_SET, "any key of the list below", "KEY=VALUE"),
    STR("config", 0, OPT_CONFIG, "keys from an INI file", "FILE[:SECTION]"),
    POPT_TABLEEND};

int opt_push(const struct opts *o, struct strs *list, const char *text)
{
    const char **grown = realloc(list->v, (list->n + 1) * sizeof(*grown));

    if (grown == NULL)
        return err_plain(&o->out, o->command, EXIT_INTERNAL, "nomem", "",
                         "out of memory");
    list->v = grown;
    list->v[list->n++] = text;
    return 0;
}

static int push_set(struct opts *o, const char *key, const char *value,
                    const char *flag)
{
    int rc = opt_push(o, &o->sets, key);

    if (rc == 0)
        rc = opt_push(o, &o->sets, value);
    return rc != 0 ? rc : opt_push(o, &o->sets, flag);
}

char *opt_keep(struct opts *o, const char *text, size_t len)
{
    char *copy = strndup(text, len);

    if (copy != NULL && opt_push(o, &o->pool, copy) == 0)
        return copy;
    free(copy);
    return NULL;
}

int opt_number(const struct opts *o, const char *flag, const char *text,
               long min, long max, long *value)
{
    char *end = NULL;

    errno = 0;
    *value = strtol(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && *value >= min &&
        *value <= max &&
        ((text[0] >= '0' && text[0] <= '9') || (min < 0 && text[0] == '-')))
        return 0;
    return err_usage(&o->out, o->command, NULL,
                     "%s \"%s\" is not a whole number from %ld to %ld", flag,
                     text, min, max);
}

/* hard and soft ask everybody about the whole chain; the other words are the
 * option's own. */
static int take_revocation(struct opts *o, const char *text)
{
    static const char *const words[] = {"off", "staple", "must-staple",
                                        "crl", "ocsp",   "full"};
    int rc;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(text, words[i]) == 0)
            return push_set(o, "revocation", text, "--revocation");
    if (strcmp(text, "soft") != 0 && strcmp(text, "hard") != 0)
        return err_usage(&o->out, o->command,
                         "--revocation hard (everything has to be known), soft "
                         "(what can be known), crl, ocsp, must-staple, staple "
                         "(the default) or off",
                         "--revocation \"%s\" is none of its words", text);
    rc = push_set(o, "revocation", "full", "--revocation");
    return rc != 0 ? rc : push_set(o, "revocation.fail", text, "--revocation");
}

/* "1.2-1.3", "1.2-", "-1.2", "1.3"; the library knows the versions. */
static int take_tls(struct opts *o, const char *text)
{
    const char *dash = strchr(text, '-');
    char *min, *max;
    int rc = 0;

    if (strcmp(text, "-") == 0 || (dash != NULL && strchr(dash + 1, '-')))
        return err_usage(&o->out, o->command,
                         "--tls 1.2-1.3, 1.2-, -1.2 or 1.3",
                         "--tls \"%s\" is not a range of versions", text);
    min =
        opt_keep(o, text, dash != NULL ? (size_t)(dash - text) : strlen(text));
    max = opt_keep(o, dash != NULL ? dash + 1 : text,
                   strlen(dash != NULL ? dash + 1 : text));
    if (min == NULL || max == NULL)
        return EXIT_INTERNAL;
    if (*min != '\0')
        rc = push_set(o, "tls.min", min, "--tls");
    if (rc == 0 && *max != '\0')
        rc = push_set(o, "tls.max", max, "--tls");
    return rc;
}

/* TLS 1.3 suites and the others are two keys, but one wish. */
static int take_ciphers(struct opts *o, const char *text)
{
    size_t size = strlen(text) + 1;
    char *lists = calloc(3, size), *old, *new, *word, *save = NULL;
    int rc = 0;

    if (lists == NULL)
        return EXIT_INTERNAL;
    old = lists + size;
    new = lists + 2 * size;
    memcpy(lists, text, size);
    for (word = strtok_r(lists, ":", &save); word != NULL;
         word = strtok_r(NULL, ":", &save)) {
        char *to = strncmp(word, "TLS_", 4) == 0 ? new : old;

        if (*to != '\0')
            strcat(to, ":");
        strcat(to, word);
    }
    if (*old == '\0' && *new == '\0')
        rc = err_usage(&o->out, o->command, "--ciphers LIST, names of OpenSSL",
                       "--ciphers \"%s\" names none", text);
    if (rc == 0 && *old != '\0')
        rc = push_set(o, "ciphers", opt_keep(o, old, size), "--ciphers");
    if (rc == 0 && *new != '\0')
        rc = push_set(o, "ciphersuites", opt_keep(o, new, size), "--ciphers");
    free(lists);
    return rc;
}

static int take_set(struct opts *o, const char *text)
{
    const char *equals = strchr(text, '=');
    char *key;

    if (equals == NULL || equals == text || equals[1] == '\0')
        return err_usage(&o->out, o->command, "-o KEY=VALUE, as -o tls.min=1.3",
                         "-o \"%s\" is not KEY=VALUE", text);
    key = opt_keep(o, text, (size_t)(equals - text));
    if (key == NULL)
        return EXIT_INTERNAL;
    return push_set(o, key, equals + 1, "-o");
}

/* --cert, --key and --pass in any order; a word that the last identity has
 * already begins the next one. */
static int take_ident(struct opts *o, int val, const char *arg)
{
    struct ident *last = o->n_idents > 0 ? &o->idents[o->n_idents - 1] : NULL;
    struct ident *grown;

    if (last == NULL || (val == OPT_CERT && last->cert != NULL) ||
        (val == OPT_KEY && last->key != NULL) ||
        (val == OPT_PASS && last->pass != NULL)) {
        grown = realloc(o->idents, (o->n_idents + 1) * sizeof(*grown));
        if (grown == NULL)
            return EXIT_INTERNAL;
        o->idents = grown;
        last = &o->idents[o->n_idents++];
        *last = (struct ident){NULL, NULL, NULL};
    }
    if (val == OPT_CERT)
        last->cert = arg;
    if (val == OPT_KEY)
        last->key = arg;
    if (val == OPT_PASS)
        last->pass = arg;
    return 0;
}

static int take_pass(struct opts *o, const char *arg)
{
    const char *uri;
    int rc = opt_take_pass(o, "--pass", arg, 0, &uri);

    return rc == 0 ? take_ident(o, OPT_PASS, uri) : rc;
}

static int take_color(struct opts *o, const char *arg)
{
    static const char *const words[] = {"auto", "never", "always"};

    for (int i = 0; i < 3; i++) {
        if (strcmp(arg, words[i]) == 0) {
            o->out.color = i - 1;
            return 0;
        }
    }
    return err_usage(&o->out, o->command, "--color auto, always or never",
                     "--color \"%s\"", arg);
}

static int take_accept(struct opts *o, const char *arg)
{
    if (o->accept != NULL)
        return err_usage(&o->out, o->command, "name the one fault you know of",
                         "--accept twice: it forgives exactly one fault");
    o->accept = arg;
    return 0;
}

static int take_text(struct opts *o, int val, const char *arg)
{
    switch (val) {
    case OPT_CA:
        if (strcmp(arg, "+") == 0)
            return err_usage(&o->out, o->command, "--ca +FILE",
                             "--ca \"+\" names no file");
        return opt_push(o, &o->ca, arg);
    case OPT_PIN:
        return opt_push(o, &o->pins, arg);
    case OPT_CRL:
        return opt_push(o, &o->crls, arg);
    case OPT_NAME:
        o->name = arg;
        return 0;
    case OPT_SNI:
        o->sni = arg;
        return 0;
    case OPT_VERIFY_NAME:
        o->verify_name = arg;
        return push_set(o, "verify.name", arg, "--verify-name");
    case OPT_SCHEME:
        return push_set(o, "verify.scheme", arg, "--scheme");
    case OPT_ACCEPT:
        return take_accept(o, arg);
    case OPT_REVOCATION:
        return take_revocation(o, arg);
    case OPT_DANE:
        return push_set(o, "dane", arg, "--dane");
    case OPT_CERT:
    case OPT_KEY:
        return take_ident(o, val, arg);
    case OPT_PASS:
        return take_pass(o, arg);
    case OPT_PSK:
        return opt_push(o, &o->psks, arg);
    case OPT_PSK_KEY:
        return opt_push(o, &o->psk_keys, arg);
    case OPT_TLS:
        return take_tls(o, arg);
    case OPT_CIPHERS:
        return take_ciphers(o, arg);
    case OPT_GROUPS:
        return push_set(o, "groups", arg, "--groups");
    case OPT_ALPN:
        return push_set(o, "alpn", arg, "--alpn");
    case OPT_KEYLOG:
        o->keylog = arg;
        return 0;
    case OPT_PCAP:
        o->pcap = arg;
        return 0;
    case OPT_SESSION:
        return push_set(o, "session.file", arg, "--session");
    case OPT_COLOR:
        return take_color(o, arg);
    case OPT_SET:
        return take_set(o, arg);
    case OPT_CONFIG:
        o->config = arg;
        return 0;
    case OPT_USER:
        o->user = arg;
        return 0;
    case OPT_CHROOT:
        o->chroot = arg;
        return 0;
    case OPT_CONFINE:
        o->confine = arg;
        return 0;
    default:
        return opt_take_net(o, val, arg);
    }
}

static int take_flag(struct opts *o, int val)
{
    switch (val) {
    case OPT_INSECURE:
        o->insecure = 1;
        return 0;
    case OPT_EARLY_DATA:
        o->early_data = 1;
        return push_set(o, "early-data", "16384", "--early-data");
    case OPT_JSON:
        o->out.json = 1;
        return 0;
    case OPT_QUIET:
        o->out.quiet = 1;
        return 0;
    case OPT_VERBOSE:
        o->out.verbose = 1;
        return 0;
    case OPT_TRACE:
        o->trace = 1;
        return 0;
    default:
        return opt_take_net(o, val, NULL);
    }
}

static int bad_option(const struct opts *o, int rc)
{
    const char *word = poptBadOption(o->con, POPT_BADOPTION_NOALIAS);
    const char *what = rc == POPT_ERROR_NOARG         ? " needs a value"
                       : rc == POPT_ERROR_UNWANTEDARG ? " takes no value"
                                                      : "";

    return err_usage(&o->out, o->command, NULL, "%s%s%s",
                     what[0] != '\0' ? "" : "there is no option ", word, what);
}

static int take_one(struct opts *o, const struct opt_spec *spec, void *own,
                    int val)
{
    char *arg = poptGetOptArg(o->con);

    if (arg != NULL) {
        if (opt_push(o, &o->pool, arg) != 0) {
            free(arg);
            return EXIT_INTERNAL;
        }
        if (arg[0] == '\0' && val != OPT_SNI)
            return err_usage(&o->out, o->command, NULL,
                             "an option's value is empty");
    }
    if (val >= OPT_OWN)
        return spec->take(own, o, val, arg);
    return arg != NULL ? take_text(o, val, arg) : take_flag(o, val);
}

static int take_args(struct opts *o, const struct opt_spec *spec)
{
    const char **rest = poptGetArgs(o->con);
    int rc = 0;

    while (rc == 0 && rest != NULL && *rest != NULL)
        rc = opt_push(o, &o->args, *rest++);
    if (rc != 0)
        return rc;
    if (o->args.n < spec->min_args)
        return err_usage(&o->out, o->command, NULL,
                         "too few arguments: tlsock %s %s", spec->command,
                         spec->usage);
    if (o->args.n > spec->max_args && spec->max_args >= 100)
        return err_usage(&o->out, o->command, "give them in several runs",
                         "%zu arguments, more than %zu", o->args.n,
                         spec->max_args);
    if (o->args.n > spec->max_args)
        return err_usage(&o->out, o->command, NULL,
                         "unexpected argument \"%s\": tlsock %s %s",
                         o->args.v[spec->max_args], spec->command, spec->usage);
    return -1;
}

/* popt takes every word that begins with a dash and a letter apart; a faulty
 * line is answered in JSON too if it asks for it anywhere. */
static int asks_for_json(int argc, const char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0)
            return 1;
    }
    return 0;
}

/* An option that may do without its value: popt would take the next word. */
static void complete_dane(int argc, const char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--dane") == 0)
            argv[i] = "--dane=on";
}

static void (*told)(void *arg, const struct opt_spec *spec);
static void *told_arg;

void opt_tell(void (*take)(void *arg, const struct opt_spec *spec), void *arg)
{
    told = take;
    told_arg = arg;
}

int opt_parse(struct opts *o, const struct opt_spec *spec, void *own, int argc,
              const char **argv)
{
    char name[64];
    int val, rc = 0;

    *o = (struct opts){.command = spec->command};
    if (told != NULL) {
        told(told_arg, spec);
        return EXIT_GOOD;
    }
    o->out.color = -1;
    o->out.json = asks_for_json(argc, argv);
    complete_dane(argc, argv);
    snprintf(name, sizeof(name), "tlsock %s", spec->command);
    argv[0] = opt_keep(o, name, sizeof(name));
    if (argv[0] == NULL)
        return EXIT_INTERNAL;
    o->con = poptGetContext(NULL, argc, argv, spec->table, 0);
    if (o->con == NULL)
        return EXIT_INTERNAL;
    while ((val = poptGetNextOpt(o->con)) > 0) {
        if (val == OPT_HELP)
            return opt_help(spec);
        rc = take_one(o, spec, own, val);
        if (rc != 0)
            return rc;
    }
    return val < -1 ? bad_option(o, val) : take_args(o, spec);
}

void opt_free(struct opts *o)
{
    evidence_free(o->evidence);
    if (o->proxy != NULL)
        explicit_bzero(o->proxy, strlen(o->proxy));
    free(o->proxy);
    tlsock_config_unref(o->proxy_config);
    for (size_t i = 0; i < o->pool.n; i++) {
        /* --proxy may have brought a password */
        explicit_bzero((char *)o->pool.v[i], strlen(o->pool.v[i]));
        free((char *)o->pool.v[i]);
    }
    free(o->pool.v);
    free(o->args.v);
    free(o->ca.v);
    free(o->pins.v);
    free(o->crls.v);
    free(o->psks.v);
    free(o->psk_keys.v);
    free(o->sets.v);
    free(o->idents);
    if (o->con != NULL)
        poptFreeContext(o->con);
}
