#include "api/config_box.h"
#include "api/ini.h"
#include "api/options.h"
#include "core/mem.h"
#include "core/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One identity under way: "cert" opens it, the next "cert" or the end of the
 * section closes it. */
struct pending {
    char *cert, *key, *pass, *host;
    int line;
};

struct loader {
    struct tsk_settings *set;
    const char *path;
    const char *section; /* "": the lines before the first one */
    int found;           /* the section was there */
    int last_line;
    char present[160]; /* names of all sections */
    size_t present_len;
    int has_rules; /* client-auth.allow was there: more lines add to it */
    struct pending id;
};

static int open_error(tlsock_error *err, const char *path, int errnum)
{
    char shown[200];

    tsk_printable(shown, sizeof(shown), path, strlen(path));
    tsk_fail_sys(err, TLSOCK_E_CONFIG_FILE, errnum, "%s:0: cannot read it",
                 shown);
    tsk_hint(err, "name a configuration file that this process may read");
    return TLSOCK_E_CONFIG_FILE;
}

/* All of a file, at most TSK_INI_FILE bytes; yours. */
static int read_all(int fd, const char *path, char **text, size_t *len,
                    tlsock_error *err)
{
    char *p = tsk_alloc(TSK_INI_FILE + 1);
    size_t n = 0;

    if (p == NULL)
        return tsk_fail_nomem(err);
    while (n <= TSK_INI_FILE) {
        ssize_t got = read(fd, p + n, TSK_INI_FILE + 1 - n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            int errnum = errno;

            tsk_free_secret(p, n);
            return open_error(err, path, errnum);
        }
        if (got == 0)
            break;
        n += (size_t)got;
    }
    if (n > TSK_INI_FILE) {
        tsk_free_secret(p, n);
        tsk_fail(err, TLSOCK_E_CONFIG_FILE, "the file is longer than 1 MiB");
        return tsk_ini_fail_at(err, path, 0);
    }
    *text = p;
    *len = n;
    return TLSOCK_OK;
}

int tsk_config_file_read(const char *path, char **text, size_t *len,
                         tlsock_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), rc;

    if (fd < 0)
        return open_error(err, path, errno);
    rc = read_all(fd, path, text, len, err);
    close(fd);
    return rc;
}

static int is_path(const char *uri)
{
    return strncmp(uri, "pem:", 4) != 0 && strncmp(uri, "-----", 5) != 0 &&
           strncmp(uri, "env:", 4) != 0 && strncmp(uri, "fd:", 3) != 0 &&
           strcmp(uri, "system") != 0 && strcmp(uri, "none") != 0;
}

/* A relative file name belongs to the directory of the INI file. Yours. */
static char *resolve(const struct loader *l, const char *uri)
{
    const char *slash = strrchr(l->path, '/'), *name = uri;
    size_t dir, len;
    char *out;

    if (strncmp(uri, "file:", 5) == 0)
        name += 5;
    if (slash == NULL || !is_path(uri) || *name == '/')
        return tsk_strdup(uri);
    dir = (size_t)(slash - l->path) + 1;
    len = (size_t)(name - uri) + dir + strlen(name) + 1;
    out = tsk_alloc(len);
    if (out != NULL)
        snprintf(out, len, "%.*s%.*s%s", (int)(name - uri), uri, (int)dir,
                 l->path, name);
    return out;
}

static void forget(struct pending *id)
{
    tsk_free_text(id->cert);
    tsk_free_text(id->key);
    tsk_free(id->pass);
    tsk_free(id->host);
    memset(id, 0, sizeof(*id));
}

/* The identity under way, if there is one, is complete. */
static int finish_identity(struct loader *l, int *line, tlsock_error *err)
{
    const struct pending *id = &l->id;
    int rc;

    if (id->cert == NULL)
        return TLSOCK_OK;
    rc = tsk_settings_identity(l->set, id->host, id->cert, id->key, id->pass,
                               err);
    if (rc < 0) {
        *line = id->line; /* not where it was noticed */
        return rc;
    }
    forget(&l->id);
    return TLSOCK_OK;
}

static int set_once(char **field, char *value, const char *key,
                    tlsock_error *err)
{
    if (*field != NULL) {
        tsk_free_text(value);
        return tsk_fail(err, TLSOCK_E_CONFIG_FILE,
                        "%s is there twice for one cert", key);
    }
    *field = value;
    return TLSOCK_OK;
}

/* key, pass and host say more about the cert above them. */
static int more_identity(struct loader *l, const struct tsk_ini_item *item,
                         tlsock_error *err)
{
    struct pending *id = &l->id;
    int is_host = strcmp(item->key, "host") == 0;
    char **field, *value;

    if (id->cert == NULL) {
        tsk_fail(err, TLSOCK_E_CONFIG_FILE, "%s without a cert line before it",
                 item->key);
        tsk_hint(err, "write cert = FILE first: key, pass and host belong to "
                      "the cert above them");
        return TLSOCK_E_CONFIG_FILE;
    }
    if (is_host)
        value = tsk_strdup(strcmp(item->value, "*") == 0 ? "" : item->value);
    else
        value = resolve(l, item->value);
    if (value == NULL)
        return tsk_fail_nomem(err);
    field = is_host ? &id->host : *item->key == 'k' ? &id->key : &id->pass;
    return set_once(field, value, item->key, err);
}

static int new_identity(struct loader *l, struct tsk_ini_item *item,
                        tlsock_error *err)
{
    int rc = finish_identity(l, &item->line, err);

    if (rc < 0)
        return rc;
    l->id.cert = resolve(l, item->value);
    l->id.line = item->line;
    return l->id.cert != NULL ? TLSOCK_OK : tsk_fail_nomem(err);
}

/* "+FILE" adds to the system's store. */
static int trust(struct loader *l, const char *uri, tlsock_error *err)
{
    int more = *uri == '+', rc;
    char *full;

    if (more && uri[1] == '\0')
        return tsk_fail(err, TLSOCK_E_ARGUMENT, "\"+\" names no file");
    full = resolve(l, uri + more);
    if (full == NULL)
        return tsk_fail_nomem(err);
    rc = more ? tsk_settings_trust_more(l->set, full, err)
              : tsk_settings_trust(l->set, full, err);
    tsk_free(full);
    return rc;
}

/* Nobody may overlook in a file that nothing is verified. */
static int accept_anybody(struct loader *l, const struct tsk_ini_item *item,
                          tlsock_error *err)
{
    int rc;

    if (strcmp(item->key, "verify") == 0) {
        if (strcmp(item->value, "i-accept-mitm") != 0)
            return tsk_option_set(l->set, item->key, item->value, err);
        return tsk_option_set(l->set, "insecure", "all: verify = i-accept-mitm",
                              err);
    }
    rc = tsk_option_set(l->set, item->key, item->value, err);
    if (rc < 0 || (l->set->insecure & TSK_INSECURE_ALL) == 0)
        return rc;
    tsk_fail(err, TLSOCK_E_OPTION, "insecure = all is not for files");
    tsk_hint(err, "name the one fault (no-name, no-chain, expired, "
                  "self-signed); to check nothing at all it has to be "
                  "spelled verify = i-accept-mitm");
    return TLSOCK_E_OPTION;
}

static int crl(struct loader *l, const char *uri, tlsock_error *err)
{
    char *full = resolve(l, uri);
    int rc;

    if (full == NULL)
        return tsk_fail_nomem(err);
    rc = tsk_settings_crl(l->set, full, err);
    tsk_free(full);
    return rc;
}

/* IDENTITY:file:FILE, IDENTITY:env:NAME, IDENTITY:fd:N; the identity may have
 * colons, too. */
static int psk(struct loader *l, const char *value, tlsock_error *err)
{
    static const char *const kinds[] = {":file:", ":env:", ":fd:"};
    const char *at = NULL;
    char *identity, *full;
    int rc = TLSOCK_E_NOMEM;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && at == NULL; i++)
        at = strstr(value, kinds[i]);
    if (at == NULL) {
        tsk_fail(err, TLSOCK_E_CONFIG_FILE,
                 "psk: not IDENTITY:file:FILE, :env:NAME or :fd:N");
        tsk_hint(err, "the key itself does not belong here");
        return TLSOCK_E_CONFIG_FILE;
    }
    identity = tsk_strndup(value, (size_t)(at - value));
    full = resolve(l, at + 1);
    if (identity == NULL || full == NULL)
        tsk_fail_nomem(err);
    else
        rc = tsk_settings_psk_uri(l->set, identity, full, err);
    tsk_free(identity);
    tsk_free(full);
    return rc;
}

static int option(struct loader *l, const struct tsk_ini_item *item,
                  tlsock_error *err)
{
    const struct tsk_optrow *row =
        tsk_option_find(item->key + (*item->key == '?'));
    char *full;
    int rc;

    if (row == NULL || strncmp(row->pub.type, "FILE", 4) != 0)
        return tsk_option_set(l->set, item->key, item->value, err);
    full = resolve(l, item->value);
    if (full == NULL)
        return tsk_fail_nomem(err);
    rc = tsk_option_set(l->set, item->key, full, err);
    tsk_free(full);
    return rc;
}

/* The first line stands instead of what was set before, others add to it. */
static int allow(struct loader *l, const char *rules, tlsock_error *err)
{
    size_t len = strlen(rules) + 2;
    char *more = tsk_alloc(len);
    int rc;

    if (more == NULL)
        return tsk_fail_nomem(err);
    snprintf(more, len, "+%s", rules);
    rc = tsk_option_set(l->set, "client-auth.allow",
                        l->has_rules && *rules != '+' ? more : rules, err);
    l->has_rules = 1;
    tsk_free(more);
    return rc;
}

static int host_trust(struct loader *l, const struct tsk_ini_item *item,
                      tlsock_error *err)
{
    char *full = resolve(l, item->value);
    int rc;

    if (full == NULL)
        return tsk_fail_nomem(err);
    rc = tsk_option_set(l->set, item->key, full, err);
    tsk_free(full);
    return rc;
}

static int take(struct loader *l, struct tsk_ini_item *item, tlsock_error *err)
{
    const char *key = item->key;

    if (strcmp(key, "cert") == 0)
        return new_identity(l, item, err);
    if (strcmp(key, "key") == 0 || strcmp(key, "pass") == 0 ||
        strcmp(key, "host") == 0)
        return more_identity(l, item, err);
    if (strcmp(key, "trust") == 0)
        return trust(l, item->value, err);
    if (strncmp(key, "trust@", 6) == 0)
        return host_trust(l, item, err);
    if (strcmp(key, "pin") == 0)
        return tsk_settings_pin(l->set, item->value, err);
    if (strcmp(key, "psk") == 0)
        return psk(l, item->value, err);
    if (strcmp(key, "crl") == 0)
        return crl(l, item->value, err);
    if (strcmp(key, "client-auth.allow") == 0)
        return allow(l, item->value, err);
    if (strcmp(key, "insecure") == 0 || strcmp(key, "verify") == 0)
        return accept_anybody(l, item, err);
    return option(l, item, err);
}

static void note_section(struct loader *l, const char *name)
{
    char shown[64];

    tsk_printable(shown, sizeof(shown), name, strlen(name));
    tsk_append(l->present, sizeof(l->present), &l->present_len, "%s[%s]",
               l->present_len != 0 ? ", " : "", shown);
}

static int each(void *arg, struct tsk_ini_item *item, tlsock_error *err)
{
    struct loader *l = arg;

    l->last_line = item->line;
    if (item->key == NULL) {
        note_section(l, item->section);
        l->found |= strcmp(item->section, l->section) == 0;
        return finish_identity(l, &item->line, err);
    }
    if (strcmp(item->section, l->section) != 0)
        return TLSOCK_OK;
    return take(l, item, err);
}

static int no_section(const struct loader *l, tlsock_error *err)
{
    char shown[64];

    tsk_printable(shown, sizeof(shown), l->section, strlen(l->section));
    tsk_fail(err, TLSOCK_E_CONFIG_FILE, "there is no section [%s]", shown);
    if (l->present_len != 0)
        tsk_hint(err, "the file has %s", l->present);
    else
        tsk_hint(err, "the file has no sections at all");
    return tsk_ini_fail_at(err, l->path, l->last_line);
}

static int load(struct loader *l, tlsock_error *err)
{
    char *text = NULL;
    size_t len = 0;
    int rc = tsk_config_file_read(l->path, &text, &len, err), line = 0;

    if (rc < 0)
        return rc;
    rc = tsk_ini_parse(text, len, l->path, each, l, err);
    tsk_free_secret(text, len); /* with passwords of proxies, perhaps */
    if (rc == TLSOCK_OK) {
        rc = finish_identity(l, &line, err);
        if (rc < 0)
            rc = tsk_ini_fail_at(err, l->path, line);
    }
    if (rc == TLSOCK_OK && !l->found)
        rc = no_section(l, err);
    forget(&l->id);
    return rc;
}

static int change_by_file(struct tsk_settings *set, void *arg,
                          tlsock_error *err)
{
    struct loader *l = arg;

    l->set = set;
    return load(l, err);
}

static int no_path(tlsock_config *c)
{
    int rc = tsk_config_begin(c);

    if (rc < 0)
        return rc;
    return tsk_config_end(c, tsk_fail(&c->err, TLSOCK_E_ARGUMENT,
                                      "the file's path is NULL or empty"));
}

int tlsock_config_load(tlsock_config *c, const char *path, const char *section)
{
    struct loader l = {.path = path, .section = "", .found = section == NULL};

    if (path == NULL || *path == '\0')
        return no_path(c);
    if (section != NULL)
        l.section = section;
    return tsk_config_change(c, change_by_file, &l);
}
