#include "peer.h"

#include <sys/socket.h>

static size_t least(size_t a, size_t limit)
{
    return limit != 0 && limit < a ? limit : a;
}

static void grow(struct test_pipe *pipe, size_t n)
{
    size_t room = pipe->room == 0 ? 4096 : pipe->room;

    while (room < pipe->len + n)
        room *= 2;
    if (room == pipe->room)
        return;
    pipe->data = realloc(pipe->data, room);
    assert_non_null(pipe->data);
    pipe->room = room;
}

void pipe_inject(struct test_pipe *pipe, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    grow(pipe, len);
    memcpy(pipe->data + pipe->len, bytes, len);
    pipe->len += len;
}

ssize_t pipe_write(struct test_pipe *pipe, const void *bytes, size_t len)
{
    size_t n = least(len, pipe->max_write);

    pipe->writes++;
    if (pipe->writes == pipe->fail_write_at)
        return TLSOCK_E_RESET;
    if (pipe->ended)
        return TLSOCK_E_RESET;
    if (pipe->capacity != 0) {
        size_t free_bytes = pipe->capacity - (pipe->len - pipe->taken);

        if (free_bytes == 0)
            return TLSOCK_AGAIN;
        n = least(n, free_bytes);
    }
    pipe_inject(pipe, bytes, n);
    pipe->sends++;
    if (pipe->cut_after != 0 && pipe->len >= pipe->cut_after) {
        pipe->len = pipe->cut_after;
        pipe->ended = 1;
    }
    return (ssize_t)n;
}

ssize_t pipe_read(struct test_pipe *pipe, void *bytes, size_t len)
{
    size_t n = least(pipe->len - pipe->taken, len);

    pipe->reads++;
    if (pipe->reads == pipe->fail_read_at)
        return TLSOCK_E_RESET;
    if (pipe->len == pipe->taken)
        return pipe->ended ? 0 : TLSOCK_AGAIN;
    n = least(n, pipe->max_read);
    memcpy(bytes, pipe->data + pipe->taken, n);
    pipe->taken += n;
    pipe->recvs++;
    return (ssize_t)n;
}

static ssize_t end_read(void *arg, void *buf, size_t len)
{
    return pipe_read(((struct peer_end *)arg)->in, buf, len);
}

static ssize_t end_write(void *arg, const void *buf, size_t len)
{
    return pipe_write(((struct peer_end *)arg)->out, buf, len);
}

static void end_close(void *arg)
{
    struct peer_end *end = arg;

    end->closes++;
    end->out->ended = 1;
}

const tlsock_io peer_io = {
    .size = sizeof(tlsock_io),
    .read = end_read,
    .write = end_write,
    .close = end_close,
};

void peer_init(struct peer *p)
{
    memset(p, 0, sizeof(*p));
    for (int side = CLIENT; side <= SERVER; side++) {
        p->ends[side].out = &p->pipes[side];
        p->ends[side].in = &p->pipes[!side];
        p->rc[side] = TLSOCK_AGAIN;
    }
}

void peer_free(struct peer *p)
{
    for (int side = CLIENT; side <= SERVER; side++) {
        tlsock_abandon(p->conn[side]);
        p->conn[side] = NULL;
    }
    for (int side = CLIENT; side <= SERVER; side++)
        free(p->pipes[side].data);
    memset(p->pipes, 0, sizeof(p->pipes));
}

int peer_open_opts(struct peer *p, tlsock_config *client,
                   const tlsock_opts *copts, tlsock_config *server,
                   const tlsock_opts *sopts, const char *name)
{
    p->conn[CLIENT] = tlsock_client_io(&peer_io, &p->ends[CLIENT], name,
                                       client, copts, &p->err[CLIENT]);
    if (p->conn[CLIENT] == NULL)
        return p->err[CLIENT].code;
    if (server == NULL)
        return 0;
    p->conn[SERVER] = tlsock_server_io(&peer_io, &p->ends[SERVER], server,
                                       sopts, &p->err[SERVER]);
    return p->conn[SERVER] == NULL ? p->err[SERVER].code : 0;
}

int peer_open(struct peer *p, tlsock_config *client, tlsock_config *server,
              const char *name)
{
    return peer_open_opts(p, client, TLSOCK_OPTS(.nonblocking = 1), server,
                          TLSOCK_OPTS(.nonblocking = 1), name);
}

int peer_step(struct peer *p, enum peer_side side)
{
    if (p->conn[side] == NULL || p->rc[side] != TLSOCK_AGAIN)
        return p->rc[side];
    p->rc[side] = tlsock_handshake(p->conn[side]);
    if (p->rc[side] < 0 && p->rc[side] != TLSOCK_AGAIN) {
        p->err[side] = *tlsock_last_error(p->conn[side]);
        p->pipes[side].ended = 1;
    }
    return p->rc[side];
}

static size_t traffic(const struct peer *p)
{
    return p->pipes[0].len + p->pipes[1].len + p->pipes[0].taken +
           p->pipes[1].taken;
}

int peer_shake(struct peer *p)
{
    int idle = 0;

    while (idle < 3 &&
           (p->rc[CLIENT] == TLSOCK_AGAIN || p->rc[SERVER] == TLSOCK_AGAIN)) {
        size_t before = traffic(p);

        peer_step(p, CLIENT);
        peer_step(p, SERVER);
        idle = traffic(p) == before ? idle + 1 : 0;
    }
    return p->rc[CLIENT] != 0 ? p->rc[CLIENT] : p->rc[SERVER];
}

static void show(const char *who, const tlsock_error *err)
{
    char text[2048];

    if (err->code != 0 &&
        tlsock_error_format(err, TLSOCK_ERROR_FULL, text, sizeof(text)) > 0)
        print_error("%s: %s\n", who, text);
}

void peer_connect(struct peer *p, tlsock_config *client, tlsock_config *server,
                  const char *name)
{
    int rc = peer_open(p, client, server, name);

    if (rc == 0)
        rc = peer_shake(p);
    if (rc != 0) {
        show("client", &p->err[CLIENT]);
        show("server", &p->err[SERVER]);
    }
    assert_code(rc, TLSOCK_OK);
}

void peer_pump(struct peer *p, enum peer_side from, const uint8_t *msg,
               size_t len, uint8_t *got)
{
    size_t sent = 0, have = 0;
    int idle = 0;

    while (have < len && idle < 3) {
        size_t before = have + sent + traffic(p);
        ssize_t n;

        n = tlsock_write(p->conn[from], msg + sent, len - sent);
        if (n != TLSOCK_AGAIN) {
            assert_true(n >= 0);
            sent += (size_t)n;
        }
        if (sent == len) {
            int rc = tlsock_flush(p->conn[from]);

            assert_true(rc == 0 || rc == TLSOCK_AGAIN);
        }
        n = tlsock_read(p->conn[!from], got + have, len - have);
        if (n != TLSOCK_AGAIN) {
            assert_true(n > 0);
            have += (size_t)n;
        }
        idle = have + sent + traffic(p) == before ? idle + 1 : 0;
    }
    assert_int_equal(sent, len);
    assert_int_equal(have, len);
    assert_memory_equal(got, msg, len);
}

void peer_say(struct peer *p, enum peer_side from, const void *msg, size_t len)
{
    uint8_t *got = malloc(len + 1);

    assert_non_null(got);
    peer_pump(p, from, msg, len, got);
    free(got);
}

void peer_pingpong(struct peer *p)
{
    peer_say(p, CLIENT, "ping", 4);
    peer_say(p, SERVER, "pong", 4);
}

void peer_close(struct peer *p)
{
    char byte;

    assert_code(tlsock_shutdown(p->conn[CLIENT], SHUT_WR), TLSOCK_OK);
    assert_int_equal(tlsock_read(p->conn[SERVER], &byte, 1), 0);
    assert_code(tlsock_close(p->conn[SERVER]), TLSOCK_OK);
    p->conn[SERVER] = NULL;
    assert_int_equal(tlsock_read(p->conn[CLIENT], &byte, 1), 0);
    assert_code(tlsock_close(p->conn[CLIENT]), TLSOCK_OK);
    p->conn[CLIENT] = NULL;
}

size_t pipe_records(const struct test_pipe *pipe, size_t from, int type)
{
    size_t n = 0;

    while (from + 5 <= pipe->len) {
        const uint8_t *head = pipe->data + from;

        if (type == 0 || head[0] == type)
            n++;
        from += 5 + ((size_t)head[3] << 8 | head[4]);
    }
    return n;
}
