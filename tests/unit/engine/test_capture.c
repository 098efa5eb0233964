/* A capture, read back block by block: what is in it, in which order, and that
 * what was written is whole at any time. */
#include "test.h"

#include "capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY13 "SERVER_TRAFFIC_SECRET_0 00 11"
#define KEY13C "CLIENT_TRAFFIC_SECRET_0 00 22"

static char dir[] = "/tmp/captureXXXXXX", path[64];
static uint8_t file[262144];
static size_t file_len;

struct read {
    char order[256];        /* H I K and, of packets, c s (data) or . */
    uint8_t data[2][65536]; /* what each side sent */
    size_t len[2];
    uint32_t next[2]; /* the sequence number that is due */
    unsigned ports[2];
};

static uint32_t word(size_t at)
{
    uint32_t v;

    memcpy(&v, file + at, sizeof(v));
    return v;
}

static uint32_t big(const uint8_t *p, int n)
{
    uint32_t v = 0;

    while (n-- > 0)
        v = v << 8 | *p++;
    return v;
}

/* All of it with its own checksum in it is all ones (RFC 1071). */
static void sums_up(const uint8_t *p, size_t len, uint32_t start)
{
    for (size_t i = 0; i < len; i++)
        start += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
    while (start >> 16 != 0)
        start = (start & 0xffff) + (start >> 16);
    assert_int_equal(start, 0xffff);
}

static void packet(struct read *r, const uint8_t *p, size_t len)
{
    int v4 = p[0] >> 4 == 4;
    size_t head = v4 ? 20 : 40, addresses = v4 ? 8 : 32, all = len - head;
    const uint8_t *t = p + head;
    size_t start = (size_t)(t[12] >> 4) * 4;
    int from = big(t, 2) == r->ports[0] ? 0 : 1;
    uint32_t start_sum = 6 + (uint32_t)all;

    assert_within(len, 40, 1500);
    for (size_t i = 0; i < addresses; i += 2)
        start_sum += big(t - addresses + i, 2);
    sums_up(t, all, start_sum);
    if (v4)
        sums_up(p, 20, 0);
    if (t[13] == 2)
        from = 0, r->ports[0] = big(t, 2), r->ports[1] = big(t + 2, 2);
    assert_int_equal(big(t + 4, 4), r->next[from]);
    if (t[13] != 2)
        assert_int_equal(big(t + 8, 4), r->next[!from]);
    r->next[from] += (uint32_t)(all - start) + ((t[13] & 3) != 0 ? 1 : 0);
    memcpy(r->data[from] + r->len[from], t + start, all - start);
    r->len[from] += all - start;
    r->order[strlen(r->order)] = all == start ? '.' : from == 0 ? 'c' : 's';
}

static void slurp(void)
{
    int fd = open(path, O_RDONLY);

    assert_true(fd >= 0);
    file_len = (size_t)read(fd, file, sizeof(file));
    close(fd);
}

/* Asserts that the blocks end where the file ends. */
static struct read *look(void)
{
    static struct read r;
    size_t at = 0;

    memset(&r, 0, sizeof(r));
    slurp();
    while (at < file_len) {
        uint32_t type = word(at), len = word(at + 4);
        size_t n = strlen(r.order);

        assert_true(len >= 12 && len % 4 == 0 && at + len <= file_len);
        assert_int_equal(word(at + len - 4), len);
        if (type == 6)
            packet(&r, file + at + 28, word(at + 20));
        else
            r.order[n] = type == 0x0A0D0D0A ? 'H' : type == 1 ? 'I' : 'K';
        at += len;
    }
    assert_int_equal(at, file_len);
    return &r;
}

static struct capture *fresh(void)
{
    struct capture *c;

    int fd;

    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    c = capture_open(fd);
    assert_non_null(c);
    return c;
}

static void a_file_begins_as_one(void **state)
{
    struct capture *c = fresh();

    (void)state;
    assert_string_equal(look()->order, "HI");
    assert_int_equal(capture_close(c), 0);
}

/* What comes waits for the secrets that open it; what leaves has them. */
static void secrets_are_in_front_of_what_they_open(void **state)
{
    struct capture *c = fresh();
    struct capture_flow *f = capture_flow_new(c, NULL, NULL);

    (void)state;
    capture_flow_bytes(f, 1, 0, "hello", 5);
    assert_string_equal(look()->order, "HI...c");
    capture_flow_bytes(f, 0, 1, "flight", 6);
    assert_string_equal(look()->order, "HI...c");
    capture_flow_key(f, "SERVER_HANDSHAKE_TRAFFIC_SECRET 00 33");
    capture_flow_key(f, KEY13);
    assert_string_equal(look()->order, "HI...cKK");
    capture_flow_key(f, KEY13C);
    assert_string_equal(look()->order, "HI...cKKKs");
    capture_flow_bytes(f, 0, 1, "data", 4);
    assert_string_equal(look()->order, "HI...cKKKss");
    capture_flow_end(f);
    assert_string_equal(look()->order, "HI...cKKKss...");
    assert_int_equal(capture_close(c), 0);
    assert_non_null(memmem(file, file_len, KEY13 "\n", strlen(KEY13) + 1));
}

static void what_is_held_is_not_lost(void **state)
{
    struct capture *c = fresh();
    struct capture_flow *f = capture_flow_new(c, NULL, NULL);

    (void)state;
    capture_flow_bytes(f, 1, 1, "one", 3);
    capture_flow_bytes(f, 1, 1, "two!", 4);
    assert_string_equal(look()->order, "HI...c");
    capture_flow_bytes(f, 0, 0, "answer", 6);
    assert_string_equal(look()->order, "HI...ccs");
    capture_flow_bytes(f, 1, 1, "three", 5);
    capture_flow_end(f);
    capture_flow_end(NULL);
    assert_string_equal(look()->order, "HI...ccsc...");
    assert_memory_equal(look()->data[0], "onetwo!three", 12);
    assert_int_equal(capture_close(c), 0);
}

/* In segments whose numbers and sums are right, over both families. */
static void much_goes_in_segments(void **state)
{
    struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(50000)};
    struct sockaddr_in b4 = {.sin_family = AF_INET, .sin_port = htons(443)};
    struct sockaddr_in6 a6 = {.sin6_family = AF_INET6,
                              .sin6_port = htons(50001)};
    struct sockaddr_in6 b6 = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
    uint8_t bytes[40001];

    (void)state;
    inet_pton(AF_INET, "192.0.2.1", &a4.sin_addr);
    inet_pton(AF_INET, "192.0.2.2", &b4.sin_addr);
    inet_pton(AF_INET6, "2001:db8::1", &a6.sin6_addr);
    inet_pton(AF_INET6, "2001:db8::2", &b6.sin6_addr);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    for (int v6 = 0; v6 < 2; v6++) {
        struct capture *c = fresh();
        struct capture_flow *f =
            v6 ? capture_flow_new(c, (void *)&a6, (void *)&b6)
               : capture_flow_new(c, (void *)&a4, (void *)&b4);
        struct read *r;

        capture_flow_bytes(f, 1, 0, bytes, sizeof(bytes));
        capture_flow_bytes(f, 0, 0, bytes, 1);
        capture_flow_bytes(f, 0, 0, bytes, 0);
        capture_flow_end(f);
        r = look();
        assert_int_equal(r->ports[0], v6 ? 50001 : 50000);
        assert_int_equal(r->ports[1], 443);
        assert_int_equal(r->len[0], sizeof(bytes));
        assert_memory_equal(r->data[0], bytes, sizeof(bytes));
        assert_int_equal(r->len[1], 1);
        assert_int_equal(capture_close(c), 0);
    }
}

static void addresses_of_two_kinds_are_made_up(void **state)
{
    struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(50000)};
    struct sockaddr_in6 b6 = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
    struct capture *c = fresh();
    struct capture_flow *f = capture_flow_new(c, (void *)&a4, (void *)&b6);

    (void)state;
    assert_int_equal(look()->ports[0], 1024);
    capture_flow_end(f);
    assert_int_equal(capture_close(c), 0);
}

/* The end is told of, and the file ends before it. */
static void a_full_disk_is_told(void **state)
{
    struct rlimit before, small = {3000, 3000};
    struct capture *c = fresh();
    struct capture_flow *f = capture_flow_new(c, NULL, NULL);
    uint8_t bytes[8000] = {0};

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    capture_flow_bytes(f, 1, 0, bytes, sizeof(bytes));
    capture_flow_end(f);
    assert_int_equal(capture_close(c), EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
}

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/c.pcapng", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_begins_as_one),
        cmocka_unit_test(secrets_are_in_front_of_what_they_open),
        cmocka_unit_test(what_is_held_is_not_lost),
        cmocka_unit_test(much_goes_in_segments),
        cmocka_unit_test(addresses_of_two_kinds_are_made_up),
        cmocka_unit_test(a_full_disk_is_told),
    };

    return cmocka_run_group_tests_name("capture", tests, set_up, tear_down);
}
