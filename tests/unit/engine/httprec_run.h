/* httprec_run - a conversation through the recorder, and what it tells of it
 * as text: a line "METHOD URL VERSION STATUS REASON" for each transaction, then
 * its headers behind ">" and "<" ("+" before a trailer), bodies behind ">=" and
 * "<=", "!" and what is wrong; at the end "#" and the recorder's note, or
 * "#no recorder". */
#ifndef TEST_HTTPREC_RUN_H
#define TEST_HTTPREC_RUN_H

#include "httprec.h"

#define RUN_TEXT 16384

struct said {
    int from_client;
    unsigned char *bytes;
    size_t len;
};

/* cut: every so many bytes; at: once, behind so many of the whole; 0: not. */
void run_said(const struct said *s, size_t n, const char *alpn, size_t cut,
              size_t at, char text[RUN_TEXT]);
/* In one piece, byte by byte, and cut at each position: the same text. */
void run_all(const char *claim, const struct said *s, size_t n,
             const char *alpn, const char *expect);

#endif
