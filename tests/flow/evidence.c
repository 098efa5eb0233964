/* What hooks of MESSAGE, KEYLOG and WIRE are told of connections, and that
 * they can end them. */
#include "ca.h"
#include "pair.h"
#include "raw.h"
#include "sock.h"

#include "tls/conn.h"

/* Names of messages in their order, ">" sent and "<" received. */
struct seen {
    char text[1024], keys[2048], last[1024];
    uint8_t in[65536], out[65536];
    size_t n_in, n_out, n_keys;
    int ended, over, version, hello_at, wire_at, calls;
    int refuse_type, refuse_first, answer; /* of MESSAGE: which; what it says */
};

static const char *name_of(int type, const uint8_t *p)
{
    static const char *const names[256] = {
        [1] = "CH",   [2] = "SH",  [4] = "NST",  [8] = "EE",  [11] = "CERT",
        [12] = "SKE", [13] = "CR", [14] = "SHD", [15] = "CV", [16] = "CKE",
        [20] = "FIN", [22] = "ST", [24] = "KU"};
    static char text[32];

    if (type == 20)
        return "CCS";
    if (type == 21) {
        snprintf(text, sizeof(text), "A%d.%d", p[0], p[1]);
        return text;
    }
    /* RFC 8879: the same in fewer bytes, if both sides can */
    if (p[0] == 25 && tlsock_has("cert-compression"))
        return "CERT";
    return names[p[0]] != NULL ? names[p[0]] : "?";
}

static int messages(const tlsock_event *e, void *arg)
{
    struct seen *w = arg;
    const uint8_t *p = e->data;
    const uint8_t refused = (uint8_t)w->refuse_first;
    size_t at = strlen(w->text);

    assert_true(e->size >= sizeof(*e));
    assert_true(e->kind == TLSOCK_ON_MESSAGE && e->len > 0);
    assert_non_null(e->conn);
    assert_null(e->op);
    assert_true(e->type >= 20 && e->type <= 22);
    if (e->type == 22)
        assert_int_equal(e->len,
                         4 + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]));
    else
        assert_int_equal(e->len, e->type == 21 ? 2 : 1);
    snprintf(w->text + at, sizeof(w->text) - at, "%s%s%s", at != 0 ? " " : "",
             e->sent ? ">" : "<", name_of(e->type, p));
    w->version = e->version;
    if (w->hello_at == 0)
        w->hello_at = ++w->calls;
    return e->type == w->refuse_type &&
                   (e->type != 22 ||
                    strcmp(name_of(22, p), name_of(22, &refused)) == 0)
               ? w->answer
               : 0;
}

static int keys(const tlsock_event *e, void *arg)
{
    struct seen *w = arg;
    const char *space = strchr(e->text, ' ');
    size_t at = strlen(w->keys);

    assert_non_null(e->conn);
    assert_null(strchr(e->text, '\n'));
    assert_non_null(space);
    snprintf(w->keys + at, sizeof(w->keys) - at, "%s%.*s", at != 0 ? " " : "",
             (int)(space - e->text), e->text);
    snprintf(w->last, sizeof(w->last), "%s", e->text);
    w->n_keys++;
    return w->refuse_type == -TLSOCK_ON_KEYLOG ? w->answer : 0;
}

static void gather(uint8_t *to, size_t *at, const tlsock_event *e)
{
    assert_true(*at + e->len <= sizeof(((struct seen *)0)->in));
    if (e->len != 0)
        memcpy(to + *at, e->data, e->len);
    *at += e->len;
}

static int wires(const tlsock_event *e, void *arg)
{
    struct seen *w = arg;

    assert_non_null(e->conn);
    assert_int_equal(w->over, 0); /* that is the last one */
    assert_int_equal(e->data == NULL, e->len == 0);
    if (w->wire_at == 0)
        w->wire_at = ++w->calls;
    if (e->data == NULL && e->sent)
        w->over = 1;
    else if (e->data == NULL)
        w->ended++;
    else if (e->sent)
        gather(w->out, &w->n_out, e);
    else
        gather(w->in, &w->n_in, e);
    return w->refuse_type == -TLSOCK_ON_WIRE ? w->answer : 0;
}

static void watch(tlsock_config *c, struct seen *w)
{
    memset(w, 0, sizeof(*w));
    assert_code(tlsock_config_on(c, TLSOCK_ON_MESSAGE, messages, w), 0);
    assert_code(tlsock_config_on(c, TLSOCK_ON_KEYLOG, keys, w), 0);
    assert_code(tlsock_config_on(c, TLSOCK_ON_WIRE, wires, w), 0);
}

static struct seen client, server; /* too large for a stack */

static void again(struct seen *w)
{
    memset(w, 0, sizeof(*w));
}

static void reads_as(const struct seen *w, const char *want)
{
    if (strcmp(w->text, want) != 0)
        fail_msg("\"%s\" in place of \"%s\"", w->text, want);
}

/* What one side sent the other one received, and nothing is left out. */
static void fits(const struct peer *p)
{
    assert_int_equal(client.n_out, p->pipes[CLIENT].len);
    assert_memory_equal(client.out, p->pipes[CLIENT].data, client.n_out);
    assert_int_equal(server.n_out, p->pipes[SERVER].len);
    assert_memory_equal(server.out, p->pipes[SERVER].data, server.n_out);
    assert_int_equal(server.n_in, client.n_out);
    assert_memory_equal(server.in, client.out, client.n_out);
    assert_int_equal(client.n_in, server.n_out);
    assert_memory_equal(client.in, server.out, server.n_out);
}

static const struct {
    const char *max, *client, *server, *again_client, *again_server;
    size_t keys;
    int version;
} rows[] = {
    {"1.2", ">CH <SH <CERT <SKE <SHD >CKE >CCS >FIN <NST <CCS <FIN >A1.0 <A1.0",
     "<CH >SH >CERT >SKE >SHD <CKE <CCS <FIN >NST >CCS >FIN <A1.0 >A1.0",
     ">CH <SH <CCS <FIN >CCS >FIN >A1.0 <A1.0",
     "<CH >SH >CCS >FIN <CCS <FIN <A1.0 >A1.0", 1, 0x0303},
    {"1.3", ">CH <SH <CCS <EE <CERT <CV <FIN >CCS >FIN <NST >A1.0 <A1.0",
     "<CH >SH >CCS >EE >CERT >CV >FIN <CCS <FIN >NST <A1.0 >A1.0",
     ">CH <SH <CCS <EE <FIN >CCS >FIN <NST >A1.0 <A1.0",
     "<CH >SH >CCS >EE >FIN <CCS <FIN >NST <A1.0 >A1.0", 5, 0x0304},
};

/* One of TLS 1.2, five of TLS 1.3, in whatever order. */
static void has_secrets(const struct seen *w, size_t n)
{
    static const char *const names[] = {"CLIENT_RANDOM",
                                        "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                                        "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                                        "CLIENT_TRAFFIC_SECRET_0",
                                        "SERVER_TRAFFIC_SECRET_0",
                                        "EXPORTER_SECRET"};

    assert_int_equal(w->n_keys, n);
    for (size_t i = n == 1 ? 0 : 1; i < (n == 1 ? 1 : COUNT(names)); i++)
        assert_tells(w->keys, names[i]);
}

/* Full first, then resumed; a clean end both times. */
static void each_message_is_told_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client("tls.max", rows[i].max, NULL);
        tlsock_config *sc = ca_server(ca_get()->a, NULL);

        watch(cc, &client);
        watch(sc, &server);
        for (int resumed = 0; resumed < 2; resumed++) {
            struct peer p;

            again(&client);
            again(&server);
            peer_init(&p);
            peer_connect(&p, cc, sc, "a.test");
            peer_pingpong(&p);
            assert_int_equal(
                tlsock_info_int(p.conn[CLIENT], TLSOCK_INFO_RESUMED), resumed);
            assert_int_equal(tlsock_shutdown(p.conn[CLIENT], 1), 0);
            peer_close(&p);
            reads_as(&client, resumed ? rows[i].again_client : rows[i].client);
            reads_as(&server, resumed ? rows[i].again_server : rows[i].server);
            assert_int_equal(client.version, rows[i].version);
            assert_int_equal(server.version, rows[i].version);
            has_secrets(&client, rows[i].keys);
            has_secrets(&server, rows[i].keys);
            assert_string_equal(client.last, server.last);
            assert_int_equal(client.over, 1);
            assert_int_equal(server.over, 1);
            fits(&p);
            peer_free(&p);
        }
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static int hello(const tlsock_event *e, void *arg)
{
    (void)e;
    *(int *)arg = ++server.calls;
    return 0;
}

/* Bytes, the message that they are, what is made of it. */
static void a_servers_wire_comes_before_its_hello(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;
    int at = 0;

    (void)state;
    watch(sc, &server);
    assert_code(tlsock_config_on(sc, TLSOCK_ON_HELLO, hello, &at), 0);
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    assert_int_equal(server.wire_at, 1);
    assert_int_equal(server.hello_at, 2);
    assert_int_equal(at, 3);
    assert_tells(server.text, ">FIN <CCS <FIN"); /* it goes on after HELLO */
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_second_hello_is_told(void **state)
{
    tlsock_config *cc = ca_client("groups", "P-256:P-384", NULL);
    tlsock_config *sc = ca_server(ca_get()->a, "groups", "P-384", NULL);
    struct peer p;

    (void)state;
    watch(cc, &client);
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    assert_tells(client.text, ">CH <SH >CCS >CH <CCS <SH <EE <CERT");
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void alerts_are_told_with_their_direction(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;

    (void)state;
    watch(cc, &client);
    watch(sc, &server);
    peer_init(&p);
    assert_int_equal(peer_open(&p, cc, sc, "b.test"), 0);
    assert_code(peer_shake(&p), TLSOCK_E_NAME_MISMATCH);
    assert_string_equal(client.text, ">CH <SH <CCS <EE <CERT >A2.42");
    assert_tells(server.text, "<A2.42");
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void new_keys_are_told_of(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;
    SSL *ssl;

    (void)state;
    watch(cc, &client);
    watch(sc, &server);
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    peer_pingpong(&p);
    ssl = p.conn[CLIENT]->ssl;
    assert_int_equal(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    peer_pingpong(&p);
    assert_tells(client.text, " >KU <KU");
    assert_tells(server.text, " <KU >KU");
    fits(&p);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* The end below TLS is told once, and the end of TLS after it. */
static void a_cut_stream_has_an_end(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;
    char byte;

    (void)state;
    watch(sc, &server);
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    peer_pingpong(&p);
    p.pipes[CLIENT].ended = 1;
    assert_code(tlsock_read(p.conn[SERVER], &byte, 1), TLSOCK_E_TRUNCATED);
    assert_int_equal(server.ended, 1);
    assert_int_equal(server.over, 0);
    peer_free(&p);
    assert_int_equal(server.ended, 1);
    assert_int_equal(server.over, 1);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* PLAIN -> TLS -> PLAIN: only what is in the middle is TLS's. */
static void plaintext_is_no_part_of_it(void **state)
{
    const tlsock_opts *o = TLSOCK_OPTS(.nonblocking = 1, .plain = 1);
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;
    int c, s;

    (void)state;
    watch(cc, &client);
    watch(sc, &server);
    peer_init(&p);
    assert_code(peer_open_opts(&p, cc, o, sc, o, "a.test"), TLSOCK_OK);
    peer_say(&p, CLIENT, "STARTTLS\r\n", 10);
    peer_say(&p, SERVER, "OK\r\n", 4);
    c = tlsock_start_tls(p.conn[CLIENT], NULL);
    s = tlsock_start_tls(p.conn[SERVER], NULL);
    assert_true(c == TLSOCK_AGAIN && s == TLSOCK_AGAIN);
    assert_int_equal(peer_shake(&p), 0);
    peer_pingpong(&p);
    assert_int_equal(client.n_out, p.pipes[CLIENT].len - 10);
    assert_memory_equal(client.out, p.pipes[CLIENT].data + 10, client.n_out);
    assert_int_equal(client.n_in, p.pipes[SERVER].len - 4);
    c = s = TLSOCK_AGAIN;
    for (int i = 0; i < 8 && (c != 0 || s != 0); i++) {
        c = c != 0 ? tlsock_stop_tls(p.conn[CLIENT]) : 0;
        s = s != 0 ? tlsock_stop_tls(p.conn[SERVER]) : 0;
    }
    assert_true(c == 0 && s == 0);
    assert_int_equal(client.over, 1);
    assert_int_equal(server.over, 1);
    peer_say(&p, CLIENT, "plain again", 11); /* wires() asserts it is over */
    assert_memory_equal(client.in, p.pipes[SERVER].data + 4, client.n_in);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static const struct refusal {
    const char *what;
    int type, first, answer, code;
    const char *hint;
} refusals[] = {
    {"a message received", 22, 2, TLSOCK_E_HOOK, TLSOCK_E_HOOK, "MESSAGE"},
    {"by another code", 22, 11, TLSOCK_E_WEAK, TLSOCK_E_WEAK, "MESSAGE"},
    {"a message sent", 22, 1, TLSOCK_E_HOOK, TLSOCK_E_HOOK, "MESSAGE"},
    {"nonsense", 22, 2, 7, TLSOCK_E_HOOK, "negative"},
    {"later", 22, 2, TLSOCK_AGAIN, TLSOCK_E_HOOK, "negative"},
    {"the last message", 22, 20, TLSOCK_E_HOOK, TLSOCK_E_HOOK, "MESSAGE"},
    {"a secret", -TLSOCK_ON_KEYLOG, 0, TLSOCK_E_HOOK, TLSOCK_E_HOOK, "KEYLOG"},
    {"bytes", -TLSOCK_ON_WIRE, 0, TLSOCK_E_HOOK, TLSOCK_E_HOOK, "WIRE"},
};

/* By either side, in both versions. */
static void refused_by(const struct refusal *row, int side, const char *max)
{
    tlsock_config *cc = ca_client("tls.max", max, NULL);
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    struct seen *w = side == CLIENT ? &client : &server;
    struct peer p;

    watch(side == CLIENT ? cc : sc, w);
    w->refuse_type = row->type;
    w->refuse_first = row->first;
    w->answer = row->answer;
    peer_init(&p);
    assert_int_equal(peer_open(&p, cc, sc, "a.test"), 0);
    if (peer_shake(&p) == 0 || p.rc[side] != row->code)
        fail_msg("%s, %s by %d: %d", row->what, max, side, p.rc[side]);
    assert_tells(p.err[side].hint, row->hint);
    assert_int_equal(p.err[side].phase, TLSOCK_PHASE_HANDSHAKE);
    assert_code(tlsock_write(p.conn[side], "x", 1), row->code);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_refusal_ends_the_connection(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++)
        for (int v = 0; v < 2; v++)
            for (int side = 0; side < 2; side++)
                refused_by(&refusals[i], side, v == 0 ? "1.2" : "1.3");
}

/* Data that came with it is still there; nothing is read or sent after it. */
static void a_refusal_after_the_handshake_ends_it_too(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;
    char byte;

    (void)state;
    watch(cc, &client);
    client.refuse_type = 22;
    client.refuse_first = 4;
    client.answer = TLSOCK_E_HOOK;
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    assert_int_equal(tlsock_write(p.conn[SERVER], "x", 1), 1);
    assert_int_equal(tlsock_flush(p.conn[SERVER]), 0);
    if (tlsock_read(p.conn[CLIENT], &byte, 1) == 1)
        assert_int_equal(byte, 'x');
    assert_code(tlsock_read(p.conn[CLIENT], &byte, 1), TLSOCK_E_HOOK);
    assert_code(tlsock_write(p.conn[CLIENT], "x", 1), TLSOCK_E_HOOK);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* Who asks for nothing pays for nothing. */
static void without_a_hook_nobody_looks(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;

    (void)state;
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    for (int side = 0; side < 2; side++) {
        const tlsock *s = p.conn[side];

        assert_null(s->io.tap);
        assert_null(SSL_CTX_get_keylog_callback(SSL_get_SSL_CTX(s->ssl)));
    }
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_message_is_told_in_order),
        cmocka_unit_test(a_servers_wire_comes_before_its_hello),
        cmocka_unit_test(a_second_hello_is_told),
        cmocka_unit_test(alerts_are_told_with_their_direction),
        cmocka_unit_test(new_keys_are_told_of),
        cmocka_unit_test(a_cut_stream_has_an_end),
        cmocka_unit_test(plaintext_is_no_part_of_it),
        cmocka_unit_test(a_refusal_ends_the_connection),
        cmocka_unit_test(a_refusal_after_the_handshake_ends_it_too),
        cmocka_unit_test(without_a_hook_nobody_looks),
    };

    return cmocka_run_group_tests_name("evidence", tests, ca_setup,
                                       ca_teardown);
}
