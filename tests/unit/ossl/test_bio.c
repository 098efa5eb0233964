#include "ossl/bio.h"
#include "test.h"

#include <poll.h>

/* A transport that counts calls and does as it is told. */
struct fake {
    struct tsk_layer base;
    uint8_t in[300000];
    size_t in_len, in_at, most;
    int recvs, sends, eof, fail, full;
    size_t sent;
};

static ssize_t fake_recv(struct tsk_layer *l, void *buf, size_t len)
{
    struct fake *f = (struct fake *)l;
    size_t n = f->in_len - f->in_at;

    f->recvs++;
    if (f->fail)
        return f->fail;
    if (n == 0)
        return f->eof ? 0 : TLSOCK_AGAIN;
    if (n > len)
        n = len;
    if (f->most != 0 && n > f->most)
        n = f->most;
    memcpy(buf, f->in + f->in_at, n);
    f->in_at += n;
    return (ssize_t)n;
}

static ssize_t fake_send(struct tsk_layer *l, const void *buf, size_t len)
{
    struct fake *f = (struct fake *)l;

    (void)buf;
    f->sends++;
    if (f->fail)
        return f->fail;
    if (f->full)
        return TLSOCK_AGAIN;
    f->sent += len;
    return (ssize_t)len;
}

static const struct tsk_layer_ops fake_ops = {.recv = fake_recv,
                                              .send = fake_send};
static struct fake f;
static struct tsk_bio io;
static BIO *bio;

static int setup(void **state)
{
    (void)state;
    memset(&f, 0, sizeof(f));
    memset(&io, 0, sizeof(io));
    f.base.ops = &fake_ops;
    io.below = &f.base;
    bio = tsk_bio_new(&io);
    return bio == NULL;
}

static int teardown(void **state)
{
    (void)state;
    BIO_free(bio);
    tsk_bio_free(&io);
    return 0;
}

static void one_recv_serves_many_reads(void **state)
{
    char out[5];

    (void)state;
    f.in_len = 5000;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(BIO_read(bio, out, 5), 5);
    assert_int_equal(f.recvs, 1);
    assert_true(BIO_read(bio, out, 5) <= 0);
    assert_true(BIO_should_read(bio));
    assert_int_equal(io.want, POLLIN);
}

static void writes_are_held_until_a_read_would_wait(void **state)
{
    char out[5];

    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(BIO_write(bio, "hello", 5), 5);
    assert_int_equal(BIO_flush(bio), 1);
    assert_int_equal(f.sends, 0);
    BIO_read(bio, out, 5);
    assert_int_equal(f.sends, 1);
    assert_int_equal(f.sent, 50);
}

static void a_blocking_reader_waits_after_sending_before_it_reads(void **state)
{
    char out[5];

    (void)state;
    io.polite = 1;
    BIO_write(bio, "hello", 5);
    assert_true(BIO_read(bio, out, 5) <= 0);
    assert_int_equal(f.recvs, 0);
    assert_true(BIO_read(bio, out, 5) <= 0);
    assert_int_equal(f.recvs, 1);
}

static ssize_t fake_peek(struct tsk_layer *l, void *buf, size_t len)
{
    (void)l, (void)buf, (void)len;
    return TLSOCK_AGAIN;
}

/* Only of a socket a recv that was not filled says that it took all. */
static void a_blocking_reader_of_a_drained_socket_waits_first(void **state)
{
    static const struct tsk_layer_ops socket_ops = {
        .recv = fake_recv, .send = fake_send, .peek = fake_peek};
    char out[10];

    (void)state;
    for (int socket = 0; socket < 2; socket++) {
        f.base.ops = socket ? &socket_ops : &fake_ops;
        io.polite = 1;
        io.drained = 0;
        f.in_len = 10;
        f.in_at = 0;
        f.recvs = 0;
        assert_int_equal(BIO_read(bio, out, 10), 10);
        assert_true(BIO_read(bio, out, 10) <= 0);
        assert_int_equal(f.recvs, socket ? 1 : 2);
        assert_true(BIO_read(bio, out, 10) <= 0); /* it has waited */
        assert_int_equal(f.recvs, socket ? 2 : 3);
        io.polite = 0;
        f.in_at = 0;
        assert_int_equal(BIO_read(bio, out, 10), 10);
        assert_true(BIO_read(bio, out, 10) <= 0);
        assert_int_equal(f.recvs, socket ? 4 : 5);
    }
}

static void what_leaves_at_once_is_not_held(void **state)
{
    (void)state;
    io.through = 1;
    assert_int_equal(BIO_write(bio, "hello", 5), 5);
    assert_int_equal(f.sent, 5);
    assert_int_equal(io.out.len, 0);
    f.full = 1;
    assert_int_equal(BIO_write(bio, "hello", 5), 5);
    f.full = 0;
    assert_int_equal(BIO_write(bio, "!", 1), 1); /* behind what is held */
    assert_int_equal(io.out.len, 6);
    assert_int_equal(tsk_bio_flush(&io), TLSOCK_OK);
    assert_int_equal(f.sent, 11);
    f.fail = TLSOCK_E_RESET;
    assert_true(BIO_write(bio, "hello", 5) <= 0);
    assert_int_equal(io.code, TLSOCK_E_RESET);
}

static void the_end_is_told_apart_from_waiting_and_failing(void **state)
{
    char out[5];

    (void)state;
    f.eof = 1;
    assert_int_equal(BIO_read(bio, out, 5), 0);
    assert_false(BIO_should_retry(bio));
    assert_true(BIO_eof(bio));
    io.eof = 0;
    f.fail = TLSOCK_E_RESET;
    assert_true(BIO_read(bio, out, 5) <= 0);
    assert_false(BIO_should_retry(bio));
    assert_int_equal(io.code, TLSOCK_E_RESET);
    assert_true(BIO_write(bio, "x", 1) <= 0);
}

static void held_output_is_bounded(void **state)
{
    static char chunk[16384];
    size_t taken = 0;

    (void)state;
    f.full = 1;
    while (BIO_write(bio, chunk, sizeof(chunk)) > 0)
        taken += sizeof(chunk);
    assert_true(BIO_should_write(bio));
    assert_true(taken <= TSK_BIO_OUT_MOST);
    assert_int_equal(tsk_bio_flush(&io), TLSOCK_AGAIN);
    assert_true((io.want & POLLOUT) != 0);
    f.full = 0;
    assert_int_equal(tsk_bio_flush(&io), 0);
    assert_int_equal(f.sent, taken);
}

static void the_buffer_grows_while_every_recv_fills_it(void **state)
{
    static char out[16384];

    (void)state;
    f.in_len = sizeof(f.in);
    while (BIO_read(bio, out, sizeof(out)) > 0)
        io.turn = 0; /* as tls/io.c does: something came of it */
    assert_true(f.recvs < 8);
    assert_int_equal(f.in_at, sizeof(f.in));
    tsk_bio_idle(&io);
    assert_null(io.in.data);
}

static void what_comes_to_nothing_has_its_turn_and_no_more(void **state)
{
    static char out[16384];
    size_t got = 0;
    int n;

    (void)state;
    f.in_len = sizeof(f.in);
    while ((n = BIO_read(bio, out, sizeof(out))) > 0)
        got += (size_t)n;
    assert_true(BIO_should_read(bio));
    assert_true(got >= TSK_BIO_TURN && got < sizeof(f.in));
    assert_int_equal(io.turn_over, 1);
    io.turn_over = 0;
    assert_true(BIO_read(bio, out, sizeof(out)) > 0); /* the next turn */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_recv_serves_many_reads, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(writes_are_held_until_a_read_would_wait,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_blocking_reader_waits_after_sending_before_it_reads, setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            a_blocking_reader_of_a_drained_socket_waits_first, setup, teardown),
        cmocka_unit_test_setup_teardown(what_leaves_at_once_is_not_held, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            the_end_is_told_apart_from_waiting_and_failing, setup, teardown),
        cmocka_unit_test_setup_teardown(held_output_is_bounded, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            the_buffer_grows_while_every_recv_fills_it, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_comes_to_nothing_has_its_turn_and_no_more, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
