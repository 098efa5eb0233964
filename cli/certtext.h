/* certtext - a certificate for a person: out of the library's JSON of it.
 * Results, so on stdout; all foreign text in it has been escaped. */
#ifndef CLI_CERTTEXT_H
#define CLI_CERTTEXT_H

#include "out.h"

/* What most people want to know, on a screen of 80 columns; with -v all. */
void certtext_print(const struct out *o, const json_t *cert, int place);
/* One of the chain, on a line. */
void certtext_line(const struct out *o, const json_t *cert, int place);
/* Pieces for other commands: a label and its text, if there is one; a label
 * and a list, wrapped, cut unless -v. */
void certtext_row(const struct out *o, const char *label, const char *text);
void certtext_list(const struct out *o, const char *label, const json_t *list);
/* A string member of an object; "": not there. */
const char *certtext_get(const json_t *obj, const char *key);

#endif
