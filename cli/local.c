#include "local.h"

#include "signer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char local_permitted[] =
    ".test,.localhost,.internal,10.0.0.0/8,172.16.0.0/12,"
    "192.168.0.0/16,127.0.0.0/8,::1/128,fc00::/7";

int local_dir(char dir[LOCAL_PATH])
{
    const char *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    int n;

    /* the XDG rules ignore a relative path */
    if (data != NULL && data[0] == '/')
        n = snprintf(dir, LOCAL_PATH, "%s/tlsock/ca", data);
    else if (home != NULL && home[0] == '/')
        n = snprintf(dir, LOCAL_PATH, "%s/.local/share/tlsock/ca", home);
    else
        return -1;
    return n < LOCAL_PATH ? 0 : -1;
}

int local_path(char path[LOCAL_PATH], const char *dir, const char *file)
{
    int n = snprintf(path, LOCAL_PATH, "%s/%s", dir, file);

    return n < LOCAL_PATH ? 0 : -1;
}

int local_exists(const char *dir)
{
    char path[LOCAL_PATH];

    return local_path(path, dir, "ca.pem") == 0 && access(path, F_OK) == 0;
}

int local_ca_dir(char dir[LOCAL_PATH], const char *where)
{
    static const char file[] = "/ca.pem";
    size_t len = strlen(where);
    char key[LOCAL_PATH];
    struct stat st;

    if (stat(where, &st) != 0)
        return 0;
    if (S_ISDIR(st.st_mode)) {
        while (len > 1 && where[len - 1] == '/')
            len--;
        return snprintf(dir, LOCAL_PATH, "%.*s", (int)len, where) < LOCAL_PATH;
    }
    if (strcmp(where, file + 1) == 0)
        snprintf(dir, LOCAL_PATH, ".");
    else if (len >= sizeof(file) && len < LOCAL_PATH &&
             strcmp(where + len - sizeof(file) + 1, file) == 0)
        snprintf(dir, LOCAL_PATH, "%.*s", (int)(len - sizeof(file) + 1), where);
    else
        return 0;
    /* a file of this name alone does not make it one */
    return local_path(key, dir, "ca.key") == 0 && access(key, F_OK) == 0;
}

static int make_dir(const char *path)
{
    if (mkdir(path, 0700) == 0)
        return chmod(path, 0700) == 0 ? 0 : errno;
    return errno == EEXIST ? 0 : errno;
}

int local_make_dir(const char *dir)
{
    char path[LOCAL_PATH];
    struct stat st;
    int errnum;

    if ((size_t)snprintf(path, sizeof(path), "%s", dir) >= sizeof(path))
        return ENAMETOOLONG;
    for (char *slash = path + 1; *slash != '\0'; slash++) {
        if (*slash != '/')
            continue;
        *slash = '\0';
        errnum = make_dir(path);
        if (errnum != 0)
            return errnum;
        *slash = '/';
    }
    errnum = make_dir(path);
    if (errnum != 0)
        return errnum;
    return stat(path, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
}

tlsock_cert *local_load(const char *where, const char *pass_uri,
                        tlsock_error *err)
{
    char cert[LOCAL_PATH], key[LOCAL_PATH];
    struct stat st;
    size_t len;

    if (stat(where, &st) == 0 && S_ISDIR(st.st_mode)) {
        if (local_path(cert, where, "ca.pem") == 0 &&
            local_path(key, where, "ca.key") == 0)
            return tlsock_cert_load(cert, key, pass_uri, err);
    }
    len = strlen(where);
    if (len > 4 && len < sizeof(key) && strcmp(where + len - 4, ".pem") == 0) {
        snprintf(key, sizeof(key), "%.*s.key", (int)(len - 4), where);
        if (access(key, F_OK) == 0)
            return tlsock_cert_load(where, key, pass_uri, err);
    }
    return tlsock_cert_load(where, NULL, pass_uri, err);
}

tlsock_cert *local_host_cert(int *by_ca, tlsock_error *err)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "::1"};
    struct signer s;
    tlsock_cert *made = NULL;

    *by_ca = 0;
    if (signer_open(&s, NULL, NULL, err) == 0) {
        *by_ca = s.where != NULL;
        made = signer_issue(&s,
                            TLSOCK_CERT_OPTS(.sans = names, .n_sans = 3,
                                             .purpose = "server", .days = 30),
                            err);
    }
    signer_close(&s);
    return made;
}

const char *local_strerror(int errnum)
{
    return errnum == EINVAL ? "it is no regular file" : strerror(errnum);
}
