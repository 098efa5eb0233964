/* policy_help - policies of a test's own in place of the machine's. Header
 * only: two programs use it. */
#ifndef TEST_POLICY_HELP_H
#define TEST_POLICY_HELP_H

#include "config_help.h"

#include "api/config.h"
#include "api/config_box.h"
#include "api/policy.h"

/* What stands for the file in /etc. */
static inline void machine(const char *name)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s", help_path(name));
    tsk_policy_system_file = path;
}

static inline int forget(void **state)
{
    (void)state;
    unsetenv("TLSOCK_POLICY");
    tsk_policy_forget();
    machine("no.conf");
    return 0;
}

static inline void load(const char *text)
{
    tlsock_error err;

    help_write("p.conf", text);
    if (tlsock_policy_load(help_path("p.conf"), &err) != TLSOCK_OK)
        fail_msg("\"%s\": %s", text, err.message);
}

/* What a connection of this config would have; err if there would be none. */
static inline struct tsk_ctx *use(tlsock_config *c, int server,
                                  tlsock_error *err)
{
    struct tsk_ctx *ctx = NULL;

    memset(err, 0, sizeof(*err));
    if (server)
        assert_code(
            tlsock_config_add_identity(c, help_path("a.pem"), NULL, NULL),
            TLSOCK_OK);
    if (tsk_config_snapshot(c, server, &ctx, err) < 0)
        assert_null(ctx);
    return ctx;
}

static inline int policy_teardown(void **state)
{
    static const char *const names[] = {"p.conf", "etc.conf", "env.conf"};

    forget(state);
    for (size_t i = 0; i < COUNT(names); i++)
        unlink(help_path(names[i]));
    return help_teardown(state);
}

#define T(test) cmocka_unit_test_setup_teardown(test, forget, forget)

#endif
