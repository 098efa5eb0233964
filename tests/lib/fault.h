/* fault - let the n-th allocation, or the n-th system call of a kind, fail.
 *
 * Call fault_init() first thing in main(): OpenSSL takes another allocator
 * only before its first allocation. System calls are reached through the
 * linker (wrap.c), so only programs that link test_wrap_dep have them. */
#ifndef TEST_FAULT_H
#define TEST_FAULT_H

#include "test.h"

enum fault_kind {
    FAULT_OWN,     /* memory of the library */
    FAULT_OPENSSL, /* memory of OpenSSL */
    FAULT_REFUSED, /* calls of OpenSSL: each place in the code that has one,
                      the first time that it is reached (refuse.S) */
    FAULT_RECV,
    FAULT_SEND,
    FAULT_CONNECT,
    FAULT_SOCKET,
    FAULT_RESOLVE,
    FAULT_ACCEPT,
    FAULT_POLL,
    FAULT_EPOLL,
    FAULT_FCNTL,
    FAULT_SETSOCKOPT,
    FAULT_THREAD,
    FAULT_PIPE,
    FAULT_READ,  /* read, pread */
    FAULT_WRITE, /* write */
    FAULT_CLOSE, /* close: it has happened all the same */
    FAULT_FILE,  /* fopencookie */
    FAULT_MAP,   /* mmap */
    FAULT_STAT,  /* fstat */
    FAULT_TOOL,  /* memory of the tool, see oom/tool.c */
    FAULT_KINDS
};

const char *fault_name(enum fault_kind kind);
/* 0: nothing of this kind ever fails here, so that it cannot be counted: calls
 * of OpenSSL are refused on x86-64 alone. */
int fault_is_there(enum fault_kind kind);
void fault_init(void);
/* The n-th from now fails, once; n counts from 1. value: errno, or the code
 * that the call returns (getaddrinfo, pthread_create); 0 is ENOMEM, and what
 * memory has always. */
void fault_arm(enum fault_kind kind, long n, int value);
/* The same, but only what this thread does counts: the peer may play its part
 * in another one. */
void fault_arm_here(enum fault_kind kind, long n, int value);
/* From now until fault_disarm(): where in OpenSSL's source this thread's
 * allocations come from. */
void fault_watch(void);
/* Was the n-th of them the 1st, 2nd, 4th, 8th, ... of its line? 1 for what was
 * not seen. */
int fault_tells(long n);
/* While on is not 0, nothing of this thread fails or counts. */
void fault_hold(int on);
/* No more failures. 1: the armed one has happened. */
int fault_disarm(void);
/* For the wrappers: does this one fail? Its value, or 0. */
int fault_hit(enum fault_kind kind);
/* For refuse.S: does this function fail where it goes back to `place`? */
int fault_refuses(const char *function, const void *place);
/* The function of OpenSSL that has failed at last, or "". */
const char *fault_refused(void);

/* Bytes that are allocated now, by anybody; 0: nobody counts. */
size_t fault_heap(void);

#endif
