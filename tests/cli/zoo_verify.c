/* zoo_verify DIR - holds each line of DIR/index.json against the library: loads
 * the certificate with its key, verifies it as the line says, prints
 * "pass LINE" or "fail LINE". */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <tlsock/cert.h>
#include <tlsock/config.h>
#include <unistd.h>

static const char *text(const json_t *entry, const char *key)
{
    return json_string_value(json_object_get(entry, key));
}

static int purpose(const char *use)
{
    if (strcmp(use, "server") == 0)
        return TLSOCK_PURPOSE_SERVER;
    return strcmp(use, "client") == 0 ? TLSOCK_PURPOSE_CLIENT
                                      : TLSOCK_PURPOSE_ANY;
}

/* The root to trust; with a CRL, that of the root too, for the intermediate. */
static int set_up(tlsock_config *config, const json_t *entry)
{
    int rc = tlsock_config_add_trust(config, text(entry, "trust"));

    if (rc < 0 || text(entry, "crl") == NULL)
        return rc;
    rc = tlsock_config_set(config, "revocation", "crl");
    if (rc >= 0)
        rc = tlsock_config_add_crl(config, text(entry, "crl"));
    return rc < 0 ? rc : tlsock_config_add_crl(config, "root.crl");
}

/* The slug of what comes of it, "good" if nothing is wrong. */
static const char *verdict(const json_t *entry, tlsock_error *err)
{
    char pass[300];
    tlsock_config *config = tlsock_config_new();
    tlsock_cert *c = NULL;
    int rc = TLSOCK_E_NOMEM;

    if (text(entry, "pass") != NULL)
        snprintf(pass, sizeof(pass), "file:%s", text(entry, "pass"));
    c = tlsock_cert_load(text(entry, "file"), text(entry, "key"),
                         text(entry, "pass") != NULL ? pass : NULL, err);
    if (c == NULL)
        rc = err->code;
    else if (config != NULL && set_up(config, entry) >= 0)
        rc = tlsock_verify(
            c, config,
            TLSOCK_VERIFY_OPTS(.name = text(entry, "host"),
                               .purpose = purpose(text(entry, "use"))),
            err);
    tlsock_cert_unref(c);
    tlsock_config_unref(config);
    return rc == TLSOCK_OK ? "good" : tlsock_errslug(rc);
}

int main(int argc, char **argv)
{
    json_t *index, *entry;
    size_t i;

    if (argc != 2 || chdir(argv[1]) < 0)
        return 2;
    index = json_load_file("index.json", 0, NULL);
    json_array_foreach(json_object_get(index, "entries"), i, entry)
    {
        const char *want = text(entry, "verdict"), *got;
        tlsock_error err = {0};

        got = verdict(entry, &err);
        printf("%s %s%s%s is %s for %s%s%s\n",
               strcmp(want, got) == 0 ? "pass" : "fail", text(entry, "file"),
               text(entry, "key") != NULL ? " with " : "",
               text(entry, "key") != NULL ? text(entry, "key") : "", want,
               text(entry, "use"), strcmp(want, got) == 0 ? "" : ", not ",
               strcmp(want, got) == 0 ? "" : got);
        if (strcmp(want, got) != 0)
            fprintf(stderr, "%s: %s\n", text(entry, "file"), err.message);
    }
    json_decref(index);
    return 0;
}
