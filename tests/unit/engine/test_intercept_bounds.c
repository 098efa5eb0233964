/* Where "tlsock intercept" has no memory, no room or no socket left: nothing is
 * half done, and it is said. */
#include "test.h"

#include "fault.h"

#include "intercept_entry.h"
#include "intercept_frames.h"
#include "intercept_pins.h"
#include "intercept_rules.h"
#include "intercept_wire.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* What these parts of the engine call, see meson.build. */
void *lacking_malloc(size_t size);
void *lacking_calloc(size_t n, size_t size);
void *lacking_realloc(void *old, size_t size);
char *lacking_strdup(const char *text);

void *lacking_malloc(size_t size)
{
    return fault_hit(FAULT_TOOL) != 0 ? NULL : malloc(size);
}

void *lacking_calloc(size_t n, size_t size)
{
    return fault_hit(FAULT_TOOL) != 0 ? NULL : calloc(n, size);
}

void *lacking_realloc(void *old, size_t size)
{
    return fault_hit(FAULT_TOOL) != 0 ? NULL : realloc(old, size);
}

char *lacking_strdup(const char *text)
{
    return fault_hit(FAULT_TOOL) != 0 ? NULL : strdup(text);
}

static void rules_are_all_there_or_it_is_said(void **state)
{
    static const char text[] = "deny a\npass b\nintercept c\ndeny 10.0.0.0/8\n";
    long n, failed = 0;

    (void)state;
    for (n = 1;; n++) {
        struct intercept_rules *r;
        const char *why = "";
        int line;

        fault_arm(FAULT_TOOL, n, 0);
        r = rules_new();
        line = r != NULL ? rules_parse(r, text, sizeof(text) - 1, &why) : -1;
        rules_free(r);
        if (!fault_disarm())
            break;
        assert_int_not_equal(line, 0);
        if (line > 0)
            assert_string_equal(why, "out of memory");
        failed++;
    }
    assert_true(failed >= 6);
}

static void rules_beyond_the_bound_are_refused(void **state)
{
    static const size_t most = 100000, size = 7;
    char *text = malloc((most + 1) * size + 1);

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i <= most; i++)
        memcpy(text + i * size, "deny a\n", size + 1);
    for (size_t n = most; n <= most + 1; n++) {
        struct intercept_rules *r = rules_new();
        const char *why = "";
        int line = rules_parse(r, text, n * size, &why);

        assert_int_equal(line, n > most ? most + 1 : 0);
        assert_string_equal(why, n > most ? "too many rules" : why);
        rules_free(r);
    }
    free(text);
}

static void a_request_that_cannot_be_rewritten_ends(void **state)
{
    static const char get[] = "GET http://a.test/ HTTP/1.1\r\nA: b\r\n\r\n";
    struct entry e = {.kind = ENTRY_MORE};

    (void)state;
    fault_arm(FAULT_TOOL, 1, 0);
    entry_look(&e, get, sizeof(get) - 1);
    assert_true(fault_disarm());
    assert_int_equal(e.kind, ENTRY_WRONG);
    assert_string_equal(e.wrong, "out of memory");
    assert_null(e.head);
    assert_int_equal(e.answer_len, 0);
    entry_look(&e, get, sizeof(get) - 1);
    assert_int_equal(e.kind, ENTRY_HTTP);
    free(e.head);
}

/* The longest that a request for a proxy becomes. */
static void a_head_grows_no_more_than_it_says(void **state)
{
    static const char *const rows[] = {
        "GET http://a HTTP/1.1\n\n", "GET http://a HTTP/1.0\r\n\r\n",
        "GET http://a?b HTTP/1.1\nA: b\n\n", "X http://a/ HTTP/1.1\n\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct entry e = {.kind = ENTRY_MORE};

        entry_look(&e, rows[i], strlen(rows[i]));
        assert_int_equal(e.kind, ENTRY_HTTP);
        assert_true(e.head_len <= strlen(rows[i]) + ENTRY_GROWS);
        free(e.head);
    }
}

static void pins_without_memory_are_none(void **state)
{
    (void)state;
    fault_arm(FAULT_TOOL, 1, 0);
    assert_null(pins_new(60));
    assert_true(fault_disarm());
    pins_free(NULL);
}

static void a_hello_that_has_no_room_is_not_begun(void **state)
{
    static const char json[] = "{\"id\":1}";
    struct chan *to = calloc(1, sizeof(*to));

    (void)state;
    assert_non_null(to);
    to->len = CHAN_SIZE - FRAME_HEAD - (sizeof(json) - 1);
    assert_int_equal(frames_hello(json, to), 0);
    assert_int_equal(to->len, CHAN_SIZE);
    to->len = CHAN_SIZE - FRAME_HEAD - (sizeof(json) - 1) + 1;
    assert_int_equal(frames_hello(json, to), -1);
    assert_int_equal(to->len, CHAN_SIZE - FRAME_HEAD - (sizeof(json) - 1) + 1);
    free(to);
}

static void a_record_of_the_hello_ends_at_its_bound(void **state)
{
    unsigned char *seen = calloc(1, WIRE_MOST);
    struct wire w = {.seen = seen, .recording = 1};
    char buf[8];
    int fds[2];

    (void)state;
    assert_non_null(seen);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    w.fd = fds[0];
    w.len = w.given = WIRE_MOST - 3;
    assert_int_equal(write(fds[1], "abcdef", 6), 6);
    assert_int_equal(wire_io.read(&w, buf, sizeof(buf)), 3);
    assert_int_equal(w.full, 0);
    assert_int_equal(wire_io.read(&w, buf, sizeof(buf)), TLSOCK_E_LIMIT);
    assert_int_equal(w.full, 1);
    w.recording = 0; /* it is ours to speak: the rest comes */
    assert_int_equal(wire_io.read(&w, buf, sizeof(buf)), 3);
    assert_int_equal(wire_io.read(&w, buf, sizeof(buf)), TLSOCK_AGAIN);
    assert_memory_equal(seen + WIRE_MOST - 3, "abc", 3);
    close(fds[1]);
    assert_int_equal(wire_io.read(&w, buf, sizeof(buf)), 0);
    assert_int_equal(wire_io.write(&w, buf, 1), TLSOCK_E_RESET);
    close(fds[0]);
    free(seen);
}

static void what_is_no_socket_is_a_fault_of_the_system(void **state)
{
    char byte = 0;
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(wire_recv(fds[0], &byte, 1), TLSOCK_E_SYSTEM);
    assert_int_equal(wire_send(fds[1], &byte, 1), TLSOCK_E_SYSTEM);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_all_there_or_it_is_said),
        cmocka_unit_test(rules_beyond_the_bound_are_refused),
        cmocka_unit_test(a_request_that_cannot_be_rewritten_ends),
        cmocka_unit_test(a_head_grows_no_more_than_it_says),
        cmocka_unit_test(pins_without_memory_are_none),
        cmocka_unit_test(a_hello_that_has_no_room_is_not_begun),
        cmocka_unit_test(a_record_of_the_hello_ends_at_its_bound),
        cmocka_unit_test(what_is_no_socket_is_a_fault_of_the_system),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
