/* ca_http - the pages and files of a CA's site, one function each. */
#ifndef CLI_CA_HTTP_H
#define CLI_CA_HTTP_H

#include "ca_site.h"

#endif
