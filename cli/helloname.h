/* helloname - what the numbers of a hello are called, and which of them are
 * asked for: IANA's "TLS Parameters", without what needs keys that are shared
 * beforehand. */
#ifndef CLI_HELLONAME_H
#define CLI_HELLONAME_H

#include <stddef.h>
#include <stdint.h>

struct helloname {
    uint16_t id;
    const char *name;
};

/* How good a suite is. */
enum hello_worth {
    HELLO_GOOD,
    HELLO_NO_SECRECY, /* who gets the key later can read it all */
    HELLO_WEAK,       /* 64-bit blocks and the like */
    HELLO_BROKEN      /* nobody needs to break it: it is open */
};

/* What a server's key exchange looks like, before TLS 1.3. */
enum hello_key { HELLO_KEY_NONE, HELLO_KEY_CURVE, HELLO_KEY_DH };

extern const struct helloname hello_suites[], hello_suites13[], hello_groups[];
extern const size_t hello_n_suites, hello_n_suites13, hello_n_groups;

/* "TLSv1.2"; "0x1234" of one that has no name is put into text. */
const char *hello_version_name(int version);
const char *hello_suite_name(int id, char text[16]);
const char *hello_group_name(int id, char text[16]);
enum hello_worth hello_worth(int suite);
enum hello_key hello_key_kind(int suite);
int hello_is_pq(int group); /* resists a quantum computer */

#endif
