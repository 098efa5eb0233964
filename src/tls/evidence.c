#include "tls/evidence.h"

#include "core/mem.h"
#include "tls/ctx_private.h"
#include "tls/hello.h"
#include "tls/op.h"
#include "tls/prints.h"
#include "tls/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int watched(const tlsock *s, int kind)
{
    return s->set->on[kind].call != NULL;
}

static int prints(const tlsock *s)
{
    return tsk_ctx_settings(s->ctx)->prints;
}

/* All of its messages are of interest, not only the first one. */
static int shown(const tlsock *s)
{
    return watched(s, TLSOCK_ON_MESSAGE) || prints(s) || tsk_trace_wanted(s);
}

/* The first refusal counts: what follows is its consequence. 0, or -1 */
static int tell(tlsock *s, tlsock_event *e)
{
    int rc;

    e->size = sizeof(*e);
    e->conn = s;
    e->fd = -1;
    rc = tsk_op_call(&s->set->on[e->kind], e);
    if (rc == 0)
        return 0;
    if (s->refusal.kind == 0) {
        s->refusal.kind = e->kind;
        s->refusal.code = rc;
    }
    s->io.stop = 1;
    return -1;
}

static int is_message(int version, int type)
{
    return type == SSL3_RT_HANDSHAKE || type == SSL3_RT_ALERT ||
           type == SSL3_RT_CHANGE_CIPHER_SPEC ||
           (type == 0 && version == SSL2_VERSION);
}

static int is_change(int sent, int type, const unsigned char *p, size_t len)
{
    return !sent && type == SSL3_RT_HEADER && len != 0 &&
           p[0] == SSL3_RT_CHANGE_CIPHER_SPEC;
}

/* Some releases tell of one that came by itself as well, behind its header. */
static int is_told(tlsock *s, int sent, int type)
{
    int told = !sent && type == SSL3_RT_CHANGE_CIPHER_SPEC && s->change_told;

    s->change_told &= !told;
    return told;
}

/* libssl tells of the headers of records, too: these are no messages. But what
 * of ChangeCipherSpec comes may have nothing else to be seen by. */
static void message(int sent, int version, int type, const void *bytes,
                    size_t len, SSL *ssl, void *arg)
{
    tlsock *s = tsk_conn_of(ssl);
    tlsock_event e = {.kind = TLSOCK_ON_MESSAGE,
                      .data = bytes,
                      .len = len,
                      .sent = sent,
                      .version = version,
                      .type = type != 0 ? type : SSL3_RT_HANDSHAKE};

    (void)arg;
    if (is_change(sent, type, bytes, len)) {
        e.data = "\1"; /* RFC 5246, 7.1: there is no other */
        e.len = 1;
        e.version = SSL_version(ssl);
        e.type = SSL3_RT_CHANGE_CIPHER_SPEC;
        s->change_told = 1;
    } else if (!is_message(version, type) || is_told(s, sent, type)) {
        return;
    }
    if (!sent && type == SSL3_RT_HANDSHAKE && watched(s, TLSOCK_ON_HELLO))
        tsk_hello_seen(s, bytes, len);
    if (type == SSL3_RT_HANDSHAKE && prints(s))
        tsk_prints_seen(s, bytes, len);
    if (tsk_trace_wanted(s)) {
        e.conn = s;
        tsk_trace_log(&e);
    }
    if (watched(s, TLSOCK_ON_MESSAGE))
        (void)tell(s, &e);
}

static int wire(void *arg, int sent, const void *bytes, size_t len)
{
    tlsock_event e = {.kind = TLSOCK_ON_WIRE,
                      .data = bytes,
                      .len = len,
                      .sent = sent,
                      .version = 0};

    return tell(arg, &e);
}

int tsk_evidence_wants_dialogue(const tlsock *s)
{
    return watched(s, TLSOCK_ON_DIALOGUE) || tsk_trace_wanted(s);
}

void tsk_evidence_dialogue(tlsock *s, int sent, const void *bytes, size_t len)
{
    tlsock_event e = {.kind = TLSOCK_ON_DIALOGUE,
                      .conn = s,
                      .data = bytes,
                      .len = len,
                      .sent = sent,
                      .server = s->server};

    if (tsk_trace_wanted(s))
        tsk_trace_log(&e);
    if (!watched(s, TLSOCK_ON_DIALOGUE))
        return;
    s->in_dialogue = 1;
    (void)tell(s, &e);
}

/* sent: nothing follows it */
static void dialogue_over(tlsock *s, int sent)
{
    tlsock_event e = {
        .kind = TLSOCK_ON_DIALOGUE, .sent = sent, .server = s->server};

    if (!s->in_dialogue)
        return;
    s->in_dialogue = 0;
    (void)tell(s, &e);
}

void tsk_evidence_start(tlsock *s)
{
    struct tsk_bio *io = &s->io;

    dialogue_over(s, 0);
    if (shown(s) || (s->server && watched(s, TLSOCK_ON_HELLO)))
        SSL_set_msg_callback(s->ssl, message);
    if (!watched(s, TLSOCK_ON_WIRE))
        return;
    io->tap = wire;
    io->tap_arg = s;
    io->untapped = io->out.len; /* plaintext that has not left yet */
    if (io->in.len != 0)        /* came before its time: libssl judges it */
        (void)wire(s, 0, tsk_buf_at(&io->in), io->in.len);
}

void tsk_evidence_told(tlsock *s)
{
    if (!shown(s))
        SSL_set_msg_callback(s->ssl, NULL);
}

void tsk_evidence_end(tlsock *s)
{
    if (!tsk_conn_foreign(s))
        dialogue_over(s, 1);
    if (s->io.tap == NULL)
        return;
    s->io.tap = NULL;
    if (!tsk_conn_foreign(s)) /* it goes on elsewhere */
        (void)wire(s, 1, NULL, 0);
}

int tsk_evidence_refused(tlsock *s)
{
    if (s->refusal.kind == 0)
        return TLSOCK_OK;
    return tsk_op_judge(s->refusal.kind, s->refusal.code, tsk_err(s));
}

/* One write for each line: connections and processes share the file. */
static void to_file(int fd, const char *line)
{
    size_t len = strlen(line);
    char text[512];

    if (len + 1 >= sizeof(text))
        return;
    memcpy(text, line, len);
    text[len] = '\n';
    if (write(fd, text, len + 1) < 0) {
        /* evidence for a debugger: nothing depends on it */
    }
    tsk_wipe(text, sizeof(text));
}

/* libssl wipes the line. Who has the SSL_CTX may make connections that are
 * none of ours. */
static void keylog(const SSL *ssl, const char *line)
{
    tlsock *s = tsk_conn_of(ssl);
    tlsock_event e = {.kind = TLSOCK_ON_KEYLOG, .text = line};

    if (s == NULL)
        return;
    if (s->ctx->keylog_fd >= 0)
        to_file(s->ctx->keylog_fd, line);
    if (watched(s, TLSOCK_ON_KEYLOG))
        (void)tell(s, &e);
}

/* "env:SSLKEYLOGFILE": whoever starts the program names the file, or none; not
 * if that would be with rights that he has not. */
static const char *keylog_path(const char *keylog)
{
    const char *path = keylog;

    if (strncmp(keylog, "env:", 4) == 0)
        path = secure_getenv(keylog + 4);
    return path != NULL && path[0] != '\0' ? path : NULL;
}

static int open_keylog(struct tsk_ctx *c, tlsock_error *err)
{
    const char *path = keylog_path(c->set->keylog);

    if (path == NULL)
        return TLSOCK_OK;
    c->keylog_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (c->keylog_fd >= 0)
        return TLSOCK_OK;
    tsk_fail_sys(err, TLSOCK_E_OWN_FILE, errno, "keylog file %s", path);
    tsk_hint(err, "name a file that this process may write");
    return TLSOCK_E_OWN_FILE;
}

int tsk_evidence_setup(struct tsk_ctx *c, tlsock_error *err)
{
    int rc = TLSOCK_OK;

    if (c->set->keylog == NULL && c->set->on[TLSOCK_ON_KEYLOG].call == NULL)
        return TLSOCK_OK;
    if (c->set->keylog != NULL)
        rc = open_keylog(c, err);
    if (rc == TLSOCK_OK &&
        (c->keylog_fd >= 0 || c->set->on[TLSOCK_ON_KEYLOG].call != NULL))
        SSL_CTX_set_keylog_callback(c->ssl, keylog);
    return rc;
}
