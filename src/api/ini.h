/* ini - strict reader of INI text: "[section]", "key = value", comments.
 *
 * Bounded in every direction, and it says where it stopped. Comments stand on
 * lines of their own (";" or "#"), quotes are not special, a section may come
 * more than once. Knows no keys and no files. */
#ifndef TSK_API_INI_H
#define TSK_API_INI_H

#include "core/err.h"

#define TSK_INI_LINE 8192
#define TSK_INI_FILE (1024 * 1024)

struct tsk_ini_item {
    const char *section; /* "" before the first one */
    const char *key;     /* NULL: the line that opens the section */
    const char *value;   /* never "" */
    int line;            /* from 1 */
};

/* Calls each for every section and every key, until it fails. Errors of the
 * text and of each get "name:line: " in front and are E_CONFIG_FILE; only out
 * of memory stays what it is. A failing each may set item->line to the line
 * that is to blame. */
int tsk_ini_parse(const char *text, size_t len, const char *name,
                  int (*each)(void *arg, struct tsk_ini_item *item,
                              tlsock_error *err),
                  void *arg, tlsock_error *err);
/* Puts "name:line: " before err's message; code becomes E_CONFIG_FILE. */
int tsk_ini_fail_at(tlsock_error *err, const char *name, int line);

#endif
