/* str - small text helpers: printable copies, hex, lists, JSON strings. */
#ifndef TSK_CORE_STR_H
#define TSK_CORE_STR_H

#include <stddef.h>
#include <stdint.h>

/* Copy bytes of any origin as text that is safe on a terminal: control bytes,
 * and bytes that are no UTF-8, become \xNN. Cut to fit, always terminated. */
void tsk_printable(char *out, size_t size, const void *text, size_t len);
/* snprintf that appends at *pos and never writes past size; *pos goes on
 * counting, as snprintf does. */
void tsk_append(char *out, size_t size, size_t *pos, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same for a JSON string with its quotes. text NULL: null */
void tsk_append_json(char *out, size_t size, size_t *pos, const char *text);
void tsk_hex(char *out, const void *bytes, size_t len); /* 2*len+1 bytes */
/* Strict decimal in [lo, hi]: 0, or -1. */
int tsk_number(const char *text, int64_t lo, int64_t hi, int64_t *out);
/* Decimal, up to 10 digits and a 0; the number of digits. */
size_t tsk_decimal(char *out, uint32_t value);
int tsk_casecmp(const char *a, const char *b);            /* ASCII only */
int tsk_casencmp(const char *a, const char *b, size_t n); /* ASCII only */

#endif
