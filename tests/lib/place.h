/* place - any test program with a failure at one place of the library, told
 * from outside: tests/torture/places.py goes through all there are.
 *
 * TLSOCK_PLACES=FILE   what was reached is added to FILE, a line each:
 *                      KIND KEY OFFSET,OFFSET,... - of the calls there, in the
 *                      program as it is on disk, the innermost first
 * TLSOCK_PLACE=KEY     the first time that this one is reached, it fails
 *
 * KIND: "own" an allocation of the library, "no" a call of OpenSSL. */
#ifndef TEST_PLACE_H
#define TEST_PLACE_H

/* 1: the allocation that this is called from fails. */
int place_starves(void);
/* 1: the call of OpenSSL that goes back to `to` is refused. */
int place_refuses(const void *to);

#endif
