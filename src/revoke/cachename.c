#include "revoke/cachedisk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file system that is read-only may hold what somebody else put there. */
static int is_usable(const char *dir)
{
    struct stat st;

    if (stat(dir, &st) != 0)
        return 0;
    if (!S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return 0;
    }
    return faccessat(AT_FDCWD, dir, R_OK | W_OK | X_OK, AT_EACCESS) == 0 ||
           errno == EROFS;
}

char *tsk_cachedisk_name(const char *dir, const char *what, const char *option,
                         tlsock_error *err)
{
    char *name = realpath(dir, NULL);
    int errnum = errno;

    if (name != NULL && is_usable(name))
        return name;
    if (name != NULL)
        errnum = errno;
    free(name);
    if (errnum == ENOMEM) {
        tsk_fail_nomem(err);
        return NULL;
    }
    tsk_fail_sys(err, TLSOCK_E_OWN_FILE, errnum,
                 "\"%s\" is no directory to keep %s in", dir, what);
    tsk_hint(err, "make one that this user may write to, and no other (%s)",
             option);
    return NULL;
}
