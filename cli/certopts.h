/* certopts - the words of "cert new" and "cert csr": what is to be in a
 * certificate or a request, and the files it goes to.
 *
 * Turns options into tlsock_cert_opts and answers the slips that people make;
 * what a certificate may hold is the library's to judge. */
#ifndef CLI_CERTOPTS_H
#define CLI_CERTOPTS_H

#include "certout.h"
#include "opt.h"

struct certopts {
    struct opts o;
    struct certout files;
    tlsock_cert_opts want; /* what the options ask for */
    struct strs sans, ext; /* behind want.sans and want.ext */
    const char *ca, *key_pass, *new_pass, *like_file;
    const char *from, *to; /* --not-before, --not-after as written */
    int self, client, ca_words, any_name, p12;
    long days, pathlen;
    tlsock_cert *like;
    char cn[300]; /* behind want.subject */
};

/* Groups of options: for both commands, for certificates alone, for files. */
extern struct poptOption certopts_what[], certopts_new[], certopts_files[];

/* opt_spec.take of both; own is a struct certopts. */
int certopts_take(void *own, struct opts *o, int val, const char *arg);
/* After the line is read: names, dates, what contradicts itself; loads --like
 * and chooses the files. 0, or an exit code after having said why. */
int certopts_settle(struct certopts *c);
/* The library's advice in the words of the command line. */
void certopts_hint(tlsock_error *err);
void certopts_free(struct certopts *c);

/* A host name as people write it: *san is what the library takes. A URL, a
 * port, a list, a network is answered with what was meant. */
int certname_take(struct opts *o, const char *arg, const char **san);
/* "CN=name" with what RFC 4514 wants escaped; cut to fit. */
void certname_subject(char *out, size_t size, const char *name);
/* "2026-12-31" (end: its last second) or "2026-12-31T10:00:00Z". */
int certname_time(const struct opts *o, const char *flag, const char *text,
                  int end, int64_t *seconds);
/* Prints "label    a  b  c", or JSON texts, of "DNS:a, IP:b". */
void certname_print(const char *label, const char *sans);
json_t *certname_json(const char *sans);
/* obj[key] = what tlsock_cert_field() says; null: out of memory. */
void certname_field(json_t *obj, const char *key, const tlsock_cert *c,
                    int item);
/* ".test 10.0.0.0/8": what the CA in a PEM file may sign; "": no limit, or it
 * cannot be told. */
void certopts_may_sign(char *out, size_t size, const char *file);

#endif
