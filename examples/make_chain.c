/* make_chain NAME - a root, an intermediate and a server certificate
 *
 * Writes root.pem (for clients), chain.pem (leaf and intermediate: what a
 * server has to send), leaf.pem (the leaf alone: what servers send by mistake)
 * and leaf.key into the current directory. */
#include <stdio.h>
#include <tlsock.h>
#include <tlsock/cert.h>

static int save(const tlsock_cert *root, const tlsock_cert *leaf,
                tlsock_error *err)
{
    const struct {
        const tlsock_cert *cert;
        unsigned parts;
        const char *path;
    } files[] = {
        {root, TLSOCK_PART_CERT, "root.pem"},
        {leaf, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, "chain.pem"},
        {leaf, TLSOCK_PART_CERT, "leaf.pem"},
        {leaf, TLSOCK_PART_KEY, "leaf.key"},
    };

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        int rc = tlsock_cert_save(files[i].cert, files[i].parts,
                                  TLSOCK_FORMAT_PEM, files[i].path, NULL, err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

int main(int argc, char **argv)
{
    tlsock_cert *root = NULL, *middle = NULL, *leaf = NULL;
    const char *names[] = {argc > 1 ? argv[1] : "app.test"};
    tlsock_error err = {0};
    int rc = 1;

    root = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.subject = "CN=Example Root", .ca = 1, .pathlen = 1),
        &err);
    if (root != NULL)
        middle = tlsock_cert_create(
            TLSOCK_CERT_OPTS(.subject = "CN=Example Intermediate", .ca = 1,
                             .issuer = root),
            &err);
    if (middle != NULL)
        leaf = tlsock_cert_create(
            TLSOCK_CERT_OPTS(.sans = names, .n_sans = 1, .issuer = middle),
            &err);
    if (leaf != NULL && save(root, leaf, &err) == 0)
        rc = 0;
    if (rc != 0)
        fprintf(stderr, "%s\n%s\n", err.message, err.hint);
    tlsock_cert_unref(leaf);
    tlsock_cert_unref(middle);
    tlsock_cert_unref(root);
    return rc;
}
