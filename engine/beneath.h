/* beneath - opens what lies below a directory, and nothing else: no "..", no
 * symbolic link anywhere on the way, no hidden name. Knows nothing of HTTP. */
#ifndef ENGINE_BENEATH_H
#define ENGINE_BENEATH_H

#include <sys/stat.h>

/* path begins with "/" and is decoded. 0: *fd is yours, a regular file or a
 * directory; else an errno: ENOENT, EACCES (may not be served), ... */
int beneath_open(int root, const char *path, int *fd, struct stat *st);
/* May this name be served? Hidden ones are not, but for ".well-known". */
int beneath_visible(const char *name);

#endif
