/* writeall - all of it into a descriptor, however much goes at once. */
#ifndef CLI_WRITEALL_H
#define CLI_WRITEALL_H

#include <stddef.h>

/* 0, or errno. */
int write_all(int fd, const void *data, size_t len);

#endif
