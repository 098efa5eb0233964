/* ca_opts - what commands with a CA share: which one, its password, and how its
 * entries are shown. */
#ifndef CLI_CA_OPTS_H
#define CLI_CA_OPTS_H

#include "cadb.h"
#include "local.h"
#include "opt.h"
#include "signer.h"

#define CA_OPT_DIR                                                             \
    {                                                                          \
        "dir", '\0', POPT_ARG_STRING, NULL, OPT_CA,                            \
            "the CA's directory (default: $XDG_DATA_HOME/tlsock/ca)", "DIR"    \
    }
#define CA_OPT_PASS                                                            \
    {                                                                          \
        "pass", '\0', POPT_ARG_STRING, NULL, OPT_PASS,                         \
            "where the password of the CA's key is",                           \
            "file:FILE|env:NAME|fd:N|prompt"                                   \
    }

/* --dir, or the local CA, which need not be there. 0, or an exit code after
 * having said why; so the others. */
int ca_find_dir(char dir[LOCAL_PATH], const struct opts *o);
/* As signer_open(). */
int ca_open_signer(struct signer *s, const struct out *o, const char *where,
                   const char *pass);
/* The CA of ca_find_dir(). */
int ca_open(struct cadb **db, const struct opts *o, int write);
/* The first name of an entry, or its subject. */
const char *ca_entry_name(const struct cadb_entry *e, char *text, size_t size);
json_t *ca_entry_json(const struct cadb_entry *e);
/* The CRL's number, dates and files. */
json_t *ca_crl_json(const struct cadb *db);
/* "crl      number 3, due 2026-12-03, /path/crl.der" */
void ca_print_crl(const struct cadb *db);
/* Make a CRL after a revocation; 0, or an exit code after having said why. */
int ca_make_crl(struct cadb *db, const struct opts *o, int days);

#endif
