/* hellos - a ClientHello made by hand, for what no library would send. */
#ifndef TEST_HELLOS_H
#define TEST_HELLOS_H

#include <stddef.h>
#include <stdint.h>

#define HELLO_LONG (5 + 4 + 2 + 32 + 1 + 2 + 400 + 2)

/* A record with a TLS 1.2 hello that offers 200 cipher suites, 100 to 299, and
 * no extensions. */
void hello_long(uint8_t out[HELLO_LONG]);

#endif
