/* ca_http - the pages and files of a CA's site, one function each. */
#ifndef CLI_CA_HTTP_H
#define CLI_CA_HTTP_H

#include "ca_site.h"

/* Decodes the base64 in an OCSP path (RFC 6960, A.1): length, or -1. out has
 * room for as many bytes as the text has. */
int ca_http_ocsp_path(const char *text, unsigned char *out);

#endif
