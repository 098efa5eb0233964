/* shim - what its parts share. */
#ifndef TORTURE_SHIM_H
#define TORTURE_SHIM_H

#include <stdatomic.h>

/* Who wants to know each place? SITES; which is to fail? NO */
enum shim_mode { OFF, COUNT, ALLOC, OSSL, CALL, KILL, AT, SITES, NO };
extern enum shim_mode shim_mode;
extern atomic_int shim_running; /* main() is */
extern long shim_at;

/* To the file of marks. */
void shim_say(const char *text);
void shim_fired(const char *name, int which, int ways);

/* Before main(). */
void shim_sites_begin(void);
/* SITES: the n-th allocation of the tool or the library, or of OpenSSL. */
void shim_own_site(long n);
void shim_ossl_site(long n);

#endif
