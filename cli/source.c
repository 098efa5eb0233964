#include "source.h"

#include "errors.h"
#include "peer.h"
#include "writeall.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOURCE_MAX ((size_t)16 * 1024 * 1024)
#define HAS_CERT (TLSOCK_KIND_CERT | TLSOCK_KIND_PKCS12 | TLSOCK_KIND_PKCS7)

struct poptOption opt_source[] = {
    {"pass", '\0', POPT_ARG_STRING, NULL, OPT_PASS,
     "where a file's password is", "file:FILE|env:NAME|fd:N|prompt"},
    {"name", '\0', POPT_ARG_STRING, NULL, OPT_NAME,
     "name to ask a server for (SNI)", "NAME"},
    POPT_TABLEEND};

static const char begin_mark[] = "-----BEGIN ";

/* A word without a colon may be a host; with one of these ends it is none. */
static int looks_like_file(const char *word)
{
    static const char *const ends[] = {".pem", ".crt", ".cer", ".der", ".p12",
                                       ".pfx", ".p7b", ".p7c", ".key", ".csr",
                                       ".req", ".crl", ".txt"};
    size_t len = strlen(word);

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t n = strlen(ends[i]);

        if (len > n && strcasecmp(word + len - n, ends[i]) == 0)
            return 1;
    }
    return 0;
}

int source_is_server(const char *target)
{
    if (strcmp(target, "-") == 0 || strncmp(target, "pem:", 4) == 0 ||
        strncmp(target, "file:", 5) == 0 ||
        strncmp(target, "pkcs11:", 7) == 0 ||
        strstr(target, begin_mark) != NULL)
        return 0;
    if (strstr(target, "://") != NULL || strncmp(target, "unix:", 5) == 0)
        return 1;
    if (access(target, F_OK) == 0 || target[0] == '/' || target[0] == '.' ||
        target[0] == '~' || looks_like_file(target))
        return 0;
    if (strchr(target, ':') != NULL)
        return 1;
    return strchr(target, '/') == NULL &&
           (strchr(target, '.') != NULL ||
            strcasecmp(target, "localhost") == 0);
}

const char *source_kind_name(int kind)
{
    if ((kind & HAS_CERT) != 0)
        return "a certificate";
    if ((kind & TLSOCK_KIND_CSR) != 0)
        return "a signing request";
    if ((kind & TLSOCK_KIND_CRL) != 0)
        return "a revocation list";
    if ((kind & TLSOCK_KIND_KEY) != 0)
        return "a private key";
    return (kind & TLSOCK_KIND_PUBLIC) != 0 ? "a public key"
                                            : "nothing that is known";
}

/* Bytes that may be a key: no copy stays behind. */
static void *grow(void *old, size_t len, size_t size)
{
    void *p = malloc(size);

    if (p != NULL && len > 0)
        memcpy(p, old, len);
    if (old != NULL)
        explicit_bzero(old, len);
    free(old);
    return p;
}

static int read_all(int fd, struct source *s)
{
    size_t room = 0;

    for (;;) {
        ssize_t n;

        if (s->len + 1 >= room) {
            room = room == 0 ? 16384 : 2 * room;
            s->data = grow(s->data, s->len, room);
            if (s->data == NULL)
                return ENOMEM;
        }
        n = read(fd, s->data + s->len, room - s->len - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0)
            break;
        s->len += (size_t)n;
        if (s->len > SOURCE_MAX)
            return EFBIG;
    }
    s->data[s->len] = '\0';
    return 0;
}

/* What is behind uri for the library: a file by its path, so that messages
 * name it; what can be read only once by its content. 0 or errno. */
static int content_uri(struct source *s, int exists)
{
    char text[40];
    int errnum;

    if (exists) {
        s->uri = strdup(s->target);
    } else if (strstr(s->data, begin_mark) != NULL) {
        s->uri = malloc(s->len + 5);
        if (s->uri != NULL) {
            memcpy(s->uri, "pem:", 4);
            memcpy(s->uri + 4, s->data, s->len + 1);
        }
    } else {
        s->fd = memfd_create("tlsock", MFD_CLOEXEC);
        errnum = s->fd < 0 ? errno : write_all(s->fd, s->data, s->len);
        if (errnum != 0)
            return errnum;
        snprintf(text, sizeof(text), "/proc/self/fd/%d", s->fd);
        s->uri = strdup(text);
    }
    return s->uri != NULL ? 0 : ENOMEM;
}

static int cannot_read(const struct opts *o, const char *target, int errnum)
{
    char where[64] = "";

    if (strchr(target, '/') == NULL && strchr(target, ':') == NULL)
        snprintf(where, sizeof(where), "; a server is HOST:PORT or a URL");
    if (errnum == EFBIG)
        return err_plain(&o->out, target, EXIT_OWN, "limit",
                         "is this the right file?", "larger than %zu bytes",
                         SOURCE_MAX);
    if (errnum == EISDIR)
        return err_plain(&o->out, target, EXIT_OWN, "own-file",
                         "name the file in it", "this is a directory");
    return err_plain(&o->out, target, EXIT_OWN, "own-file",
                     errnum == EACCES ? "change its owner or mode, or run as "
                                        "another user"
                     : errnum == ENOENT && where[0] != '\0'
                         ? "check the path; a server is HOST:PORT or a URL"
                         : "check the path",
                     "cannot read \"%s\": %s", target, strerror(errnum));
}

static int cannot_keep(const struct opts *o, const struct source *s, int errnum)
{
    int lack = errnum == ENOMEM;

    return err_plain(&o->out, s->target, lack ? EXIT_INTERNAL : EXIT_OWN,
                     lack ? "nomem" : "system",
                     lack ? ""
                          : "name a file: what can be read once is kept "
                            "in one of memory",
                     "%s", lack ? "out of memory" : strerror(errnum));
}

static int read_file(struct opts *o, struct source *s)
{
    const char *path = s->target;
    int std = strcmp(path, "-") == 0, fd = 0, errnum;
    struct stat st = {0};

    if (strncmp(path, "file:", 5) == 0)
        path += strncmp(path, "file:///", 8) == 0 ? 7 : 5;
    if (!std)
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return cannot_read(o, s->target, errno);
    if (fstat(fd, &st) != 0)
        errnum = errno;
    else
        errnum = S_ISDIR(st.st_mode) ? EISDIR : read_all(fd, s);
    if (!std)
        close(fd);
    if (errnum != 0)
        return cannot_read(o, s->target, errnum);
    if (s->len == 0)
        return err_plain(&o->out, s->target, EXIT_OWN, "own-file",
                         std ? "pipe PEM or DER into it"
                             : "was it written completely?",
                         "%s is empty", std ? "standard input" : "the file");
    errnum = content_uri(s, !std && S_ISREG(st.st_mode));
    return errnum == 0 ? 0 : cannot_keep(o, s, errnum);
}

static int read_text(struct opts *o, struct source *s)
{
    const char *text = s->target;
    int errnum;

    if (strncmp(text, "pem:", 4) == 0)
        text += 4;
    s->target = "inline PEM";
    s->len = strlen(text);
    s->data = strdup(text);
    errnum = s->data != NULL ? content_uri(s, 0) : ENOMEM;
    return errnum == 0 ? 0 : cannot_keep(o, s, errnum);
}

/* Certificates of PEM text without the keys between them. */
static char *without_keys(const char *text)
{
    static const char end_mark[] = "-----END ";
    char *out = malloc(strlen(text) + 1), *to = out;
    const char *p = text, *end, *word;

    while (out != NULL && (p = strstr(p, begin_mark)) != NULL) {
        end = strstr(p, end_mark);
        if (end == NULL)
            break;
        word = p + strlen(begin_mark);
        end += strcspn(end, "\n");
        end += *end == '\n';
        if (strncmp(word, "CERTIFICATE-", 12) == 0 ||
            strncmp(word, "X509 CERTIFICATE-", 17) == 0 ||
            strncmp(word, "TRUSTED CERTIFICATE-", 20) == 0) {
            memcpy(to, p, (size_t)(end - p));
            to += end - p;
        }
        p = end;
    }
    if (out != NULL)
        *to = '\0';
    return out;
}

/* A key that cannot be used is no reason not to look at its certificate. */
static int load_without_key(struct source *s, const tlsock_error *why)
{
    char *text;

    if ((s->kind & (TLSOCK_KIND_CERT | TLSOCK_KIND_KEY)) !=
            (TLSOCK_KIND_CERT | TLSOCK_KIND_KEY) ||
        (why->code != TLSOCK_E_KEY_MISMATCH &&
         (why->code != TLSOCK_E_PASSWORD || s->pass != NULL)))
        return 0;
    text = without_keys(s->data);
    if (text != NULL)
        s->cert = tlsock_cert_parse(text, strlen(text), NULL, NULL);
    free(text);
    s->key_state =
        why->code == TLSOCK_E_PASSWORD ? SOURCE_KEY_LOCKED : SOURCE_KEY_WRONG;
    return s->cert != NULL;
}

static int load_cert(struct opts *o, struct source *s)
{
    tlsock_error err = {0};
    int by_path = strncmp(s->uri, "pem:", 4) != 0 && s->fd < 0;

    s->cert = by_path ? tlsock_cert_load(s->uri, NULL, s->pass, &err)
                      : tlsock_cert_parse(s->data, s->len, s->pass, &err);
    if (s->cert == NULL && load_without_key(s, &err))
        return 0;
    if (s->cert == NULL)
        return err_report(&o->out, s->target, &err, 1);
    if ((s->kind & TLSOCK_KIND_KEY) != 0)
        s->key_state = SOURCE_KEY_FITS;
    return 0;
}

/* What a descriptor says can be read only once, and a command may open many
 * files: it goes where it can be read again. Memory alone, as before. */
static int keep_password(struct opts *o)
{
    struct ident *ident = o->n_idents > 0 ? &o->idents[0] : NULL;
    char text[1024], uri[40];
    ssize_t n, used = 0;
    int from, to;

    if (ident == NULL || ident->pass == NULL ||
        strncmp(ident->pass, "fd:", 3) != 0)
        return 0;
    from = atoi(ident->pass + 3);
    while (used < (ssize_t)sizeof(text) &&
           (n = read(from, text + used, sizeof(text) - (size_t)used)) > 0)
        used += n;
    to = used > 0 ? memfd_create("tlsock", MFD_CLOEXEC) : -1;
    n = to >= 0 ? write(to, text, (size_t)used) : -1;
    explicit_bzero(text, sizeof(text));
    if (n != used || n <= 0)
        return err_plain(&o->out, "--pass", EXIT_OWN, "password",
                         "open the descriptor for reading, or use file:FILE",
                         "there is no password in %s", ident->pass);
    snprintf(uri, sizeof(uri), "file:/proc/self/fd/%d", to);
    ident->pass = opt_keep(o, uri, strlen(uri));
    return ident->pass != NULL ? 0 : EXIT_INTERNAL;
}

static int open_token(struct opts *o, struct source *s)
{
    tlsock_error err = {0};

    s->kind = TLSOCK_KIND_CERT;
    s->uri = strdup(s->target);
    s->cert = tlsock_cert_load(s->target, NULL, s->pass, &err);
    return s->cert != NULL ? 0 : err_report(&o->out, s->target, &err, 1);
}

int source_open(struct opts *o, const char *target, struct source *s)
{
    int rc;

    *s = (struct source){.target = target, .fd = -1};
    rc = keep_password(o);
    if (rc != 0)
        return rc;
    s->pass = opt_pass(o);
    if (source_is_server(target)) {
        s->server = 1;
        s->kind = TLSOCK_KIND_CERT;
        return peer_certs(o, target, &s->cert);
    }
    if (strncmp(target, "pkcs11:", 7) == 0)
        return open_token(o, s);
    rc = strncmp(target, "pem:", 4) == 0 || strstr(target, begin_mark) != NULL
             ? read_text(o, s)
             : read_file(o, s);
    if (rc != 0)
        return rc;
    s->kind = tlsock_data_kind(s->data, s->len);
    /* what is not known is the library's to name */
    return s->kind == 0 || (s->kind & HAS_CERT) != 0 ? load_cert(o, s) : 0;
}

void source_close(struct source *s)
{
    tlsock_cert_unref(s->cert);
    if (s->uri != NULL)
        explicit_bzero(s->uri, strlen(s->uri));
    free(s->uri);
    if (s->data != NULL)
        explicit_bzero(s->data, s->len);
    free(s->data);
    if (s->fd >= 0)
        close(s->fd);
    *s = (struct source){.fd = -1};
}

tlsock_cert *source_load(struct opts *o, const char *target, int *exit_code)
{
    tlsock_cert *c = NULL;
    struct source s;

    *exit_code = source_open(o, target, &s);
    if (*exit_code == 0 && s.cert == NULL)
        *exit_code = err_plain(&o->out, s.target, EXIT_OWN, "own-file",
                               "name a certificate, or a server",
                               "this is %s, not a certificate",
                               source_kind_name(s.kind));
    if (*exit_code == 0)
        c = tlsock_cert_ref(s.cert);
    source_close(&s);
    return c;
}

int source_host(const char *target, char host[256])
{
    const char *p = strstr(target, "://"), *end;
    size_t len;

    if (strncmp(target, "unix:", 5) == 0)
        return 0;
    p = p != NULL ? p + 3 : target;
    end = p + strcspn(p, "/?#");
    for (const char *at = p; at < end; at++)
        if (*at == '@')
            p = at + 1;
    if (*p == '[') {
        p++;
        len = strcspn(p, "]");
    } else {
        len = strcspn(p, ":/?#");
    }
    if (len == 0 || len >= 256)
        return 0;
    memcpy(host, p, len);
    host[len] = '\0';
    return 1;
}
