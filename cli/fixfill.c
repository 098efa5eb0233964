/* What is missing from a chain: out of files, or fetched. */
#include "certfield.h"
#include "errors.h"
#include "fetch.h"
#include "fix.h"
#include "fixchain.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define MOST_FETCHES 5
#define FETCH_MS 10000  /* of all together */
#define MOST_FILES 2000 /* of a directory */

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
        tlsock_error err = {0};
        struct stat st;
        tlsock_cert *c;

        if ((size_t)n >= sizeof(path) || stat(path, &st) != 0 ||
            !S_ISREG(st.st_mode) || st.st_size > 1024 * 1024)
            continue;
        c = tlsock_cert_load(path, NULL, NULL, &err);
        if (c != NULL)
            rc = keep(w, c);
        else if (err.code == TLSOCK_E_NOMEM)
            rc = err_report(&w->o.out, path, &err, 1);
    }
    closedir(d);
    return rc;
}

int fix_open_with(struct fix *w)
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
        tlsock_cert *at = certfield_chain(w->chain, i);

        fix_tell(w->added, at, "from", from);
        tlsock_cert_unref(at);
    }
    if (rc == FIXCHAIN_ROOT) {
        tlsock_cert *last = fixchain_last(w->chain);

        snprintf(w->ends_at, sizeof(w->ends_at), "%s (%s)",
                 certfield(last, TLSOCK_CERT_ISSUER), from);
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
        char *urls = strdup(certfield_text(last, TLSOCK_CERT_AIA_URLS)),
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
                 certfield(last, TLSOCK_CERT_ISSUER),
                 rc == 0 ? " (system trust store)" : "");
        if (rc == TLSOCK_E_CHAIN_INCOMPLETE || rc == TLSOCK_E_UNTRUSTED_ROOT)
            w->missing = "neither here nor in the system's trust store";
    }
    tlsock_cert_unref(last);
}

void fix_complete(struct fix *w)
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
