/* local - the CA of this machine's user: where it is, and what it signs. */
#ifndef CLI_LOCAL_H
#define CLI_LOCAL_H

#include <stddef.h>
#include <tlsock/cert.h>

#define LOCAL_PATH 4096

/* What a local CA may sign, unless told otherwise. */
extern const char local_permitted[];

/* Default directory: $XDG_DATA_HOME/tlsock/ca. 0, or -1: no home. */
int local_dir(char dir[LOCAL_PATH]);
/* dir/file; 0, or -1: too long. */
int local_path(char path[LOCAL_PATH], const char *dir, const char *file);
/* Is there a CA in this directory? */
int local_exists(const char *dir);
/* Is this a CA's directory, or the ca.pem in one? Then dir is it. */
int local_ca_dir(char dir[LOCAL_PATH], const char *where);
/* Make the directory and those above it, mode 0700 whatever the umask; 0 or
 * errno. */
int local_make_dir(const char *dir);
/* Load CA from a directory (ca.pem, ca.key) or a file: its key is in it, or
 * in the file beside it that ends in .key. */
tlsock_cert *local_load(const char *where, const char *pass_uri,
                        tlsock_error *err);
/* A certificate for localhost, in memory: signed by the local CA if there is
 * one (*by_ca), which records it, else by itself. */
tlsock_cert *local_host_cert(int *by_ca, tlsock_error *err);
/* Take a file name that is free, or has only an empty file that one who was
 * killed has left; with force, that of any file, but not of what is none. It
 * stays taken until the process ends. 0 or errno. */
int local_reserve(const char *path, int force);
/* It will not be made after all: what is empty is gone again. */
void local_release(const char *path);
/* What it says. */
const char *local_strerror(int errnum);

#endif
