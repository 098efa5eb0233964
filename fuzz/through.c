/* through - what "tlsock intercept" is sent by anybody: the way in, dialogues
 * that may become TLS, rules, and what a program in the middle says. */
#include "intercept_entry.h"
#include "intercept_frames.h"
#include "intercept_rules.h"
#include "intercept_watch.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int claim)
{
    if (!claim)
        abort();
}

/* A byte more at a time, as a slow client does it. */
static void come_in(const char *text, size_t len)
{
    struct entry e = {.kind = ENTRY_MORE};

    for (size_t n = 0; n <= len && e.kind == ENTRY_MORE; n++) {
        entry_look(&e, text, n);
        must(e.used <= n && e.answer_len <= sizeof(e.answer));
        must(strlen(e.host) < sizeof(e.host));
        if (e.kind == ENTRY_SAY) {
            text += e.used;
            len -= e.used;
            n = 0;
            e.kind = ENTRY_MORE;
        }
    }
    if (e.kind == ENTRY_CONNECT || e.kind == ENTRY_SOCKS ||
        e.kind == ENTRY_HTTP) {
        must(e.host[0] != '\0' && e.port > 0 && e.port < 65536);
        must(strpbrk(e.host, " \r\n/@") == NULL);
    }
    free(e.head);
}

/* Lines go to the side that their first byte names. */
static void listen_in(const char *text, size_t len)
{
    struct watch w = {.state = WATCH_ON};

    for (size_t at = 0; at + 2 < len && w.state == WATCH_ON;) {
        size_t n = (unsigned char)text[at + 1] + 1u;

        n = n < len - at - 2 ? n : len - at - 2;
        must(watch_bytes(&w, text[at] & 1, text + at + 2, n) <= n);
        must(w.client.len <= WATCH_LINE && w.server.len <= WATCH_LINE);
        at += 2 + n;
    }
}

static void hear(const char *text, size_t len)
{
    struct chan *c = calloc(3, sizeof(*c));
    struct frames f = {.kind = 0};
    size_t all = 0;

    if (c == NULL)
        return;
    (void)chan_put(&c[0], text, len);
    while (frames_take(&f, &c[0], &c[1], &c[2]) > 0) {
        all += c[1].len + c[2].len;
        c[1].len = c[2].len = 0;
    }
    must(all <= len);
    free(c);
}

static void obey(const char *text, size_t len)
{
    struct rule_facts f = {.host = "a.test", .sni = "b.test", .ja4 = "t13"};
    struct intercept_rules *r = rules_new();
    const char *why = NULL, *what;

    if (r == NULL)
        return;
    if (rules_parse(r, text, len, &why) != 0)
        must(why != NULL);
    must(rules_match(r, &f, &what) <= RULE_UNKNOWN && what != NULL);
    rules_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *text = (const char *)data + 1;

    if (len == 0)
        return 0;
    switch (data[0] % 4) {
    case 0:
        come_in(text, len - 1);
        break;
    case 1:
        listen_in(text, len - 1);
        break;
    case 2:
        hear(text, len - 1);
        break;
    default:
        obey(text, len - 1);
    }
    return 0;
}
