#include "test.h"

#include "acme_address.h"

static void only_private_addresses_are_asked(void **state)
{
    static const struct {
        const char *address;
        int want;
    } cases[] = {{"127.0.0.1:80", 1},
                 {"127.255.0.9:80", 1},
                 {"10.1.2.3:80", 1},
                 {"172.16.0.1:80", 1},
                 {"172.31.255.255:80", 1},
                 {"172.32.0.1:80", 0},
                 {"172.15.0.1:80", 0},
                 {"192.168.7.7:80", 1},
                 {"192.169.0.1:80", 0},
                 {"8.8.8.8:80", 0},
                 {"0.0.0.0:80", 0},
                 {"169.254.169.254:80", 0},
                 {"100.64.0.1:80", 0},
                 {"224.0.0.1:80", 0},
                 {"[::1]:80", 1},
                 {"[::]:80", 0},
                 {"[::2]:80", 0},
                 {"[fc00::1]:80", 1},
                 {"[fdff::1]:80", 1},
                 {"[fe80::1]:80", 0},
                 {"[fe80::1%eth0]:80", 0},
                 {"[2001:db8::1]:80", 0},
                 {"[::ffff:10.0.0.1]:80", 1},
                 {"[::ffff:8.8.8.8]:80", 0},
                 {"[::127.0.0.1]:80", 0},
                 {"", 0},
                 {"unix:/run/x", 0},
                 {"localhost:80", 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (acme_is_private(cases[i].address) != cases[i].want)
            fail_msg("%s", cases[i].address);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_private_addresses_are_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
