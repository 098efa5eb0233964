/* cert show - what certificates in a file, or of a server, say. */
#include "commands.h"
#include "errors.h"
#include "facts.h"
#include "opt.h"
#include "source.h"

#include <tlsock/cert.h>

struct show {
    struct opts o;
    const char *target;
};

static struct poptOption table[] = {
    OPT_GROUP(opt_source, "Source:"), OPT_GROUP(opt_network, "Network:"),
    OPT_GROUP(opt_output, "Output:"), POPT_TABLEEND};

static const struct opt_spec spec = {
    .command = "cert show",
    .usage = "[options] FILE|HOST:PORT|URL",
    .about = "Shows what is in a file (PEM, DER, PKCS#12), or what a server "
             "sends. Nothing is verified: tlsock connect does that.",
    .after = "  tlsock cert show app.test.pem\n"
             "  tlsock cert show -v example.com:443\n"
             "  tlsock cert show smtp://mx.example.com\n",
    .table = table,
    .min_args = 1,
    .max_args = 1};

static int show(const struct show *w, const tlsock_cert *c)
{
    json_t *obj;

    if (w->o.out.json) {
        obj = json_object();
        json_object_set_new(obj, "schema", json_string("tlsock.cert-show/1"));
        json_object_set_new(obj, "target", out_json_text(w->target));
        json_object_set_new(obj, "certificates", facts_certs_json(c));
        return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
    }
    facts_print_cert(&w->o.out, c, 0);
    for (int i = 0; i < tlsock_cert_chain_len(c); i++) {
        tlsock_cert *at = tlsock_cert_chain_at(c, i);

        if (at == NULL)
            return EXIT_INTERNAL;
        facts_print_cert(&w->o.out, at, i + 1);
        tlsock_cert_unref(at);
    }
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

int cmd_cert_show(int argc, const char **argv)
{
    struct show w = {.target = NULL};
    int rc = opt_parse(&w.o, &spec, &w, argc, argv);
    tlsock_cert *c;

    if (rc == -1) {
        w.target = w.o.args.v[0];
        c = source_load(&w.o, w.target, &rc);
        if (c != NULL)
            rc = show(&w, c);
        tlsock_cert_unref(c);
    }
    opt_free(&w.o);
    return rc;
}
