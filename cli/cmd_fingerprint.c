/* fingerprint - what to paste so that a certificate or key is accepted, and no
 * other: for C, config files, this tool, curl. Whether the peer was verified
 * is said; who pins is told what not to take on trust. Of TLS programs, JA3,
 * JA3S and JA4: of a server, of captures, of clients that come. */
#include "capread.h"
#include "certfield.h"
#include "commands.h"
#include "confine.h"
#include "errors.h"
#include "helloserve.h"
#include "peer.h"
#include "source.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <tlsock/config.h>

enum { OPT_ONLY = OPT_OWN, OPT_LISTEN, OPT_ANSWER, OPT_COUNT, OPT_PORT_FILE };

struct fingerprint {
    struct opts o;
    const char *only;
    struct helloserve serve; /* --listen */
    tlsock_config *config;
};

/* One certificate, in every form. */
struct prints {
    const char *role; /* "leaf", "intermediate", "CA" */
    char about[200];  /* "app.test, expires 2027-01-15" */
    char cert[80];    /* sha256:HEX */
    char key[80];     /* sha256:pub:HEX */
    char curl[64];    /* sha256//BASE64 */
    char colons[100]; /* AA:BB:... */
};

static const char *const forms[] = {"pin", "cert", "curl", "hex"};

static struct poptOption own_options[] = {
    {"only", '\0', POPT_ARG_STRING, NULL, OPT_ONLY,
     "print this of the leaf, and nothing else", "pin|cert|curl|hex"},
    {"pass", '\0', POPT_ARG_STRING, NULL, OPT_PASS,
     "where a file's password is", "file:FILE|env:NAME|fd:N|prompt"},
    {"listen", '\0', POPT_ARG_STRING, NULL, OPT_LISTEN,
     "wait for clients there, and tell what their hellos say", "TARGET"},
    {"answer", '\0', POPT_ARG_STRING, NULL, OPT_ANSWER,
     "what they get: an alert (default), or a certificate for localhost",
     "alert|certificate"},
    {"count", '\0', POPT_ARG_STRING, NULL, OPT_COUNT,
     "with --listen: end after N clients", "N"},
    {"port-file", '\0', POPT_ARG_STRING, NULL, OPT_PORT_FILE,
     "with --listen: write the port there when ready", "FILE"},
    POPT_TABLEEND};

static struct poptOption table[] = {
    OPT_GROUP(own_options, "Fingerprint:"),
    OPT_GROUP(opt_trust, "Trust:"),
    OPT_GROUP(opt_network, "Network:"),
    OPT_GROUP(opt_evidence, "Evidence:"),
    OPT_GROUP(opt_confine_calls, "Confinement:"),
    OPT_GROUP(opt_output, "Output:"),
    POPT_TABLEEND};

static int take_only(struct fingerprint *w, struct opts *o, const char *arg)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (strcmp(arg, forms[i]) == 0) {
            w->only = forms[i];
            return 0;
        }
    }
    return err_usage(&o->out, "fingerprint", "--only pin, cert, curl or hex",
                     "--only \"%s\"", arg);
}

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct fingerprint *w = own;

    switch (val) {
    case OPT_ONLY:
        return take_only(w, o, arg);
    case OPT_LISTEN:
        w->serve.target = arg;
        return 0;
    case OPT_ANSWER:
        w->serve.let_in = strcmp(arg, "certificate") == 0;
        if (w->serve.let_in || strcmp(arg, "alert") == 0)
            return 0;
        return err_usage(&o->out, "fingerprint",
                         "--answer alert, or certificate", "--answer \"%s\"",
                         arg);
    case OPT_COUNT:
        return opt_number(o, "--count", arg, 1, 1000000000, &w->serve.count);
    default:
        w->serve.port_file = arg;
        return 0;
    }
}

static const struct opt_spec spec = {
    .command = "fingerprint",
    .usage = "[options] FILE|-|HOST[:PORT]|URL... | --listen TARGET",
    .about = "Prints fingerprints of a certificate and of its key, as lines to "
             "paste into C, a configuration file, or the line of tlsock or "
             "curl; for each certificate of the chain. The peer is verified, "
             "and shown all the same if that fails: then compare the "
             "fingerprint by another way before you pin it. Of a server JA3S "
             "too, of the hellos in a capture (pcap, pcapng) and of clients "
             "that come to --listen JA3 and JA4.",
    .after = "  tlsock fingerprint example.com\n"
             "  tlsock fingerprint dump.pcapng\n"
             "  tlsock fingerprint --listen :8443\n"
             "  tlsock fingerprint smtp://mx.example.com\n"
             "  tlsock connect --pin \"$(tlsock fingerprint --only pin "
             "me.pem)\" example.com\n",
    .table = table,
    .take = take,
    .max_args = 1000};

static int nibble(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* "sha256:HEX" as bytes. */
static void bytes_of(unsigned char out[32], const char *print)
{
    const char *hex = strrchr(print, ':') + 1;

    for (int i = 0; i < 32; i++)
        out[i] =
            (unsigned char)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
}

static const char *name_of(const tlsock_cert *c)
{
    const char *cn = certfield(c, TLSOCK_CERT_CN);

    if (cn == NULL || cn[0] == '\0')
        cn = certfield(c, TLSOCK_CERT_SUBJECT);
    if (cn == NULL || cn[0] == '\0')
        cn = certfield(c, TLSOCK_CERT_SANS);
    return cn != NULL ? cn : "";
}

/* It goes into a comment of C. */
static void describe(struct prints *p, const tlsock_cert *c)
{
    char name[128];

    out_clean(name, sizeof(name), name_of(c));
    snprintf(p->about, sizeof(p->about), "%s, expires %.10s", name,
             certfield(c, TLSOCK_CERT_NOT_AFTER));
    for (char *at = strstr(p->about, "*/"); at != NULL; at = strstr(at, "*/"))
        at[1] = '_';
}

static int take_prints(struct prints *p, const tlsock_cert *c, int place)
{
    unsigned char raw[32];

    if (tlsock_cert_fingerprint(c, "sha256", 0, p->cert, sizeof(p->cert)) < 0 ||
        tlsock_cert_fingerprint(c, "sha256", 1, p->key, sizeof(p->key)) < 0)
        return -1;
    p->role = place == 0 ? "leaf"
              : strcmp(certfield_text(c, TLSOCK_CERT_SUBJECT),
                       certfield_text(c, TLSOCK_CERT_ISSUER)) == 0
                  ? "CA"
                  : "intermediate";
    describe(p, c);
    bytes_of(raw, p->key);
    memcpy(p->curl, "sha256//", 9);
    EVP_EncodeBlock((unsigned char *)p->curl + 8, raw, sizeof(raw));
    bytes_of(raw, p->cert);
    for (size_t i = 0; i < sizeof(raw); i++)
        snprintf(p->colons + 3 * i, 4, "%02X%s", raw[i],
                 i + 1 < sizeof(raw) ? ":" : "");
    return 0;
}

static void line(const char *label, const char *before, const char *text,
                 const char *after)
{
    printf("  %-8s %s%s%s\n", label, before, text, after);
}

/* An issuer's pin counts in this mode alone. */
static void print_mode(const struct prints *p)
{
    if (strcmp(p->role, "leaf") == 0)
        return;
    line("C", "tlsock_config_set(c, \"pin.mode\", \"require-chain\");", "", "");
    line("config", "pin.mode = require-chain", "", "");
}

static void print_text(const struct out *o, const struct prints *p)
{
    char after[240];

    out_label(o, stdout, "1", p->role);
    printf("%s\n", p->about);
    print_mode(p);
    snprintf(after, sizeof(after), "\"); /* %s */", p->about);
    line("C", "tlsock_config_add_pin(c, \"", p->key, after);
    line("config", "pin = ", p->key, "");
    if (strcmp(p->role, "leaf") == 0) {
        line("tlsock", "--pin ", p->key, "");
        line("curl", "--pinnedpubkey '", p->curl, "'");
    } else {
        line("tlsock", "-o pin.mode=require-chain --pin ", p->key, "");
    }
    line("cert", p->cert, "", "");
    line("hex", p->colons, "", "");
}

static void print_only(const struct fingerprint *w, const struct prints *p)
{
    puts(strcmp(w->only, "pin") == 0    ? p->key
         : strcmp(w->only, "cert") == 0 ? p->cert
         : strcmp(w->only, "curl") == 0 ? p->curl
                                        : p->colons);
}

static json_t *prints_json(const struct prints *p, const tlsock_cert *c)
{
    json_t *obj = json_object();
    int leaf = strcmp(p->role, "leaf") == 0;

    json_object_set_new(obj, "role", json_string(p->role));
    json_object_set_new(obj, "subject",
                        out_json_text(certfield(c, TLSOCK_CERT_SUBJECT)));
    json_object_set_new(obj, "not_after",
                        out_json_text(certfield(c, TLSOCK_CERT_NOT_AFTER)));
    json_object_set_new(obj, "pin", json_string(p->key));
    json_object_set_new(obj, "pin_mode",
                        json_string(leaf ? "accept" : "require-chain"));
    json_object_set_new(obj, "certificate", json_string(p->cert));
    json_object_set_new(obj, "pinned_public_key", json_string(p->curl));
    json_object_set_new(obj, "hex", json_string(p->colons));
    return obj;
}

/* How it was verified, or why not. */
static void say_verdict(const struct fingerprint *w, const char *target,
                        const char *name, const tlsock_error *err)
{
    const struct out *o = &w->o.out;
    FILE *to = w->only != NULL ? stderr : stdout;
    char text[512];

    if (err->code == TLSOCK_OK) {
        if (w->only != NULL || o->quiet)
            return;
        out_label(o, to, OUT_GREEN, "verified");
        fprintf(to, "%s: ", out_clean(text, sizeof(text), target));
        if (name != NULL)
            fprintf(to, "chain, and the name %s\n",
                    out_clean(text, sizeof(text), name));
        else
            fprintf(to, "chain (no name was asked for: --name NAME)\n");
        return;
    }
    out_label(o, to, OUT_RED, "WARNING");
    fprintf(to, "%s: not verified: %s: %s\n",
            out_clean(text, sizeof(text), target), tlsock_errslug(err->code),
            err->message);
    out_label(o, to, OUT_RED, "");
    fprintf(to, "before you pin it, compare with what its owner says\n");
}

/* What the two hellos of the connection tell. */
static void print_hellos(const struct out *o, const struct peer_prints *hellos)
{
    out_label(o, stdout, "1", "server");
    printf("ja3s %s, to our hello\n", hellos->ja3s);
    out_label(o, stdout, "1", "client");
    printf("ja4 %s  ja3 %s\n", hellos->ja4, hellos->ja3);
}

static void hellos_json(json_t *obj, const struct peer_prints *hellos)
{
    json_object_set_new(obj, "ja3s", out_json_text(hellos->ja3s));
    json_object_set_new(obj, "own_ja3", out_json_text(hellos->ja3));
    json_object_set_new(obj, "own_ja4", out_json_text(hellos->ja4));
}

static int show(const struct fingerprint *w, const char *target,
                const char *name, const tlsock_cert *c,
                const struct peer_prints *hellos, const tlsock_error *err)
{
    json_t *obj = json_object(), *list = json_array();
    int n = w->only != NULL ? 0 : tlsock_cert_chain_len(c), rc = 0;

    if (!w->o.out.json)
        say_verdict(w, target, name, err);
    for (int i = 0; i <= n && rc == 0; i++) {
        tlsock_cert *at = i > 0 ? certfield_chain(c, i - 1) : NULL;
        const tlsock_cert *one = i > 0 ? at : c;
        struct prints p;

        rc = one != NULL ? take_prints(&p, one, i) : -1;
        if (rc == 0 && w->o.out.json)
            json_array_append_new(list, prints_json(&p, one));
        else if (rc == 0 && w->only != NULL)
            print_only(w, &p);
        else if (rc == 0)
            print_text(&w->o.out, &p);
        tlsock_cert_unref(at);
    }
    json_object_set_new(obj, "schema", json_string("tlsock.fingerprint/1"));
    json_object_set_new(obj, "target", out_json_text(target));
    json_object_set_new(obj, "verified", json_boolean(err->code == TLSOCK_OK));
    json_object_set_new(obj, "name", out_json_text(name));
    if (err->code != TLSOCK_OK)
        json_object_set_new(
            obj, "error",
            err_json(&w->o.out, target, err, err_exit_code(err, 0)));
    json_object_set_new(obj, "certificates", list);
    if (hellos->ja3s[0] != '\0' && w->o.out.json)
        hellos_json(obj, hellos);
    else if (rc == 0 && hellos->ja3s[0] != '\0' && w->only == NULL)
        print_hellos(&w->o.out, hellos);
    if (rc == 0 && w->o.out.json)
        return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
    json_decref(obj);
    if (rc == 0)
        return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
    return err_plain(&w->o.out, target, EXIT_INTERNAL, "nomem", "",
                     "cannot take the fingerprints");
}

static int one(struct fingerprint *w, const char *target)
{
    const char *name = w->o.verify_name != NULL ? w->o.verify_name : w->o.name;
    struct peer_prints hellos = {0};
    tlsock_error err = {0};
    tlsock_cert *c = NULL;
    char host[256];
    int rc = 0;

    if (capread_is(target))
        return capread_say(&w->o.out, target);
    if (source_is_server(target))
        rc = peer_look(&w->o, target, &c, &hellos);
    else
        c = source_load(&w->o, target, &rc);
    if (c == NULL)
        return rc;
    if (name == NULL && source_is_server(target) && source_host(target, host))
        name = host;
    (void)tlsock_verify(c, w->config, TLSOCK_VERIFY_OPTS(.name = name), &err);
    rc = show(w, target, name, c, &hellos, &err);
    tlsock_cert_unref(c);
    return rc;
}

static int check_line(const struct fingerprint *w)
{
    const struct out *o = &w->o.out;
    int listen = w->serve.target != NULL;

    if (listen && w->o.args.n != 0)
        return err_usage(o, "fingerprint", "leave one of them out",
                         "--listen takes no file and no host");
    if (!listen && w->o.args.n == 0)
        return err_usage(o, "fingerprint", "name a file, a host or a capture",
                         "there is nothing to fingerprint");
    if (!listen &&
        (w->serve.count != 0 || w->serve.port_file != NULL || w->serve.let_in))
        return err_usage(o, "fingerprint", "add --listen TARGET",
                         "--count, --answer and --port-file are for --listen");
    return 0;
}

static int run(struct fingerprint *w)
{
    int rc = check_line(w), worst = 0;

    if (rc != 0)
        return rc;
    rc = confine_client(&w->o);
    if (rc != 0)
        return rc;
    w->serve.o = &w->o;
    w->serve.out = &w->o.out;
    if (w->serve.target != NULL)
        return helloserve_run(&w->serve);
    w->config = opt_make_file_config(&w->o, &rc);
    if (w->config == NULL)
        return rc;
    for (size_t i = 0; i < w->o.args.n; i++) {
        if (i > 0 && w->only == NULL && !w->o.out.json)
            putchar('\n');
        rc = one(w, w->o.args.v[i]);
        worst = worst != 0 ? worst : rc;
    }
    return worst;
}

int cmd_fingerprint(int argc, const char **argv)
{
    struct fingerprint w = {.only = NULL};
    int rc = opt_parse(&w.o, &spec, &w, argc, argv);

    if (rc == -1)
        rc = run(&w);
    tlsock_config_unref(w.config);
    opt_free(&w.o);
    return rc;
}
