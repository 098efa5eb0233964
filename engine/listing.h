/* listing - a directory as a page of HTML. Names are escaped; what is hidden or
 * a link is not shown. */
#ifndef ENGINE_LISTING_H
#define ENGINE_LISTING_H

#include <stddef.h>

#define LISTING_MOST 10000 /* entries */

/* fd is taken over, closed in all outcomes; path as asked for. The page is
 * memory of malloc(), yours; NULL: no memory. */
char *listing_make(int fd, const char *path, size_t *len);
/* Write a path so that it can stand in a URL. */
void listing_quote(const char *path, char *out, size_t size);

#endif
