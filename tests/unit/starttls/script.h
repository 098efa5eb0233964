/* script - what the peer says, and what must come of it. */
#ifndef TEST_SCRIPT_H
#define TEST_SCRIPT_H

#include "fault.h"
#include "starttls/table.h"
#include "test.h"

struct bytes {
    const char *p;
    size_t n;
};
#define B(literal) {(literal), sizeof(literal) - 1}

struct script {
    const char *name, *protocol, *arg, *host;
    int server, after;
    struct bytes peer; /* all that the peer says; then it ends */
    int want;
    struct bytes sent; /* all that we say; # stands for any byte */
    const char *tells; /* part of message or hint, if it fails */
    struct bytes left; /* behind the dialogue, if it succeeds */
    int at_once;       /* only if all the bytes come together */
};

/* Each script whole and byte by byte; then with each allocation failing; those
 * that succeed also cut short at each byte. */
void scripts_run(const struct script *s, size_t n);

/* The main() of a program that has one table for each side. */
#define SCRIPTS_MAIN(client, server)                                           \
    static void clients_ask_for_tls_only_where_it_is_offered(void **state)     \
    {                                                                          \
        (void)state;                                                           \
        scripts_run(client, COUNT(client));                                    \
    }                                                                          \
    static void servers_begin_tls_only_when_asked(void **state)                \
    {                                                                          \
        (void)state;                                                           \
        scripts_run(server, COUNT(server));                                    \
    }                                                                          \
    int main(void)                                                             \
    {                                                                          \
        const struct CMUnitTest tests[] = {                                    \
            cmocka_unit_test(clients_ask_for_tls_only_where_it_is_offered),    \
            cmocka_unit_test(servers_begin_tls_only_when_asked),               \
        };                                                                     \
        fault_init();                                                          \
        return cmocka_run_group_tests(tests, NULL, NULL);                      \
    }                                                                          \
    _Static_assert(1, "takes the semicolon")

/* One end of a conversation that the test feeds. */
struct end {
    struct tsk_starttls *d;
    struct tsk_buf in;
    struct tsk_talk t;
    tlsock_error err;
};

int end_begin(struct end *e, const char *protocol, const char *arg,
              const char *host, int server, int after); /* 0, or the code */
void end_feed(struct end *e, const void *bytes, size_t n);
int end_step(struct end *e); /* checks that a failure says all it must */
void end_free(struct end *e);

#endif
