/* starttls - every dialogue, from either side. The first byte chooses: the
 * lower six bits the protocol, 0x40 ftp's part after the handshake, 0x80 the
 * server's side; what follows is all that the peer says. Given at once or byte
 * by byte, it ends the same way, within bounds, and with a reason. */
#include "core/err.h"
#include "starttls/table.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const protocols[] = {
    "smtp", "lmtp",     "imap",  "pop3",    "ftp",
    "ldap", "nntp",     "sieve", "xmpp",    "xmpp-server",
    "irc",  "postgres", "mysql", "mariadb", "http"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define OUT_MOST 262144

static void must(int claim)
{
    if (!claim)
        abort();
}

static void check(int rc, const tlsock_error *err, const struct tsk_talk *t)
{
    must(rc <= 0);
    must(t->out.len <= OUT_MOST);
    must(t->bytes <= TSK_TALK_MOST + TSK_TALK_LINE || rc < TLSOCK_AGAIN);
    if (rc >= TLSOCK_AGAIN) {
        must(err->code == 0);
        return;
    }
    must(err->code == rc && err->phase == TLSOCK_PHASE_STARTTLS);
    must(err->message[0] != '\0' && err->hint[0] != '\0');
}

/* The code; *left: bytes that the dialogue did not take, *said: that it sent */
static int converse(uint8_t how, const uint8_t *p, size_t len, size_t piece,
                    size_t *left, size_t *said)
{
    const char *protocol = protocols[(how & 0x3f) % COUNT(protocols)];
    int after = (how & 0x40) != 0 && strcmp(protocol, "ftp") == 0;
    struct tsk_buf in = {0};
    struct tsk_talk t = {.in = &in};
    tlsock_error err = {0};
    struct tsk_starttls *d = tsk_starttls_new(
        protocol, after ? (how & 1) == 0 ? "P" : "ccc" : NULL, "h.test",
        (how & 0x80) != 0, after ? TSK_STARTTLS_AFTER : TSK_STARTTLS_BEFORE,
        &err);
    size_t at = 0;
    int rc;

    must(d != NULL);
    rc = tsk_starttls_step(d, &t, &err);
    check(rc, &err, &t);
    while (rc == TLSOCK_AGAIN && !t.ended) {
        size_t n = len - at < piece ? len - at : piece;

        must(tsk_buf_add(&in, p + at, n) == 0);
        at += n;
        t.ended = n == 0;
        rc = tsk_starttls_step(d, &t, &err);
        check(rc, &err, &t);
    }
    must(rc != TLSOCK_AGAIN); /* the peer has ended */
    *left = in.len + (len - at);
    *said = t.out.len;
    tsk_starttls_free(d);
    tsk_talk_free(&t);
    tsk_buf_free(&in);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t left[2], said[2];
    int whole, slow;

    if (size < 1)
        return 0;
    whole = converse(data[0], data + 1, size - 1, size, &left[0], &said[0]);
    slow = converse(data[0], data + 1, size - 1, 1, &left[1], &said[1]);
    /* an SSH banner is known when more than its first byte is there */
    if (size > 4 && memcmp(data + 1, "SSH-", 4) == 0)
        return 0;
    must((whole == TLSOCK_OK) == (slow == TLSOCK_OK));
    if (whole == TLSOCK_OK)
        must(left[0] == left[1] && said[0] == said[1]);
    return 0;
}
