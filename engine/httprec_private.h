/* httprec_private - the recorder as the files httprec_*.c share it.
 *
 * httprec.c finds the protocol, httprec_tx.c keeps one transaction, _h1.c and
 * _h2.c read the two versions. */
#ifndef ENGINE_HTTPREC_PRIVATE_H
#define ENGINE_HTTPREC_PRIVATE_H

#include "httprec.h"

#define CLIENT 1
#define SERVER 0
#define PENDING_MOST 262144 /* of one direction, until the other goes on */

struct httprec_h1;
struct httprec_h2;

struct pending {
    unsigned char *buf;
    size_t len, room;
};

enum { REC_UNKNOWN, REC_H1, REC_H2, REC_OFF };

struct httprec {
    struct httprec_opts o;
    char *scheme, *host;
    int is_h2; /* by ALPN */
    int state, was;
    const char *note;
    int64_t now;
    size_t held, n_live;
    struct httprec_tx *live; /* the newest first */
    struct pending pending[2];
    struct httprec_h1 *h1;
    struct httprec_h2 *h2;
};

/* Nothing is recorded from now on; why is a text of ours. */
void rec_stop(struct httprec *r, const char *why);

/* tx.c; NULL or -1: no memory, or too many, and recording has stopped */
struct httprec_tx *tx_new(struct httprec *r);
int tx_set(struct httprec *r, char **to, const void *text, size_t len);
int tx_header(struct httprec *r, struct httprec_part *p, const void *name,
              size_t name_len, const void *value, size_t value_len,
              int is_trailer);
void tx_body(struct httprec *r, struct httprec_part *p, const void *bytes,
             size_t len);
/* Told and gone. note NULL: it is whole. */
void tx_done(struct httprec *r, struct httprec_tx *tx, const char *note);
void tx_drop(struct httprec *r, struct httprec_tx *tx);

int h1_start(struct httprec *r);
/* Takes what it can; what it leaves waits for the other direction. */
size_t h1_data(struct httprec *r, int from, const unsigned char *p, size_t len);
void h1_close(struct httprec *r);
void h1_free(struct httprec *r);

int h2_start(struct httprec *r);
void h2_data(struct httprec *r, int from, const unsigned char *p, size_t len);
void h2_free(struct httprec *r);

#endif
