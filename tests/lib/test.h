/* test - what every test program includes. */
#ifndef TEST_TEST_H
#define TEST_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <tlsock.h>
#include <tlsock/cert.h>
#include <tlsock/config.h>
#include <tlsock/info.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* there in builds that count what is executed */
void __gcov_dump(void) __attribute__((weak));

/* How a child ends: at once, and what it executed counts. */
static inline void __attribute__((noreturn)) test_exit(int code)
{
    if (__gcov_dump != NULL)
        __gcov_dump();
    _exit(code);
}

/* The code, by name: a failed test then says what came instead. */
#define assert_code(got, want)                                                 \
    assert_string_equal(tlsock_errname((int)(got)), tlsock_errname((int)(want)))

/* A whole number within bounds; it is shown if not. */
#define assert_within(value, least, most)                                      \
    do {                                                                       \
        const long long within_ = (long long)(value);                          \
        if (within_ < (long long)(least) || within_ > (long long)(most))       \
            fail_msg("%lld is not within %lld and %lld", within_,              \
                     (long long)(least), (long long)(most));                   \
    } while (0)

/* Does a text tell this fact? Both are shown if not. */
#define assert_tells(text, fact)                                               \
    do {                                                                       \
        if (strstr((text), (fact)) == NULL)                                    \
            fail_msg("\"%s\" does not tell \"%s\"", (text), (fact));           \
    } while (0)

#endif
