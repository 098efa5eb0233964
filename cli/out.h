/* out - how results reach a person (text, colour) or a program (JSON).
 *
 * Knows terminals and jansson; knows nothing of TLS. Every text that may have
 * come from the network or from an argument passes through out_clean(). */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

struct out {
    int json;    /* one object per result on stdout */
    int quiet;   /* errors only */
    int verbose; /* OpenSSL's codes, one line per connection */
    int color;   /* -1 auto, 0 never, 1 always */
};

#define OUT_RED "31"
#define OUT_GREEN "32"
#define OUT_YELLOW "33"

/* Watch the memory of JSON: first thing in main(). */
void out_begin(void);
/* Memory is missing for what is to be printed. */
void out_lack(void);
/* Has some been missing? Then what was printed lacks something. */
int out_lost(void);
/* Copy text so that a terminal and JSON take it: valid UTF-8 without control
 * or direction characters; all else becomes \xNN. Cut to fit. NULL, for which
 * there was no memory, is "?". Returns dst. */
char *out_clean(char *dst, size_t size, const char *text);
/* Is colour wanted on this stream? */
int out_colored(const struct out *o, FILE *to);
/* "label      text": the first word of a line, padded, in colour. */
void out_label(const struct out *o, FILE *to, const char *color,
               const char *label);
/* "tlsock: WARNING: text" on stderr, in bold red: not even -q keeps it back. */
void out_warning(const struct out *o, const char *text);
/* A JSON string of any bytes: cleaned first. NULL text is null. */
json_t *out_json_text(const char *text);
/* Text that is JSON itself, or null if it is not. */
json_t *out_json_raw(const char *text);
/* Print on one line and free; 0, or -1 if stdout is gone or memory is. */
int out_json_print(json_t *value);
/* Days from now until an RFC 3339 time; 0 and *ok = 0 if it is none. */
long out_days_until(const char *rfc3339, int *ok);
/* "3 h old", of an RFC 3339 time; -1 if it is none. */
int out_age(char text[32], const char *rfc3339);
/* The current time as RFC 3339, UTC. */
void out_now(char text[32]);

#endif
