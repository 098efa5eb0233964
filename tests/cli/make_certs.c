/* Makes what verifiers.sh has others verify: in the directory that is named,
 * PEM files, and "cases", one line each:
 *   LABEL ANCHOR CHAIN server|client|ca NAME|- good|bad UNABLE,...|-
 * UNABLE are verifiers that do not know such a key or do not ask for that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <tlsock/cert.h>

#define DAY 86400
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static FILE *cases;
static tlsock_cert *root, *rsa_root, *inter, *limited, *loose, *deep;

static void die(const char *what, const tlsock_error *err)
{
    fprintf(stderr, "%s: %s (%s)\n", what, err->message, err->hint);
    exit(1);
}

static void save(const tlsock_cert *c, const char *name)
{
    tlsock_error err = {0};
    char path[128];
    unsigned parts = TLSOCK_PART_CERT;

    if (tlsock_cert_chain_len(c) > 0)
        parts |= TLSOCK_PART_CHAIN;
    snprintf(path, sizeof(path), "%s.pem", name);
    if (tlsock_cert_save(c, parts, TLSOCK_FORMAT_PEM, path, NULL, &err) != 0)
        die(path, &err);
}

static tlsock_cert *make(const char *name, const tlsock_cert_opts *o)
{
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_create(o, &err);

    if (c == NULL)
        die(name, &err);
    save(c, name);
    return c;
}

static void expect(const char *anchor, const char *chain, const char *use,
                   const char *name, const char *verdict, const char *unable)
{
    fprintf(cases, "%s:%s:%s:%s %s %s %s %s %s %s\n", chain, use, name, verdict,
            anchor, chain, use, name, verdict, unable);
}

/* loose has the key and name of limited, but not its limits: what it signs may
 * be outside them. */
static void make_cas(void)
{
    tlsock_error err = {0};

    root = make("root", TLSOCK_CERT_OPTS(.subject = "CN=Root,O=Test", .ca = 1,
                                         .pathlen = -1));
    rsa_root = make("rsa-root",
                    TLSOCK_CERT_OPTS(.subject = "CN=RSA Root", .ca = 1,
                                     .pathlen = -1, .key = "rsa:3072",
                                     .digest = "sha384"));
    inter = make("inter", TLSOCK_CERT_OPTS(.subject = "CN=Inter", .ca = 1,
                                           .pathlen = 0, .issuer = root,
                                           .purpose = "sslCA"));
    limited = make("limited",
                   TLSOCK_CERT_OPTS(.subject = "CN=Limited", .ca = 1,
                                    .pathlen = 0, .issuer = root,
                                    .permitted = ".test,10.0.0.0/8,fd00::/8"));
    if (tlsock_cert_save(limited, TLSOCK_PART_KEY, TLSOCK_FORMAT_PEM,
                         "limited.key", NULL, &err) != 0)
        die("limited.key", &err);
    loose = make("loose",
                 TLSOCK_CERT_OPTS(.subject = "CN=Limited", .ca = 1,
                                  .pathlen = -1, .issuer = root,
                                  .key = "limited.key"));
    deep = make("deep", TLSOCK_CERT_OPTS(.subject = "CN=Deep", .ca = 1,
                                         .issuer = loose));
    expect("root", "inter", "ca", "-", "good", "java,certtool");
    expect("root", "limited", "ca", "-", "good", "java,certtool");
}

static const struct {
    const char *kind, *file, *unable;
} keys[] = {
    {"ec:P-256", "ec256", "-"},      {"ec:P-384", "ec384", "-"},
    {"ec:P-521", "ec521", "-"},      {"rsa:2048", "rsa2048", "-"},
    {"rsa:4096", "rsa4096", "-"},    {"ed25519", "ed25519", "-"},
    {"ed448", "ed448", "go"},        {"rsa-pss:2048", "rsapss", "go"},
};

static void make_leaf(const char *file, const tlsock_cert *issuer,
                      const char *kind, const char *name)
{
    tlsock_cert_unref(make(file, TLSOCK_CERT_OPTS(.sans = &name, .n_sans = 1,
                                                  .key = kind,
                                                  .issuer = issuer)));
}

static void make_keys(void)
{
    for (size_t i = 0; i < COUNT(keys); i++) {
        char name[64], file[64];

        snprintf(name, sizeof(name), "%s.test", keys[i].file);
        make_leaf(keys[i].file, inter, keys[i].kind, name);
        expect("root", keys[i].file, "server", name, "good", keys[i].unable);
        expect("root", keys[i].file, "client", "-", "good", keys[i].unable);
        expect("rsa-root", keys[i].file, "server", name, "bad", "-");
        snprintf(file, sizeof(file), "%s-rsa", keys[i].file);
        make_leaf(file, rsa_root, keys[i].kind, name);
        expect("rsa-root", file, "server", name, "good", keys[i].unable);
    }
}

static const struct {
    const char *san, *file, *asked, *verdict;
} names[] = {
    {"*.wild.test", "wild", "a.wild.test", "good"},
    {"*.wild.test", "wild", "a.b.wild.test", "bad"},
    {"*.wild.test", "wild", "wild.test", "bad"},
    {"b\xc3\xbc" "cher.test", "idn", "xn--bcher-kva.test", "good"},
    {"b\xc3\xbc" "cher.test", "idn", "bucher.test", "bad"},
    {"192.0.2.7", "v4", "192.0.2.7", "good"},
    {"192.0.2.7", "v4", "192.0.2.8", "bad"},
    {"2001:db8::7", "v6", "2001:db8::7", "good"},
    {"2001:db8::7", "v6", "2001:db8::8", "bad"},
    {"plain.test", "plain", "other.test", "bad"},
};

static void make_names(void)
{
    for (size_t i = 0; i < COUNT(names); i++) {
        make_leaf(names[i].file, inter, NULL, names[i].san);
        /* the PKIX validator of Java asks for no name */
        expect("root", names[i].file, "server", names[i].asked,
               names[i].verdict,
               strcmp(names[i].verdict, "bad") == 0 ? "java" : "-");
    }
}

static const struct {
    const char *san, *file;
    int good;
} constrained[] = {
    {"in.test", "nc-dns", 1},       {"out.example", "nc-dns-out", 0},
    {"10.1.2.3", "nc-v4", 1},       {"192.0.2.1", "nc-v4-out", 0},
    {"fd00::1", "nc-v6", 1},        {"2001:db8::1", "nc-v6-out", 0},
};

/* leaf and the limited CA, whoever of the two has signed */
static void join(const char *leaf)
{
    char out[128], line[4096];
    const char *parts[] = {leaf, "limited"};
    FILE *to;

    snprintf(out, sizeof(out), "%s-joined.pem", leaf);
    to = fopen(out, "w");
    for (size_t i = 0; to != NULL && i < COUNT(parts); i++) {
        char path[128];
        FILE *from;
        int more = 1;

        snprintf(path, sizeof(path), "%s.pem", parts[i]);
        from = fopen(path, "r");
        while (from != NULL && more && fgets(line, sizeof(line), from)) {
            fputs(line, to);
            more = strncmp(line, "-----END", 8) != 0;
        }
        if (from != NULL)
            fclose(from);
    }
    if (to == NULL || fclose(to) != 0)
        exit(1);
}

static void make_constrained(void)
{
    for (size_t i = 0; i < COUNT(constrained); i++) {
        char file[64];

        make_leaf(constrained[i].file, constrained[i].good ? limited : loose,
                  NULL, constrained[i].san);
        join(constrained[i].file);
        snprintf(file, sizeof(file), "%s-joined", constrained[i].file);
        expect("root", file, "server", constrained[i].san,
               constrained[i].good ? "good" : "bad", "-");
    }
    /* a CA below one that may have any number below it */
    make_leaf("deep-leaf", deep, NULL, "deep.test");
    expect("root", "deep-leaf", "server", "deep.test", "good", "-");
}

static void make_purposes(void)
{
    const char *mail = "me@mail.test";
    int64_t now = (int64_t)time(NULL);
    const char *san = "old.test";

    tlsock_cert_unref(make("client",
                           TLSOCK_CERT_OPTS(.subject = "CN=Some Body",
                                            .issuer = inter,
                                            .purpose = "client")));
    expect("root", "client", "client", "-", "good", "-");
    expect("root", "client", "server", "-", "bad", "-");
    tlsock_cert_unref(make("mail",
                           TLSOCK_CERT_OPTS(.sans = &mail, .n_sans = 1,
                                            .issuer = root,
                                            .purpose = "email")));
    expect("root", "mail", "server", "-", "bad", "-");
    tlsock_cert_unref(make("server",
                           TLSOCK_CERT_OPTS(.sans = &san, .n_sans = 1,
                                            .issuer = root,
                                            .purpose = "server")));
    expect("root", "server", "server", san, "good", "-");
    expect("root", "server", "client", "-", "bad", "-");
    tlsock_cert_unref(make("expired",
                           TLSOCK_CERT_OPTS(.sans = &san, .n_sans = 1,
                                            .issuer = inter,
                                            .not_before = now - 9 * DAY,
                                            .not_after = now - DAY)));
    expect("root", "expired", "server", san, "bad", "-");
    tlsock_cert_unref(make("future",
                           TLSOCK_CERT_OPTS(.sans = &san, .n_sans = 1,
                                            .issuer = inter,
                                            .not_before = now + DAY)));
    expect("root", "future", "server", san, "bad", "-");
}

int main(int argc, char **argv)
{
    tlsock_cert **all[] = {&root, &rsa_root, &inter, &limited, &loose, &deep};

    if (argc != 2 || chdir(argv[1]) != 0)
        return 2;
    cases = fopen("cases", "w");
    if (cases == NULL)
        return 1;
    make_cas();
    make_keys();
    make_names();
    make_constrained();
    make_purposes();
    for (size_t i = 0; i < COUNT(all); i++)
        tlsock_cert_unref(*all[i]);
    return fclose(cases) == 0 ? 0 : 1;
}
