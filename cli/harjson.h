/* harjson - a transaction as an entry of HAR 1.2, as browsers and their tools
 * read it. What HAR has no place for begins with "_". */
#ifndef CLI_HARJSON_H
#define CLI_HARJSON_H

#include "httprec.h"

#include <jansson.h>

/* Whom the entries are from. */
struct har_conn {
    unsigned long id;
    char client[64], target[264], server[64]; /* server: its IP address */
    json_t *tls; /* {"up": ..., "down": ...}, or NULL: plaintext */
};

/* NULL: no memory. */
json_t *har_entry_json(const struct har_conn *c, const struct httprec_tx *tx);
/* A connection that came to nothing. */
json_t *har_failure_json(const struct har_conn *c, const char *why,
                         int64_t now);
/* {"log": {..., "entries": [ without its end: what follows is entries. */
json_t *har_log_json(void);
/* Of the network, whatever it is: as it is, if that is UTF-8, else \xNN. */
json_t *har_text(const char *text);

#endif
