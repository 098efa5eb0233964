/* types - the media type that a file's name suggests. */
#ifndef ENGINE_TYPES_H
#define ENGINE_TYPES_H

/* Never NULL: "application/octet-stream" if nothing is known. */
const char *types_of(const char *name);

#endif
