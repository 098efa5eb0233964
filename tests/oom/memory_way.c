/* The n-th allocation of the client fails on its way through proxies and
 * STARTTLS dialogues, over real sockets. The others live in threads whose
 * allocations do not count. */
#include "ca.h"
#include "each.h"
#include "way.h"

#include <sys/socket.h>

static int talk(struct world *w, tlsock *s)
{
    char got[4];
    ssize_t rc = tlsock_write(s, "ping", 4);

    if (rc >= 0)
        rc = tlsock_read_full(s, got, 4);
    if (rc == 4 && memcmp(got, "ping", 4) != 0)
        w->broken = "other bytes came than were sent";
    if (rc >= 0)
        rc = tlsock_shutdown(s, SHUT_RDWR);
    return rc < 0 ? note(w, tlsock_last_error(s), (int)rc) : 0;
}

static int through(struct world *w)
{
    tlsock *s = way_connect(w->with, w->name, 0, &w->err);
    int rc;

    if (s == NULL)
        return w->err.code;
    w->accepted = 1;
    if (tlsock_info_int(s, TLSOCK_INFO_STATE) != TLSOCK_STATE_TLS ||
        strncmp(tlsock_info(s, TLSOCK_INFO_VERIFIED), "chain", 5) != 0)
        w->broken = "a connection that is not verified";
    rc = talk(w, s);
    tlsock_close(s);
    return rc;
}

static void every_way(enum fault_kind kind, const char *name, int want)
{
    for (size_t i = 0; i < way_count; i++) {
        struct world w = {.name = name, .dense = 200, .stride = 67};
        struct way way;

        way_begin(&way, &way_kinds[i], ca_get()->ip);
        w.with = &way;
        each(way_kinds[i].name, through, &w, kind, want);
        way_end(&way);
    }
}

static void own_memory_may_fail_on_the_way(void **state)
{
    (void)state;
    every_way(FAULT_OWN, "a.test", 0);
}

static void openssl_memory_may_fail_on_the_way(void **state)
{
    (void)state;
    every_way(FAULT_OPENSSL, "a.test", 0);
}

static void a_wrong_name_behind_it_stays_refused(void **state)
{
    (void)state;
    every_way(FAULT_OWN, "b.test", TLSOCK_E_NAME_MISMATCH);
}

/* https:// proxies that show another name: no request is ever sent. */
static void a_wrong_proxy_stays_refused(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_OWN, FAULT_OPENSSL};

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(kinds); i++) {
        struct world w = {.name = "a.test", .dense = 200, .stride = 67};
        struct way way;

        way_begin(&way, &way_kinds[i % 2 == 0 ? 1 : 3], ca_get()->b);
        w.with = &way;
        each(way.kind->name, through, &w, kinds[i / 2], TLSOCK_E_NAME_MISMATCH);
        way_end(&way);
        assert_string_equal(way.how[way.n_hops - 1].asked, "");
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest own[] = {
        cmocka_unit_test(own_memory_may_fail_on_the_way),
        cmocka_unit_test(a_wrong_name_behind_it_stays_refused),
    };
    const struct CMUnitTest openssl[] = {
        cmocka_unit_test(openssl_memory_may_fail_on_the_way),
        cmocka_unit_test(a_wrong_proxy_stays_refused),
    };
    int rc = 0;

    fault_init();
    if (argc < 2 || strcmp(argv[1], "own") == 0)
        rc |= cmocka_run_group_tests(own, ca_setup, ca_teardown);
    if (argc < 2 || strcmp(argv[1], "openssl") == 0)
        rc |= cmocka_run_group_tests(openssl, ca_setup, ca_teardown);
    return rc;
}
