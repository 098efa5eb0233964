/* intercept_seq - the message sequence of each connection, for --html: who said
 * what to whom, and when. Bounded: the newest connections, so many steps of
 * each; what is left out is counted. */
#ifndef CLI_INTERCEPT_SEQ_H
#define CLI_INTERCEPT_SEQ_H

#include "httprec.h"
#include "intercept.h"
#include "out.h"

#include <tlsock/hook.h>

#define SEQ_LINES 200 /* connections */
#define SEQ_STEPS 100 /* of each */
#define SEQ_TEXT 240

enum { SEQ_CLIENT, SEQ_US, SEQ_SERVER };
/* How a step looks: TLS, data, something to know, a fault. */
enum { SEQ_TLS, SEQ_DATA, SEQ_INFO, SEQ_BAD };

struct seq_step {
    int64_t at; /* microseconds since 1970 */
    unsigned order;
    int from, to; /* the same: a remark */
    int look;
    char text[SEQ_TEXT];
};

struct seq_line {
    struct seq_line *next; /* an older one */
    unsigned long id;
    char client[64], target[264];
    int kind; /* INTERCEPT_* of what became of it */
    int has_ended, is_http;
    int64_t begun;
    struct seq_step *steps;
    size_t n, left_out;
};

struct seq;

/* NULL: *rc is the exit code, and why has been said. */
struct seq *seq_open(const struct out *o, const char *path, int force, int *rc);
/* By any thread. */
void seq_event(struct seq *s, const struct intercept_event *e, int64_t now);
void seq_tx(struct seq *s, unsigned long id, const struct httprec_tx *tx);
/* is_client: with the client; else with the server. */
void seq_message(struct seq *s, const tlsock_event *e, int is_client,
                 int64_t now);
/* The page is complete. */
void seq_close(struct seq *s, int64_t now);

/* intercept_draw.c: the page; lines is the newest connection. */
void seq_draw(FILE *to, const struct seq_line *lines, size_t left_out,
              int64_t now);

#endif
