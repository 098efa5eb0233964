/* The BIO of a socket that encrypts by itself, over a kernel that is made up;
 * tools/vm-ktls has a real one. */
#include "fault.h"
#include "ossl/biokernel.h"
#include "test.h"

#include <errno.h>
#include <poll.h>

#define SET_KEYS 72
#define GET_SENDS 73
#define SET_TYPE 74
#define CLEAR_TYPE 75
#define GET_RECEIVES 76

struct kernel {
    struct tsk_layer base;
    int type, errnum, code; /* of what comes: a record, or a failure */
    const char *data;
    int full;          /* takes nothing */
    size_t most;       /* takes no more at once; 0: all */
    char sent[100000]; /* "(TYPE)" before a record, data as it is */
    size_t n_sent;
};

static void log_bytes(struct kernel *k, const void *p, size_t n)
{
    assert_true(k->n_sent + n < sizeof(k->sent));
    memcpy(k->sent + k->n_sent, p, n);
    k->n_sent += n;
    k->sent[k->n_sent] = '\0';
}

static ssize_t k_send(struct tsk_layer *l, const void *buf, size_t len)
{
    struct kernel *k = (struct kernel *)l;

    if (k->code != 0)
        return k->code;
    if (k->full)
        return TLSOCK_AGAIN;
    if (k->most != 0 && len > k->most)
        len = k->most;
    log_bytes(k, buf, len);
    return (ssize_t)len;
}

static ssize_t k_send_record(struct tsk_layer *l, int type, const void *buf,
                             size_t len)
{
    struct kernel *k = (struct kernel *)l;
    char name[16];

    if (k->full || k->code != 0)
        return k->code != 0 ? k->code : TLSOCK_AGAIN;
    log_bytes(k, name, (size_t)snprintf(name, sizeof(name), "(%d)", type));
    log_bytes(k, buf, len);
    return (ssize_t)len;
}

static ssize_t k_recv_record(struct tsk_layer *l, int *type, void *buf,
                             size_t len)
{
    struct kernel *k = (struct kernel *)l;
    size_t n = k->data != NULL ? strlen(k->data) : 0;

    if (k->code != 0) {
        l->sys_errno = k->errnum;
        return k->code;
    }
    *type = k->type;
    if (n > len)
        n = len;
    memcpy(buf, k->data != NULL ? k->data : "", n);
    return (ssize_t)n;
}

static int k_fd(struct tsk_layer *l)
{
    (void)l;
    return -1;
}

static const struct tsk_layer_ops ops = {.send = k_send,
                                         .fd = k_fd,
                                         .send_record = k_send_record,
                                         .recv_record = k_recv_record};
static struct kernel k;
static struct tsk_bio io;
static BIO *bio;

static int setup(void **state)
{
    (void)state;
    memset(&k, 0, sizeof(k));
    memset(&io, 0, sizeof(io));
    k.base.ops = &ops;
    io.below = &k.base;
    bio = tsk_bio_new(&io);
    io.kernel.asked = io.kernel.sends = io.kernel.receives = 1;
    return bio == NULL;
}

static int teardown(void **state)
{
    (void)state;
    BIO_free(bio);
    tsk_bio_free(&io);
    return 0;
}

static void a_record_gets_its_header(void **state)
{
    static const struct {
        int type;
        const char *data;
        size_t room;
        const char *want;
        int n;
    } rows[] = {
        {23, "hello", 100, "\x17\x03\x03\x00\x05hello", 10},
        {21, "\x01", 100, "\x15\x03\x03\x00\x01\x01", 6},
        {22, "\x04ticket", 100, "\x16\x03\x03\x00\x07\x04ticket", 12},
        {23, "", 100, "\x17\x03\x03\x00", 5},
        {23, "hello", 24, "\x17\x03\x03\x00\x03hel", 8}, /* the rest later */
    };
    char out[100];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        k.type = rows[i].type;
        k.data = rows[i].data;
        assert_int_equal(BIO_read(bio, out, (int)rows[i].room), rows[i].n);
        assert_memory_equal(out, rows[i].want, rows[i].n);
    }
    errno = 0;
    assert_true(BIO_read(bio, out, 21) <= 0); /* no room for a byte of it */
    assert_int_equal(errno, EINVAL);
}

/* errno is what libssl goes by; what is not of a record is ours to tell. */
static void failures_are_told_apart(void **state)
{
    static const struct {
        int code, errnum, want_code, want_errno, retry, damaged;
    } rows[] = {
        {TLSOCK_AGAIN, EAGAIN, 0, EAGAIN, 1, 0},
        {TLSOCK_E_SYSTEM, EBADMSG, 0, EBADMSG, 0, 1},
        {TLSOCK_E_SYSTEM, EMSGSIZE, 0, EMSGSIZE, 0, 1},
        {TLSOCK_E_SYSTEM, EINVAL, 0, EINVAL, 0, 1},
        {TLSOCK_E_SYSTEM, EIO, TLSOCK_E_SYSTEM, EIO, 0, 0},
        {TLSOCK_E_RESET, ECONNRESET, TLSOCK_E_RESET, ECONNRESET, 0, 0},
    };
    char out[100];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        k.code = rows[i].code;
        k.errnum = rows[i].errnum;
        io.code = io.kernel.damaged = 0;
        assert_true(BIO_read(bio, out, sizeof(out)) < 0);
        assert_int_equal(errno, rows[i].want_errno);
        assert_int_equal(io.code, rows[i].want_code);
        assert_int_equal(io.kernel.damaged, rows[i].damaged);
        assert_int_equal(BIO_should_read(bio) != 0, rows[i].retry);
    }
    k.code = k.type = io.code = 0;
    assert_int_equal(BIO_read(bio, out, sizeof(out)), 0);
    assert_true(BIO_eof(bio));
    assert_int_equal(BIO_read(bio, out, sizeof(out)), 0);
}

/* The kernel says nothing after damage, and need not be asked to. */
static void an_alert_about_damage_fails_nothing(void **state)
{
    (void)state;
    io.kernel.damaged = 1;
    k.code = TLSOCK_E_SYSTEM;
    BIO_ctrl(bio, SET_TYPE, 21, NULL);
    assert_int_equal(BIO_write(bio, "\x02\x14", 2), 2);
    assert_int_equal(io.code, 0);
}

static void a_record_of_a_type_keeps_its_place(void **state)
{
    (void)state;
    k.most = 3;
    assert_int_equal(BIO_write(bio, "hello", 5), 5); /* "lo" is held */
    assert_string_equal(k.sent, "hel");
    k.full = 1;
    BIO_ctrl(bio, SET_TYPE, 21, NULL);
    assert_true(BIO_write(bio, "AL", 2) <= 0);
    assert_true(BIO_should_write(bio));
    assert_int_equal(io.want & POLLOUT, POLLOUT);
    k.full = 0;
    assert_int_equal(BIO_write(bio, "AL", 2), 2);
    assert_int_equal(BIO_write(bio, "x", 1), 1); /* and this is data again */
    assert_string_equal(k.sent, "hello(21)ALx");
    BIO_ctrl(bio, SET_TYPE, 22, NULL);
    BIO_ctrl(bio, CLEAR_TYPE, 0, NULL);
    assert_int_equal(BIO_write(bio, "y", 1), 1);
    assert_string_equal(k.sent, "hello(21)ALxy");
    BIO_ctrl(bio, SET_TYPE, 21, NULL);
    k.code = TLSOCK_E_RESET;
    assert_true(BIO_write(bio, "AL", 2) <= 0);
    assert_int_equal(io.code, TLSOCK_E_RESET);
}

static void what_the_socket_does_not_take_is_held(void **state)
{
    (void)state;
    k.full = 1;
    assert_int_equal(BIO_write(bio, "one", 3), 3);
    assert_int_equal(BIO_write(bio, "two", 3), 3);
    assert_int_equal(io.out.len, 6);
    assert_int_equal(tsk_bio_flush(&io), TLSOCK_AGAIN);
    k.full = 0;
    assert_int_equal(tsk_bio_flush(&io), TLSOCK_OK);
    assert_string_equal(k.sent, "onetwo");
    k.code = TLSOCK_E_RESET;
    assert_true(BIO_write(bio, "x", 1) <= 0);
    assert_int_equal(io.code, TLSOCK_E_RESET);
}

static void no_memory_to_hold_it_is_told(void **state)
{
    (void)state;
    k.full = 1;
    fault_arm(FAULT_OWN, 1, ENOMEM);
    assert_true(BIO_write(bio, "one", 3) <= 0);
    assert_int_equal(fault_disarm(), 1);
    assert_int_equal(io.code, TLSOCK_E_NOMEM);
}

/* 24 is a KeyUpdate; other messages of a handshake pass. */
static void new_keys_end_it_either_way(void **state)
{
    char out[100];

    (void)state;
    for (int writes = 0; writes < 2; writes++) {
        for (int type = 22; type <= 23; type++) {
            for (char first = 23; first <= 25; first++) {
                char data[3] = {first, 'x', 0};
                int rekey = type == 22 && first == 24, rc;

                io.code = io.kernel.rekeyed = 0;
                k.type = type;
                k.data = data;
                BIO_ctrl(bio, type == 22 ? SET_TYPE : CLEAR_TYPE, type, NULL);
                rc = writes ? BIO_write(bio, data, 2)
                            : BIO_read(bio, out, sizeof(out));
                assert_int_equal(rc <= 0, rekey);
                assert_int_equal(io.kernel.rekeyed, rekey);
                assert_int_equal(io.code, rekey ? TLSOCK_E_UNSUPPORTED : 0);
            }
        }
    }
}

/* keys: more than any that libssl gives, all 0 */
static void keys_are_refused_with_a_reason(void **state)
{
    static char keys[1000];

    (void)state;
    io.kernel.sends = io.kernel.receives = 0;
    assert_int_equal(BIO_write(bio, "held", 4), 4);
    k.full = 1;
    assert_int_equal(BIO_ctrl(bio, SET_KEYS, 1, keys), 0);
    assert_int_equal(io.kernel.refused[1], EBUSY); /* under older keys */
    k.full = 0;
    assert_int_equal(BIO_ctrl(bio, SET_KEYS, 1, keys), 0);
    /* the kernel's word; that of qemu, which has no such keys */
    assert_true(io.kernel.refused[1] == EBADF ||
                io.kernel.refused[1] == ENOPROTOOPT);
    assert_string_equal(k.sent, "held");
    assert_int_equal(tsk_bio_feed(&io, "ahead", 5), 0);
    assert_int_equal(BIO_ctrl(bio, SET_KEYS, 0, keys), 0);
    assert_int_equal(io.kernel.refused[0], EBUSY);
    fault_arm(FAULT_OPENSSL, 1, 1);
    assert_int_equal(BIO_ctrl(bio, SET_KEYS, 1, keys), 0);
    assert_int_equal(fault_disarm(), 1);
    assert_int_equal(io.kernel.refused[1], ENOMEM);
    assert_int_equal(BIO_ctrl(bio, GET_SENDS, 0, NULL), 0);
    assert_int_equal(BIO_ctrl(bio, GET_RECEIVES, 0, NULL), 0);
    memset(io.kernel.refused, 0, sizeof(io.kernel.refused));
    io.kernel.asked = 0;
    assert_int_equal(BIO_ctrl(bio, SET_KEYS, 1, keys), 0);
    assert_int_equal(io.kernel.refused[1], 0); /* nobody wanted it */
}

static void without_memory_libssl_has_it_not(void **state)
{
    (void)state;
    fault_arm(FAULT_OPENSSL, 1, 1);
    assert_false(tsk_bio_kernel_built());
    assert_int_equal(fault_disarm(), 1);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(a_record_gets_its_header),
        WITH(failures_are_told_apart),
        WITH(an_alert_about_damage_fails_nothing),
        WITH(a_record_of_a_type_keeps_its_place),
        WITH(what_the_socket_does_not_take_is_held),
        WITH(no_memory_to_hold_it_is_told),
        WITH(new_keys_end_it_either_way),
        WITH(keys_are_refused_with_a_reason),
        WITH(without_memory_libssl_has_it_not),
    };

    fault_init();
    return cmocka_run_group_tests_name("biokernel", tests, NULL, NULL);
}
