/* cert show - what a certificate, and what lies beside it, says. */
#include "certfield.h"
#include "certtext.h"
#include "commands.h"
#include "errors.h"
#include "facts.h"
#include "showother.h"
#include "source.h"

#include <stdlib.h>
#include <string.h>

enum { OPT_PEM = OPT_OWN };

struct show {
    struct opts o;
    int pem;
};

static struct poptOption own_options[] = {
    {"pem", '\0', POPT_ARG_NONE, NULL, OPT_PEM,
     "print the certificates as PEM, nothing else", NULL},
    POPT_TABLEEND};

static struct poptOption table[] = {
    OPT_GROUP(own_options, "Show:"),    OPT_GROUP(opt_source, "Source:"),
    OPT_GROUP(opt_network, "Network:"), OPT_GROUP(opt_evidence, "Evidence:"),
    OPT_GROUP(opt_output, "Output:"),   POPT_TABLEEND};

static int take(void *own, struct opts *o, int val, const char *arg)
{
    (void)o;
    (void)val;
    (void)arg;
    ((struct show *)own)->pem = 1;
    return 0;
}

static const struct opt_spec spec = {
    .command = "cert show",
    .usage = "[options] FILE|-|HOST[:PORT]|URL...",
    .about = "Shows what is in a file (PEM, DER, PKCS#12; certificates, "
             "signing requests, revocation lists, keys), or what a server "
             "sends. Nothing is verified: tlsock cert verify does that.",
    .after = "  tlsock cert show app.test.pem\n"
             "  tlsock cert show -v example.com\n"
             "  tlsock cert show smtp://mx.example.com\n"
             "  tlsock cert show --pem example.com >seen.pem\n",
    .table = table,
    .take = take,
    .min_args = 1,
    .max_args = 1000};

/* The tail of a long chain says little: with -v all of it is there. */
#define MOST_LINES 6

static int print_pem(const struct show *w, const struct source *s)
{
    const unsigned parts = TLSOCK_PART_CERT | TLSOCK_PART_CHAIN;
    char *text = certfield_pem(NULL, s->cert, parts);
    int rc = EXIT_INTERNAL;

    if (text == NULL)
        rc = err_plain(&w->o.out, s->target, EXIT_INTERNAL, "nomem", "",
                       "out of memory");
    else if (fputs(text, stdout) != EOF && fflush(stdout) == 0)
        rc = EXIT_GOOD;
    free(text);
    return rc;
}

static const char *key_note(const struct source *s)
{
    switch (s->key_state) {
    case SOURCE_KEY_FITS:
        return "in this file, and it fits";
    case SOURCE_KEY_LOCKED:
        return "in this file, encrypted (--pass looks into it)";
    case SOURCE_KEY_WRONG:
        return "in this file, but it is NOT this certificate's";
    default:
        return "";
    }
}

static void print_text(const struct show *w, const struct source *s,
                       const json_t *leaf)
{
    const struct out *o = &w->o.out;
    const json_t *chain = json_object_get(leaf, "chain"), *at;
    size_t n = json_array_size(chain), i;

    certtext_print(o, leaf, 0);
    certtext_row(o, "own key", key_note(s));
    json_array_foreach(chain, i, at)
    {
        if (o->verbose)
            certtext_print(o, at, (int)i + 1);
        else if (i < MOST_LINES || n <= MOST_LINES + 1)
            certtext_line(o, at, (int)i + 1);
    }
    if (!o->verbose && n > MOST_LINES + 1)
        printf("   ... and %zu more: -v shows them\n", n - MOST_LINES);
}

static int show_certs(const struct show *w, const struct source *s)
{
    json_t *obj, *leaf;

    if (w->o.out.json) {
        obj = json_object();
        json_object_set_new(obj, "schema", json_string("tlsock.cert-show/1"));
        json_object_set_new(obj, "target", out_json_text(s->target));
        json_object_set_new(obj, "kind", json_string("certificate"));
        json_object_set_new(obj, "certificates", facts_certs_json(s->cert));
        return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
    }
    leaf = facts_cert_json(s->cert);
    if (!json_is_object(leaf))
        return err_plain(&w->o.out, s->target, EXIT_INTERNAL, "nomem", "",
                         "out of memory");
    print_text(w, s, leaf);
    json_decref(leaf);
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

static int show_one(struct show *w, const char *target)
{
    struct source s;
    int rc = source_open(&w->o, target, &s);

    if (rc == 0 && s.cert != NULL)
        rc = w->pem ? print_pem(w, &s) : show_certs(w, &s);
    else if (rc == 0 && w->pem)
        rc = err_plain(&w->o.out, s.target, EXIT_OWN, "own-file",
                       "leave out --pem, or name a certificate",
                       "this is %s, not a certificate",
                       source_kind_name(s.kind));
    else if (rc == 0)
        rc = show_other(&w->o.out, &s);
    source_close(&s);
    return rc;
}

int cmd_cert_show(int argc, const char **argv)
{
    struct show w = {.pem = 0};
    int rc = opt_parse(&w.o, &spec, &w, argc, argv), one;
    int titles;

    if (rc == -1) {
        titles = w.o.args.n > 1 && !w.pem && !w.o.out.json;
        rc = EXIT_GOOD;
        for (size_t i = 0; i < w.o.args.n; i++) {
            char text[512];

            if (titles)
                printf("%s%s\n", i > 0 ? "\n" : "",
                       out_clean(text, sizeof(text), w.o.args.v[i]));
            fflush(stdout);
            one = show_one(&w, w.o.args.v[i]);
            rc = rc == EXIT_GOOD ? one : rc;
        }
    }
    opt_free(&w.o);
    return rc;
}
