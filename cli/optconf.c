/* The config that options describe: flags in the order of the line, after the
 * config file. */
#include "opt.h"

#include "errors.h"
#include "evidence.h"

#include <string.h>
#include <unistd.h>

/* The library names the fault and the valid values; we name the flag. */
static int refused(const struct opts *o, const char *flag,
                   const tlsock_config *c)
{
    return err_report(&o->out, flag, tlsock_config_error(c), 1);
}

/* FILE or FILE:SECTION; a colon in the file's own name is no section. */
static int load_file(const struct opts *o, tlsock_config *c)
{
    char path[4096];
    const char *section = NULL;
    char *colon;

    if ((size_t)snprintf(path, sizeof(path), "%s", o->config) >= sizeof(path))
        return err_usage(&o->out, o->command, NULL, "--config: too long");
    colon = strrchr(path, ':');
    if (colon != NULL && access(path, F_OK) != 0) {
        *colon = '\0';
        section = colon + 1;
        if (*section == '\0')
            return err_usage(&o->out, o->command, "--config FILE[:SECTION]",
                             "--config \"%s\": no section after the colon",
                             o->config);
    }
    if (tlsock_config_load(c, path, section) < 0)
        return refused(o, "--config", c);
    return 0;
}

/* "+FILE" adds to the system's store, "FILE" stands instead of it. */
int opt_add_trust(const struct opts *o, tlsock_config *c)
{
    int instead = 0;

    for (size_t i = 0; i < o->ca.n; i++)
        instead = instead || o->ca.v[i][0] != '+';
    if (o->ca.n > 0 && !instead && tlsock_config_add_trust(c, "system") < 0)
        return refused(o, "--ca", c);
    for (size_t i = 0; i < o->ca.n; i++) {
        const char *uri = o->ca.v[i] + (o->ca.v[i][0] == '+');

        if (tlsock_config_add_trust(c, uri) < 0)
            return refused(o, "--ca", c);
    }
    return 0;
}

static int add_identities(const struct opts *o, tlsock_config *c)
{
    for (size_t i = 0; i < o->n_idents; i++) {
        const struct ident *id = &o->idents[i];

        if (id->cert == NULL)
            return err_usage(&o->out, o->command, "--cert FILE --key FILE",
                             "%s without a --cert",
                             id->key != NULL ? "--key" : "--pass");
        if (tlsock_config_add_identity(c, id->cert, id->key, id->pass) < 0)
            return refused(o, "--cert", c);
    }
    return 0;
}

static int add_keys(const struct opts *o, tlsock_config *c)
{
    if (o->psks.n != o->psk_keys.n)
        return err_usage(&o->out, o->command,
                         "--psk IDENTITY --psk-key file:FILE",
                         "each --psk needs a --psk-key, and the other way "
                         "round");
    for (size_t i = 0; i < o->psks.n; i++) {
        if (tlsock_config_add_psk_uri(c, o->psks.v[i], o->psk_keys.v[i]) < 0)
            return refused(o, "--psk-key", c);
    }
    return 0;
}

static int add_exceptions(const struct opts *o, tlsock_config *c)
{
    static const char *const rows[][2] = {
        {"expired", "expired: --accept"},
        {"self-signed", "self-signed: --accept"},
        {"name", "no-name: --accept"}};

    if (o->accept != NULL && o->insecure)
        return err_usage(&o->out, o->command, "leave one of them out",
                         "--accept and --insecure together");
    if (o->insecure &&
        tlsock_config_set(c, "insecure",
                          "all: --insecure on the command line") < 0)
        return refused(o, "--insecure", c);
    if (o->accept == NULL)
        return 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(o->accept, rows[i][0]) != 0)
            continue;
        if (tlsock_config_set(c, "insecure", rows[i][1]) < 0)
            return refused(o, "--accept", c);
        return 0;
    }
    return err_usage(&o->out, o->command,
                     "--accept expired, --accept self-signed or --accept name",
                     "--accept \"%s\" is no fault that can be accepted",
                     o->accept);
}

void opt_insecure_json(const struct opts *o, json_t *obj)
{
    if (o->insecure)
        json_object_set_new(obj, "insecure", json_string("all"));
    else if (o->accept != NULL)
        json_object_set_new(obj, "insecure", out_json_text(o->accept));
}

/* Whoever names a list wants to have it asked, unless told otherwise. */
static int add_lists(const struct opts *o, tlsock_config *c)
{
    int told = 0, rc = 0;

    for (size_t i = 0; rc == 0 && i < o->crls.n; i++)
        rc = tlsock_config_add_crl(c, o->crls.v[i]);
    for (size_t i = 0; i + 2 < o->sets.n; i += 3)
        told = told || strcmp(o->sets.v[i], "revocation") == 0;
    if (rc == 0 && o->crls.n > 0 && !told)
        rc = tlsock_config_set(c, "revocation", "crl");
    return rc < 0 ? refused(o, "--crl", c) : 0;
}

static int apply(const struct opts *o, tlsock_config *c)
{
    int rc = o->config != NULL ? load_file(o, c) : 0;

    for (size_t i = 0; rc == 0 && i + 2 < o->sets.n; i += 3) {
        if (tlsock_config_set(c, o->sets.v[i], o->sets.v[i + 1]) < 0)
            rc = refused(o, o->sets.v[i + 2], c);
    }
    for (size_t i = 0; rc == 0 && i < o->pins.n; i++) {
        if (tlsock_config_add_pin(c, o->pins.v[i]) < 0)
            rc = refused(o, "--pin", c);
    }
    if (rc == 0)
        rc = opt_add_trust(o, c);
    if (rc == 0)
        rc = add_lists(o, c);
    if (rc == 0)
        rc = add_exceptions(o, c);
    if (rc == 0)
        rc = add_identities(o, c);
    if (rc == 0)
        rc = add_keys(o, c);
    return rc;
}

/* What is no failure: for those who want to hear more. */
static int print_line(const tlsock_event *e, void *unused)
{
    char line[1024];

    (void)unused;
    fprintf(stderr, "tlsock: %s\n", out_clean(line, sizeof(line), e->text));
    return 0;
}

tlsock_config *opt_make_config(struct opts *o, int *exit_code)
{
    tlsock_config *c = tlsock_config_new();

    if (c == NULL) {
        *exit_code = err_plain(&o->out, o->command, EXIT_INTERNAL, "nomem", "",
                               "out of memory");
        return NULL;
    }
    if (o->out.verbose)
        (void)tlsock_config_on(c, TLSOCK_ON_LOG, print_line, NULL);
    *exit_code = apply(o, c);
    if (*exit_code == 0)
        *exit_code = evidence_watch(o, c);
    if (*exit_code == 0 && o->insecure)
        out_warning(&o->out, "--insecure: nobody checks who the peer is; "
                             "anybody on the way can read and change "
                             "everything");
    if (*exit_code == 0)
        return c;
    tlsock_config_unref(c);
    return NULL;
}

tlsock_config *opt_make_file_config(struct opts *o, int *exit_code)
{
    size_t idents = o->n_idents;
    tlsock_config *c;

    o->n_idents = 0;
    c = opt_make_config(o, exit_code);
    o->n_idents = idents;
    return c;
}
