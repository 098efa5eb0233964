/* cert fix - a chain as a server should send it, and what is wrong with it. */
#include "certtext.h"
#include "commands.h"
#include "errors.h"
#include "fetch.h"
#include "fixchain.h"
#include "showother.h"
#include "source.h"
#include "tofile.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define EXIT_NOT_DONE 1
#define MOST_FETCHES 5
#define FETCH_MS 10000  /* of all together */
#define MOST_FILES 2000 /* of a directory */

enum { OPT_OUT = OPT_OWN, OPT_WITH, OPT_AIA, OPT_IN_PLACE, OPT_FORCE };

struct fix {
    struct opts o;
    const char *out;
    struct strs with;
    int aia, in_place, force;
    struct source in;
    tlsock_cert *chain; /* as it should be */
    tlsock_cert **more; /* what --with named, each with its chain */
    size_t n_pool, room;
    json_t *added, *dropped, *fetches;
    char ends_at[300];   /* what its end is signed by */
    const char *missing; /* why it is not complete, or NULL */
    int changed;
};

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
    .table = table,
    .take = take,
    .min_args = 1,
    .max_args = 1};

static void tell(json_t *list, const tlsock_cert *c, const char *key,
                 const char *text)
{
    json_t *row = json_object();

    json_object_set_new(
        row, "subject",
        out_json_text(tlsock_cert_field(c, TLSOCK_CERT_SUBJECT)));
    json_object_set_new(
        row, "sha256", out_json_text(tlsock_cert_field(c, TLSOCK_CERT_SHA256)));
    json_object_set_new(row, key, out_json_text(text));
    json_array_append_new(list, row);
}

/* Which of the certificates is the key's? Its place, or -1. */
static int place_of_key(const tlsock_cert *c, const char *pin)
{
    int found = -1;

    for (int i = 0; found < 0 && i <= tlsock_cert_chain_len(c); i++) {
        tlsock_cert *at = fixchain_at(c, i);
        const char *is = tlsock_cert_field(at, TLSOCK_CERT_PIN);

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

static int keep(struct fix *w, tlsock_cert *c)
{
    tlsock_cert **grown;

    if (w->n_pool == w->room) {
        w->room = w->room == 0 ? 64 : 2 * w->room;
        grown = realloc(w->more, w->room * sizeof(*grown));
        if (grown == NULL) {
            tlsock_cert_unref(c);
            return EXIT_INTERNAL;
        }
        w->more = grown;
    }
    w->more[w->n_pool++] = c;
    return 0;
}

/* Whatever in it is no certificate is passed over: it is only looked at. */
static int open_dir(struct fix *w, const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    char path[4096];
    int rc = 0;

    if (d == NULL)
        return err_plain(&w->o.out, dir, EXIT_OWN, "own-file",
                         "--with FILE or a directory that can be read",
                         "the directory cannot be read");
    while (rc == 0 && w->n_pool < MOST_FILES && (e = readdir(d)) != NULL) {
        int n = snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        struct stat st;
        tlsock_cert *c;

        if ((size_t)n >= sizeof(path) || stat(path, &st) != 0 ||
            !S_ISREG(st.st_mode) || st.st_size > 1024 * 1024)
            continue;
        c = tlsock_cert_load(path, NULL, NULL, NULL);
        if (c != NULL)
            rc = keep(w, c);
    }
    closedir(d);
    return rc;
}

static int open_with(struct fix *w)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < w->with.n; i++) {
        struct stat st;
        tlsock_cert *c;

        if (stat(w->with.v[i], &st) == 0 && S_ISDIR(st.st_mode)) {
            rc = open_dir(w, w->with.v[i]);
            continue;
        }
        c = source_load(&w->o, w->with.v[i], &rc);
        if (c != NULL)
            rc = keep(w, c);
    }
    return rc;
}

/* What extend() put there is told with where it came from. */
static int extend(struct fix *w, const tlsock_cert *more, const char *from)
{
    int before = tlsock_cert_chain_len(w->chain),
        rc = fixchain_extend(&w->chain, more);

    for (int i = before; i < tlsock_cert_chain_len(w->chain); i++) {
        tlsock_cert *at = tlsock_cert_chain_at(w->chain, i);

        tell(w->added, at, "from", from);
        tlsock_cert_unref(at);
    }
    if (rc == FIXCHAIN_ROOT) {
        tlsock_cert *last = fixchain_last(w->chain);

        snprintf(w->ends_at, sizeof(w->ends_at), "%s (%s)",
                 tlsock_cert_field(last, TLSOCK_CERT_ISSUER), from);
        tlsock_cert_unref(last);
    }
    return rc;
}

static int extend_from_pool(struct fix *w)
{
    int grew;

    if (extend(w, w->in.cert, "in the file") == FIXCHAIN_ROOT)
        return FIXCHAIN_ROOT;
    do {
        grew = 0;
        for (size_t i = 0; i < w->n_pool; i++) {
            int rc = extend(w, w->more[i], "--with");

            if (rc == FIXCHAIN_ROOT)
                return rc;
            grew = grew || rc == FIXCHAIN_GREW;
        }
    } while (grew);
    return FIXCHAIN_NONE;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int fetch_one(struct fix *w, const char *url, int ms)
{
    tlsock_cert *c = NULL;
    tlsock_error err = {0};
    json_t *row = json_object();
    char *data = NULL, why[400] = "";
    int rc = FIXCHAIN_NONE;
    size_t len = 0;

    if (fetch_url(url, ms, &data, &len, why, sizeof(why)) == 0) {
        c = tlsock_cert_parse(data, len, NULL, &err);
        if (c == NULL)
            snprintf(why, sizeof(why), "%s", err.message);
        else
            rc = extend(w, c, url);
        if (c != NULL && rc == FIXCHAIN_NONE)
            snprintf(why, sizeof(why),
                     "what is there did not sign the certificate");
    }
    json_object_set_new(row, "url", out_json_text(url));
    json_object_set_new(row, "error",
                        out_json_text(why[0] != '\0' ? why : NULL));
    json_array_append_new(w->fetches, row);
    tlsock_cert_unref(c);
    free(data);
    return rc;
}

/* From one issuer to the next, as long as that leads on. */
static int extend_by_fetching(struct fix *w)
{
    int64_t end = now_ms() + FETCH_MS;
    int rc = FIXCHAIN_GREW;

    while (rc == FIXCHAIN_GREW) {
        tlsock_cert *last = fixchain_last(w->chain);
        char *urls = strdup(tlsock_cert_field(last, TLSOCK_CERT_AIA_URLS)),
             *save = NULL, *url;

        tlsock_cert_unref(last);
        rc = FIXCHAIN_NONE;
        url = urls != NULL ? strtok_r(urls, " ", &save) : NULL;
        while (url != NULL && rc == FIXCHAIN_NONE &&
               json_array_size(w->fetches) < MOST_FETCHES && now_ms() < end) {
            rc = fetch_one(w, url, (int)(end - now_ms()) + 1);
            url = strtok_r(NULL, " ", &save);
        }
        free(urls);
    }
    return rc;
}

/* Is what signed its end known to this system? */
static void ask_system(struct fix *w)
{
    tlsock_cert *last = fixchain_last(w->chain);
    tlsock_error err = {0};
    int rc;

    if (fixchain_is_root(last)) {
        snprintf(w->ends_at, sizeof(w->ends_at), "itself (self-signed)");
    } else {
        rc = tlsock_verify(w->chain, NULL,
                           TLSOCK_VERIFY_OPTS(.purpose = TLSOCK_PURPOSE_ANY),
                           &err);
        snprintf(w->ends_at, sizeof(w->ends_at), "%s%s",
                 tlsock_cert_field(last, TLSOCK_CERT_ISSUER),
                 rc == 0 ? " (system trust store)" : "");
        if (rc == TLSOCK_E_CHAIN_INCOMPLETE || rc == TLSOCK_E_UNTRUSTED_ROOT)
            w->missing = "neither here nor in the system's trust store";
    }
    tlsock_cert_unref(last);
}

static void complete(struct fix *w)
{
    int rc = extend_from_pool(w);

    if (rc != FIXCHAIN_ROOT) {
        ask_system(w);
        if (w->missing != NULL && w->aia) {
            w->missing = NULL;
            if (extend_by_fetching(w) != FIXCHAIN_ROOT)
                ask_system(w);
        }
    }
}

/* What of the file is not in the chain, and why. */
static void find_dropped(struct fix *w)
{
    int n = tlsock_cert_chain_len(w->in.cert), before = 0;

    for (int i = 0; i <= n; i++) {
        tlsock_cert *at = fixchain_at(w->in.cert, i);

        if (!fixchain_holds(w->chain, at)) {
            tell(w->dropped, at, "reason",
                 fixchain_is_root(at) ? "a root: clients have their own"
                                      : "it signed nothing of this chain");
        } else {
            before++;
            if (before > 1 + tlsock_cert_chain_len(w->chain))
                tell(w->dropped, at, "reason", "it is there twice");
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

static int print_json(const struct fix *w)
{
    json_t *obj = json_object(), *chain = json_array();

    for (int i = 0; i <= tlsock_cert_chain_len(w->chain); i++) {
        tlsock_cert *at = fixchain_at(w->chain, i);

        tell(chain, at, "not_after",
             tlsock_cert_field(at, TLSOCK_CERT_NOT_AFTER));
        tlsock_cert_unref(at);
    }
    json_object_set_new(obj, "schema", json_string("tlsock.cert-fix/1"));
    json_object_set_new(obj, "file", out_json_text(w->in.target));
    json_object_set_new(obj, "chain", chain);
    json_object_set(obj, "dropped", w->dropped);
    json_object_set(obj, "added", w->added);
    json_object_set(obj, "fetches", w->fetches);
    json_object_set_new(obj, "changed", json_boolean(w->changed));
    json_object_set_new(obj, "complete", json_boolean(w->missing == NULL));
    json_object_set_new(obj, "ends_at", out_json_text(w->ends_at));
    json_object_set_new(obj, "written",
                        out_json_text(w->in_place
                                          ? (w->changed ? w->in.target : NULL)
                                          : w->out));
    return out_json_print(obj);
}

static void rows(FILE *to, const struct out *o, const json_t *list,
                 const char *label, const char *key)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        const char *text = certtext_get(one, key);

        if (text[0] == '\0')
            continue;
        out_label(o, to, OUT_YELLOW, label);
        fprintf(
            to, "%s: %s\n",
            certtext_get(one, strcmp(key, "error") == 0 ? "url" : "subject"),
            text);
    }
}

static void advise(FILE *to, const struct fix *w)
{
    const char *urls;
    tlsock_cert *last = fixchain_last(w->chain);

    out_label(&w->o.out, to, OUT_RED, "MISSING");
    fprintf(to, "%s, which is %s\n", w->ends_at, w->missing);
    urls = tlsock_cert_field(last, TLSOCK_CERT_AIA_URLS);
    out_label(&w->o.out, to, "1", "fix");
    if (!w->aia && urls != NULL && urls[0] != '\0')
        fprintf(to, "--aia fetches it from %s\n", urls);
    else
        fprintf(to, "--with FILE or DIR that holds it; if it is a root of your "
                    "own, name it there too\n");
    tlsock_cert_unref(last);
}

static void print_text(const struct fix *w)
{
    FILE *to = w->out != NULL && strcmp(w->out, "-") == 0 ? stderr : stdout;
    const struct out *o = &w->o.out;
    char text[512];

    for (int i = 0; i <= tlsock_cert_chain_len(w->chain); i++) {
        tlsock_cert *at = fixchain_at(w->chain, i);

        fprintf(to, "%d  %s\n", i, tlsock_cert_field(at, TLSOCK_CERT_SUBJECT));
        tlsock_cert_unref(at);
    }
    rows(to, o, w->added, "added", "from");
    rows(to, o, w->dropped, "dropped", "reason");
    rows(to, o, w->fetches, "not got", "error");
    if (w->missing != NULL) {
        advise(to, w);
    } else {
        out_label(o, to, OUT_GREEN, "complete");
        fprintf(to, "it ends at %s\n", w->ends_at);
    }
    if (!w->changed) {
        out_label(o, to, OUT_GREEN, "order");
        fprintf(to, "it is in order as it stands\n");
    } else if (w->out == NULL && !w->in_place) {
        out_label(o, to, OUT_YELLOW, "order");
        fprintf(to, "not as it should be sent: --out FILE or --in-place "
                    "writes it\n");
    }
    if (w->in_place ? w->changed : w->out != NULL) {
        out_label(o, to, OUT_GREEN, "wrote");
        fprintf(
            to, "%s\n",
            out_clean(text, sizeof(text), w->in_place ? w->in.target : w->out));
    }
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
        rc = open_with(w);
    if (rc == 0)
        rc = put_in_order(w);
    if (rc != 0)
        return rc;
    w->added = json_array();
    w->dropped = json_array();
    w->fetches = json_array();
    complete(w);
    find_dropped(w);
    find_changes(w);
    rc = write_it(w);
    if (rc != 0)
        return rc;
    if (w->o.out.json)
        rc = print_json(w);
    else if (!w->o.out.quiet)
        print_text(w);
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
