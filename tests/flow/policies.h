/* policies - a file of rules, and a process that has forgotten all others. */
#ifndef TEST_POLICIES_H
#define TEST_POLICIES_H

#include "ca.h"
#include "peer.h"

#include "api/policy.h"

#include <unistd.h>

static char policies_file[96];

static inline int policies_forget(void **state)
{
    (void)state;
    unsetenv("TLSOCK_POLICY");
    tsk_policy_forget();
    snprintf(policies_file, sizeof(policies_file), "%s/policy.conf",
             ca_get()->dir);
    tsk_policy_system_file = "/nowhere/policy.conf";
    unlink(policies_file);
    return 0;
}

static inline void policies_write(const char *text)
{
    FILE *f = fopen(policies_file, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static inline void policies_load(const char *text)
{
    tlsock_error err;

    policies_write(text);
    if (tlsock_policy_load(policies_file, &err) < 0)
        fail_msg("%s", err.message);
}

/* of the whole program */
static inline int policies_setup(void **state)
{
    return ca_setup(state) == 0 ? policies_forget(state) : -1;
}

static inline int policies_teardown(void **state)
{
    policies_forget(state);
    return ca_teardown(state);
}

#define POLICIES(test)                                                         \
    cmocka_unit_test_setup_teardown(test, policies_forget, policies_forget)

#endif
