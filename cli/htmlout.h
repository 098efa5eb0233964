/* htmlout - pages that stand alone: nothing in them is loaded from anywhere,
 * and no script is in them. */
#ifndef CLI_HTMLOUT_H
#define CLI_HTMLOUT_H

#include <stddef.h>
#include <stdio.h>

/* Text, in elements and in attributes alike. */
void html_text(FILE *to, const char *s);
/* The same with its rest left out if it has more than so many bytes. */
void html_clipped(FILE *to, const char *s, size_t most);
/* Up to <body>; style is CSS behind what all pages have. */
void html_begin(FILE *to, const char *title, const char *style);
void html_end(FILE *to);

#endif
