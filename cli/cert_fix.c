/* cert fix - a chain as a server should send it, and what is wrong with it. */
#include "certfield.h"
#include "certtext.h"
#include "commands.h"
#include "errors.h"
#include "fix.h"
#include "fixchain.h"
#include "showother.h"
#include "tofile.h"

#include <stdlib.h>
#include <string.h>

#define EXIT_NOT_DONE 1

enum { OPT_OUT = OPT_OWN, OPT_WITH, OPT_AIA, OPT_IN_PLACE, OPT_FORCE };

static struct poptOption own_options[] = {
    {"key", '\0', POPT_ARG_STRING, NULL, OPT_KEY,
     "the key: tells which certificate is meant", "FILE"},
    {"pass", '\0', POPT_ARG_STRING, NULL, OPT_PASS, "where the password is",
     "file:FILE|env:NAME|fd:N|prompt"},
    {"with", '\0', POPT_ARG_STRING, NULL, OPT_WITH,
     "look for what is missing there too", "FILE|DIR"},
    {"aia", '\0', POPT_ARG_NONE, NULL, OPT_AIA,
     "fetch what is missing from the addresses in the certificates", NULL},
    {"out", '\0', POPT_ARG_STRING, NULL, OPT_OUT,
     "write certificate and chain (PEM)", "FILE|-"},
    {"in-place", '\0', POPT_ARG_NONE, NULL, OPT_IN_PLACE,
     "write FILE itself anew, with the key that is in it", NULL},
    {"force", '\0', POPT_ARG_NONE, NULL, OPT_FORCE, "replace an existing file",
     NULL},
    POPT_TABLEEND};

static struct poptOption table[] = {OPT_GROUP(own_options, "Fix:"),
                                    OPT_GROUP(opt_output, "Output:"),
                                    POPT_TABLEEND};

static int take(void *own, struct opts *o, int val, const char *arg)
{
    struct fix *w = own;

    switch (val) {
    case OPT_OUT:
        w->out = arg;
        return 0;
    case OPT_WITH:
        return opt_push(o, &w->with, arg);
    case OPT_AIA:
        w->aia = 1;
        return 0;
    case OPT_IN_PLACE:
        w->in_place = 1;
        return 0;
    default:
        w->force = 1;
        return 0;
    }
}

static const struct opt_spec spec = {
    .command = "cert fix",
    .usage = "[options] FILE",
    .about = "Puts a chain in order as a server should send it: the leaf, each "
             "one signed by the next, no root, no strangers. Completes it from "
             "other files, or with --aia from the addresses in the "
             "certificates. Without --out or --in-place it only tells. Exit: "
             "0 all is well, 1 something is missing or not written yet.",
    .after = "  tlsock cert fix fullchain.pem\n"
             "  tlsock cert fix app.pem --with /etc/ssl/certs --out chain.pem\n"
             "  tlsock cert fix app.pem --aia --in-place\n",
    .one = "the chain is not complete",
    .table = table,
    .take = take,
    .min_args = 1,
    .max_args = 1};

/* Which of the certificates is the key's? Its place, or -1. */
static int place_of_key(const tlsock_cert *c, const char *pin)
{
    int found = -1;

    for (int i = 0; found < 0 && i <= tlsock_cert_chain_len(c); i++) {
        tlsock_cert *at = fixchain_at(c, i);
        const char *is = certfield(at, TLSOCK_CERT_PIN);

        found = is != NULL && strcmp(is, pin) == 0 ? i : -1;
        tlsock_cert_unref(at);
    }
    return found;
}

/* With its key, the certificate in that place first: the key tells which is
 * the leaf. */
static tlsock_cert *with_key(struct fix *w, int place, const char *key_uri,
                             tlsock_error *err)
{
    tlsock_cert *at = fixchain_at(w->in.cert, place), *c = NULL;
    char *text = at != NULL ? fixchain_text(at, w->in.cert) : NULL;

    if (text != NULL)
        c = tlsock_cert_load(text, key_uri, w->in.pass, err);
    else
        err->code = TLSOCK_E_NOMEM;
    free(text);
    tlsock_cert_unref(at);
    return c;
}

static const char *key_uri(const struct fix *w)
{
    if (w->o.n_idents > 0 && w->o.idents[0].key != NULL)
        return w->o.idents[0].key;
    if ((w->in.kind & TLSOCK_KIND_KEY) != 0 &&
        w->in.key_state != SOURCE_KEY_LOCKED)
        return w->in.uri;
    return tlsock_cert_has_key(w->in.cert) ? w->in.uri : NULL;
}

static int put_in_order(struct fix *w)
{
    const char *uri = key_uri(w);
    tlsock_cert *all = NULL;
    tlsock_error err = {0};
    json_t *key;
    int place;

    if (uri != NULL) {
        key = show_key_json(uri, w->in.pass, &err);
        if (key == NULL)
            return err_report(&w->o.out, uri == w->in.uri ? w->in.target : uri,
                              &err, 1);
        place = place_of_key(w->in.cert, certtext_get(key, "pin"));
        json_decref(key);
        if (place < 0)
            return err_plain(&w->o.out, w->in.target, EXIT_OWN, "key-mismatch",
                             "tlsock cert match FILE *.key tells which does",
                             "the key belongs to none of its certificates");
        all = with_key(w, place, uri, &err);
    } else {
        all = tlsock_cert_ref(w->in.cert);
    }
    w->chain = all != NULL ? tlsock_cert_order(all, &err) : NULL;
    tlsock_cert_unref(all);
    return w->chain != NULL ? 0 : err_report(&w->o.out, w->in.target, &err, 1);
}

/* What of the file is not in the chain, and why. */
static void find_dropped(struct fix *w)
{
    int n = tlsock_cert_chain_len(w->in.cert), before = 0;

    for (int i = 0; i <= n; i++) {
        tlsock_cert *at = fixchain_at(w->in.cert, i);

        if (!fixchain_holds(w->chain, at)) {
            fix_tell(w->dropped, at, "reason",
                     fixchain_is_root(at) ? "a root: clients have their own"
                                          : "it signed nothing of this chain");
        } else {
            before++;
            if (before > 1 + tlsock_cert_chain_len(w->chain))
                fix_tell(w->dropped, at, "reason", "it is there twice");
        }
        tlsock_cert_unref(at);
    }
}

static void find_changes(struct fix *w)
{
    char *was = fixchain_text(w->in.cert, NULL),
         *is = fixchain_text(w->chain, NULL);

    w->changed = was == NULL || is == NULL || strcmp(was, is) != 0;
    free(was);
    free(is);
}

static int may_be_in_place(const struct fix *w)
{
    if (w->out != NULL)
        return err_usage(&w->o.out, "cert fix", "leave one of them out",
                         "--in-place and --out together");
    if (strncmp(w->in.uri != NULL ? w->in.uri : "pem:", "pem:", 4) == 0 ||
        w->in.fd >= 0 || w->in.server)
        return err_usage(&w->o.out, "cert fix", "--out FILE",
                         "--in-place needs a file");
    if ((w->in.kind & (TLSOCK_KIND_PKCS12 | TLSOCK_KIND_PKCS7)) != 0 ||
        w->in.data[0] == '0')
        return err_usage(&w->o.out, "cert fix", "--out FILE, as PEM",
                         "--in-place is for PEM files");
    if ((w->in.kind &
         ~(TLSOCK_KIND_CERT | TLSOCK_KIND_KEY | TLSOCK_KIND_ENCRYPTED)) != 0)
        return err_usage(&w->o.out, "cert fix", "--out FILE",
                         "--in-place would lose what else is in the file");
    if (w->in.key_state == SOURCE_KEY_LOCKED)
        return err_plain(&w->o.out, w->in.target, EXIT_OWN, "password",
                         "--pass, or --out FILE for the certificates alone",
                         "the key in the file is encrypted, and would be lost");
    return 0;
}

static int save(const struct fix *w, const char *path, unsigned parts,
                const char *pass)
{
    tlsock_error err = {0};

    if (tlsock_cert_chain_len(w->chain) == 0)
        parts &= ~TLSOCK_PART_CHAIN;
    if (tlsock_cert_save(w->chain, parts, TLSOCK_FORMAT_PEM, path, pass, &err) <
        0)
        return err_report(&w->o.out, path, &err, 1);
    return 0;
}

/* The key of the file goes with the chain again; it was lost on the way. */
static int save_in_place(struct fix *w)
{
    unsigned parts = TLSOCK_PART_CERT | TLSOCK_PART_CHAIN;
    int sealed = (w->in.kind & TLSOCK_KIND_ENCRYPTED) != 0;
    tlsock_error err = {0};
    tlsock_cert *whole;
    char *text;

    if (!w->changed)
        return 0;
    if ((w->in.kind & TLSOCK_KIND_KEY) == 0)
        return save(w, w->in.target, parts, NULL);
    text = fixchain_text(w->chain, NULL);
    whole = text != NULL ? tlsock_cert_load(text, w->in.uri, w->in.pass, &err)
                         : NULL;
    free(text);
    if (whole == NULL)
        return err_report(&w->o.out, w->in.target, &err, 1);
    tlsock_cert_unref(w->chain);
    w->chain = whole;
    return save(w, w->in.target, parts | TLSOCK_PART_KEY,
                sealed ? w->in.pass : NULL);
}

static int write_it(struct fix *w)
{
    struct tofile file;
    int rc;

    if (w->in_place)
        return save_in_place(w);
    if (w->out == NULL)
        return 0;
    rc = tofile_begin(&file, &w->o.out, w->out, w->force);
    if (rc == 0)
        rc =
            tofile_end(&file, save(w, file.path,
                                   TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, NULL));
    return rc;
}

static int verdict(const struct fix *w)
{
    int written = w->out != NULL || w->in_place;

    return w->missing == NULL && (written || !w->changed) ? EXIT_GOOD
                                                          : EXIT_NOT_DONE;
}

static int run(struct fix *w)
{
    int rc = source_open(&w->o, w->o.args.v[0], &w->in);

    if (rc == 0 && w->in.cert == NULL)
        rc = err_plain(&w->o.out, w->in.target, EXIT_OWN, "own-file",
                       "name a certificate with its chain",
                       "this is %s, not a certificate",
                       source_kind_name(w->in.kind));
    if (rc == 0 && w->in_place)
        rc = may_be_in_place(w);
    if (rc == 0 && w->o.out.json && w->out != NULL && strcmp(w->out, "-") == 0)
        rc = err_usage(&w->o.out, "cert fix", "--out FILE",
                       "--json and --out - both want standard output");
    if (rc == 0)
        rc = fix_open_with(w);
    if (rc == 0)
        rc = put_in_order(w);
    if (rc != 0)
        return rc;
    w->added = json_array();
    w->dropped = json_array();
    w->fetches = json_array();
    fix_complete(w);
    find_dropped(w);
    find_changes(w);
    rc = write_it(w);
    if (rc != 0)
        return rc;
    if (w->o.out.json)
        rc = fix_print_json(w);
    else if (!w->o.out.quiet)
        fix_print_text(w);
    return rc == 0 && fflush(stdout) == 0 ? verdict(w) : EXIT_INTERNAL;
}

int cmd_cert_fix(int argc, const char **argv)
{
    struct fix w = {.in = {.fd = -1}};
    int rc = opt_parse(&w.o, &spec, &w, argc, argv);

    if (rc == -1)
        rc = run(&w);
    for (size_t i = 0; i < w.n_pool; i++)
        tlsock_cert_unref(w.more[i]);
    free(w.more);
    free(w.with.v);
    tlsock_cert_unref(w.chain);
    json_decref(w.added);
    json_decref(w.dropped);
    json_decref(w.fetches);
    source_close(&w.in);
    opt_free(&w.o);
    return rc;
}
