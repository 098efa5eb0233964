/* version - what this build is, links and found. */
#include "commands.h"
#include "confine.h"
#include "errors.h"
#include "httprec.h"
#include "opt.h"

#include <string.h>
#include <tlsock.h>

static const char *const features[] = {"tls1.2",
                                       "tls1.3",
                                       "alpn",
                                       "sni",
                                       "multi-cert",
                                       "ciphersuites",
                                       "ocsp",
                                       "pins",
                                       "sessions",
                                       "tickets",
                                       "partial-chain",
                                       "idn",
                                       "psl",
                                       "ipv6",
                                       "keylog",
                                       "pq",
                                       "happy-eyeballs",
                                       "acme",
                                       "curl",
                                       "dane",
                                       "redis",
                                       "pcap",
                                       "ktls",
                                       "htp",
                                       "nghttp2",
                                       "seccomp",
                                       "cert-compression",
                                       "raw-public-keys"};

/* Of the library, or of the tool itself. */
static int is_there(const char *feature)
{
    if (strcmp(feature, "acme") == 0)
        return CLI_ACME;
    if (strcmp(feature, "pcap") == 0)
        return CLI_PCAP;
    if (strcmp(feature, "htp") == 0)
        return httprec_has_h1();
    if (strcmp(feature, "nghttp2") == 0)
        return httprec_has_h2();
    if (strcmp(feature, "seccomp") == 0)
        return confine_has_calls();
    return strcmp(feature, "curl") == 0 ? CLI_CURL : tlsock_has(feature);
}

static struct poptOption table[] = {OPT_GROUP(opt_output, "Output:"),
                                    POPT_TABLEEND};

static const struct opt_spec spec = {
    .command = "version",
    .usage = "[options]",
    .about = "Versions, the trust store found and why, features that are "
             "there now.",
    .table = table};

static int as_json(void)
{
    json_t *obj = json_object(), *has = json_object();

    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
        json_object_set_new(has, features[i],
                            json_boolean(is_there(features[i])));
    json_object_set_new(obj, "schema", json_string("tlsock.version/1"));
    json_object_set_new(obj, "version", out_json_text(tlsock_version()));
    json_object_set_new(obj, "openssl",
                        out_json_text(tlsock_openssl_version()));
    json_object_set_new(obj, "trust_store",
                        out_json_text(tlsock_trust_store()));
    json_object_set_new(obj, "policy", out_json_text(tlsock_policy_text()));
    json_object_set_new(obj, "dane_anchor",
                        out_json_text(tlsock_dane_anchor()));
    json_object_set_new(obj, "features", has);
    return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

int cmd_version(int argc, const char **argv)
{
    struct opts o;
    int rc = opt_parse(&o, &spec, NULL, argc, argv);

    if (rc == -1 && o.out.json) {
        rc = as_json();
    } else if (rc == -1) {
        printf("tlsock       %s\n", tlsock_version());
        printf("openssl      %s\n", tlsock_openssl_version());
        printf("trust store  %s\n", tlsock_trust_store());
        if (tlsock_has("dane"))
            printf("dane anchor  %s\n", tlsock_dane_anchor());
        printf("policy       %s\n",
               *tlsock_policy_text() != '\0' ? tlsock_policy_text() : "none");
        printf("features    ");
        for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
            printf(" %s%s", is_there(features[i]) ? "+" : "-", features[i]);
        putchar('\n');
        rc = fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
    }
    opt_free(&o);
    return rc;
}
