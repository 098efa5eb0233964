/* options - the one option table: a key and a text become a setting.
 *
 * Knows every key, its valid values and its default. Knows no config, no lock
 * and no file format: config_set and config_file bring the texts. A value that
 * is refused leaves the settings as they were. */
#ifndef TSK_API_OPTIONS_H
#define TSK_API_OPTIONS_H

#include "core/err.h"
#include "tls/settings.h"

#include <tlsock/config.h>

#define TSK_OPTION_MAX 8192 /* longest value, bytes */

/* A parser's answer beside 0 and codes: the value names something that this
 * OpenSSL does not know; the error is recorded. "?key" forgives that. */
#define TSK_OPTION_UNKNOWN 1

struct tsk_optrow {
    tlsock_option pub; /* first: tlsock_option_next() casts back */
    int (*parse)(const struct tsk_optrow *row, struct tsk_settings *set,
                 const char *value, tlsock_error *err);
    size_t offset; /* of the field in struct tsk_settings */
};

/* As tlsock_config_set(). */
int tsk_option_set(struct tsk_settings *set, const char *key,
                   const char *value, tlsock_error *err);
/* All defaults of the table into zeroed settings. */
int tsk_option_defaults(struct tsk_settings *set, tlsock_error *err);
const struct tsk_optrow *tsk_option_find(const char *key); /* NULL: unknown */

/* For the parsers: "KEY: "VALUE" is not valid (WHY)", and the valid form. */
int tsk_option_bad(tlsock_error *err, const struct tsk_optrow *row,
                   const char *value, const char *why);
static inline void *tsk_option_field(const struct tsk_optrow *row,
                                     struct tsk_settings *set)
{
    return (char *)set + row->offset;
}
/* Replace a text of the settings by a copy. */
int tsk_option_text(char **field, const char *value, tlsock_error *err);

/* The parsers, by the name that options.def gives them. */
#define TSK_OPTION_PARSER(name)                                               \
    int tsk_opt_##name(const struct tsk_optrow *row, struct tsk_settings *set, \
                       const char *value, tlsock_error *err)
TSK_OPTION_PARSER(version); /* options_value.c */
TSK_OPTION_PARSER(choice);
TSK_OPTION_PARSER(onoff);
TSK_OPTION_PARSER(range);
TSK_OPTION_PARSER(name);
TSK_OPTION_PARSER(scheme);
TSK_OPTION_PARSER(insecure);
TSK_OPTION_PARSER(id_context);
TSK_OPTION_PARSER(file);
TSK_OPTION_PARSER(directory);
TSK_OPTION_PARSER(proxy);
TSK_OPTION_PARSER(ticket_secret); /* options_ticket.c */
TSK_OPTION_PARSER(rawkeys); /* options_rawkey.c */
TSK_OPTION_PARSER(dane); /* options_dane.c */
TSK_OPTION_PARSER(anchor);
TSK_OPTION_PARSER(resolver);
TSK_OPTION_PARSER(allow); /* options_allow.c */
TSK_OPTION_PARSER(milliseconds); /* options_time.c */
TSK_OPTION_PARSER(seconds);
TSK_OPTION_PARSER(reload);
TSK_OPTION_PARSER(time);
TSK_OPTION_PARSER(ciphers); /* options_list.c */
TSK_OPTION_PARSER(ciphersuites);
TSK_OPTION_PARSER(groups);
TSK_OPTION_PARSER(sigalgs);
TSK_OPTION_PARSER(alpn);

#endif
