#include "ca_site.h"

#include "ca_http.h"
#include "errors.h"
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Those who come later find the same password: a descriptor's can be read only
 * once, so it is kept in memory of its own that nobody else can open. */
static int keep_pass(struct ca_site *s)
{
    char line[1024];
    int fd, kept;
    ssize_t n;

    s->pass_fd = -1;
    if (s->pass == NULL || strncmp(s->pass, "fd:", 3) != 0)
        return 0;
    fd = atoi(s->pass + 3);
    n = read(fd, line, sizeof(line));
    kept = memfd_create("password", MFD_CLOEXEC);
    if (n > 0 && kept >= 0 && write(kept, line, (size_t)n) == n)
        s->pass_fd = kept;
    else if (kept >= 0)
        close(kept);
    explicit_bzero(line, sizeof(line));
    if (s->pass_fd >= 0)
        return 0;
    return err_plain(s->out, "--pass", EXIT_OWN, "password",
                     "--pass file:FILE, env:NAME or fd:N",
                     "%s: the password cannot be read", s->pass);
}

const char *ca_site_pass(struct ca_site *s)
{
    static char uri[16];

    if (s->pass_fd < 0)
        return s->pass;
    lseek(s->pass_fd, 0, SEEK_SET);
    snprintf(uri, sizeof(uri), "fd:%d", s->pass_fd);
    return uri;
}

/* A CA's certificate and those above it, from a file that may hold a key. */
static int read_certs(struct ca_site *s, const char *path)
{
    BIO *in = BIO_new_file(path, "rb"), *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len;
    X509 *x;

    for (int i = 0; in != NULL && out != NULL && i < 16; i++) {
        x = PEM_read_bio_X509(in, NULL, NULL, NULL);
        if (x == NULL)
            break;
        if (i == 0)
            s->der_len = (size_t)i2d_X509(x, &s->der);
        PEM_write_bio_X509(out, x);
        X509_free(x);
    }
    len = out != NULL ? BIO_get_mem_data(out, &text) : 0;
    s->pem = len > 0 ? strndup(text, (size_t)len) : NULL;
    BIO_free(in);
    BIO_free(out);
    return s->der != NULL && s->pem != NULL ? 0 : -1;
}

void ca_site_complain(struct ca_site *s, const tlsock_error *err)
{
    if (!s->complained)
        err_report(s->out, s->dir, err, 1);
    s->complained = 1;
}

struct cadb *ca_site_index(struct ca_site *s)
{
    char path[LOCAL_PATH];
    tlsock_error err = {0};
    struct stat st = {0};

    if (local_path(path, s->dir, "index") < 0 || stat(path, &st) < 0)
        memset(&st, 0, sizeof(st));
    if (s->db != NULL && st.st_ino == s->index.st_ino &&
        st.st_size == s->index.st_size &&
        st.st_mtim.tv_sec == s->index.st_mtim.tv_sec &&
        st.st_mtim.tv_nsec == s->index.st_mtim.tv_nsec)
        return s->db;
    cadb_close(s->db);
    s->db = NULL;
    if (cadb_open(&s->db, s->dir, NULL, CADB_READ, &err) < 0) {
        ca_site_complain(s, &err);
        return NULL;
    }
    s->index = st;
    s->complained = 0;
    return s->db;
}

/* A quarter of its time is kept for what may go wrong. */
static int crl_is_due(const struct cadb *db)
{
    const struct cadb_crl_state *crl = cadb_crl_state(db);
    int64_t left = crl->due - (int64_t)time(NULL);

    return crl->outdated || crl->made == 0 ||
           left < (crl->due - crl->made) / 4 ||
           access(cadb_crl_path(db, 0), R_OK) != 0 ||
           access(cadb_crl_path(db, 1), R_OK) != 0;
}

static int make_crl(struct ca_site *s, enum cadb_open how)
{
    struct cadb *db = ca_site_index(s);
    tlsock_error err = {0};
    int rc = TLSOCK_E_OWN_FILE;

    if (db == NULL || !crl_is_due(db))
        return db != NULL ? 0 : rc;
    db = NULL;
    rc = cadb_open(&db, s->dir, ca_site_pass(s), how, &err);
    /* somebody else may just have done it */
    if (rc == 0 && crl_is_due(db))
        rc = cadb_crl(db, 0, &err);
    cadb_close(db);
    if (rc < 0 && rc != TLSOCK_AGAIN)
        ca_site_complain(s, &err);
    else if (rc == 0)
        s->complained = 0;
    return rc;
}

int ca_site_crl(struct ca_site *s)
{
    return make_crl(s, CADB_TRY);
}

void ca_site_busy(const struct http_request *r, struct http_answer *a,
                  const char *text)
{
    if (!r->last) {
        a->later = 1;
        return;
    }
    http_text(a, 503, text);
    http_field(a, "Retry-After", "%d", CA_SITE_BUSY_S);
}

int ca_site_open(struct ca_site *s)
{
    char path[LOCAL_PATH];
    tlsock_error err = {0};
    struct cadb *db = NULL;
    int rc = keep_pass(s);

    if (rc != 0)
        return rc;
    if (cadb_open(&db, s->dir, ca_site_pass(s), CADB_WRITE, &err) < 0)
        return err_report(s->out, s->dir, &err, 1);
    s->ca = tlsock_cert_ref((tlsock_cert *)(uintptr_t)cadb_ca(db));
    cadb_close(db);
    if (local_path(path, s->dir, "ca.pem") < 0 || read_certs(s, path) < 0)
        return err_plain(s->out, s->dir, EXIT_OWN, "own-file",
                         "it has to begin with the CA's certificate, in PEM",
                         "%s holds no certificate", path);
    if (ca_site_index(s) == NULL)
        return EXIT_OWN;
    return make_crl(s, CADB_WRITE) < 0 ? EXIT_OWN : 0; /* nobody waits yet */
}

void ca_site_close(struct ca_site *s)
{
    cadb_close(s->db);
    tlsock_cert_unref(s->ca);
    OPENSSL_free(s->der);
    free(s->pem);
    if (s->pass_fd >= 0)
        close(s->pass_fd);
}
