/* cert show - what certificates in a file, or of a server, say. */
#include "commands.h"
#include "errors.h"
#include "facts.h"
#include "opt.h"

#include <string.h>
#include <tlsock/cert.h>
#include <tlsock/info.h>
#include <unistd.h>

struct show {
    struct opts o;
    const char *target;
};

static struct poptOption own_options[] = {
    {"pass", '\0', POPT_ARG_STRING, NULL, OPT_PASS,
     "where the file's password is", "file:FILE|env:NAME|fd:N|prompt"},
    {"name", '\0', POPT_ARG_STRING, NULL, OPT_NAME,
     "name to ask the server for (SNI)", "NAME"},
    POPT_TABLEEND};

static struct poptOption table[] = {
    OPT_GROUP(own_options, "Show:"), OPT_GROUP(opt_network, "Network:"),
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

static int show_file(struct show *w)
{
    tlsock_error err = {0};
    const char *pass = w->o.n_idents > 0 ? w->o.idents[0].pass : NULL;
    tlsock_cert *c = tlsock_cert_load(w->target, NULL, pass, &err);
    int rc;

    if (c == NULL)
        return err_report(&w->o.out, w->target, &err, 1);
    rc = show(w, c);
    tlsock_cert_unref(c);
    return rc;
}

static int show_server(struct show *w)
{
    tlsock_config *config = tlsock_config_new();
    tlsock_error err = {0};
    tlsock_cert *c = NULL;
    tlsock *s = NULL;
    int rc = opt_dial(&w->o, w->target);

    if (rc != 0) {
        tlsock_config_unref(config);
        return rc;
    }
    if (config == NULL ||
        tlsock_config_set(config, "insecure", "all: show only") < 0) {
        rc = err_report(&w->o.out, w->target, tlsock_config_error(config), 1);
        tlsock_config_unref(config);
        return rc;
    }
    s = opt_connect(&w->o, config, 0, &err);
    c = s != NULL ? tlsock_peer_cert(s) : NULL;
    if (s == NULL)
        rc = err_report(&w->o.out, w->target, &err, 0);
    else if (c == NULL)
        rc = err_plain(&w->o.out, w->target, EXIT_TLS, "protocol", "",
                       "the server sent no certificate");
    else
        rc = show(w, c);
    tlsock_cert_unref(c);
    tlsock_close(s);
    tlsock_config_unref(config);
    return rc;
}

int cmd_cert_show(int argc, const char **argv)
{
    struct show w = {.target = NULL};
    int rc = opt_parse(&w.o, &spec, &w, argc, argv);

    if (rc == -1) {
        w.target = w.o.args.v[0];
        /* a path that exists or looks like one is a file */
        if (access(w.target, F_OK) != 0 && strchr(w.target, ':') != NULL &&
            w.target[0] != '/' && w.target[0] != '.' &&
            strncmp(w.target, "file:", 5) != 0)
            rc = show_server(&w);
        else
            rc = show_file(&w);
    }
    opt_free(&w.o);
    return rc;
}
