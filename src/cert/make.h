/* make - the inside of creating certificates and signing requests: a plan, its
 * extensions, its proof.
 *
 * Every option is checked, and nothing that its issuer may not sign is handed
 * out. What comes out passes RFC 5280 and OpenSSL's X509_V_FLAG_X509_STRICT. */
#ifndef TSK_CERT_MAKE_H
#define TSK_CERT_MAKE_H

#include "cert/cert.h"

#include <openssl/x509v3.h>

/* extended key usages that have a word of their own */
#define TSK_EKU_SERVER 0x01u
#define TSK_EKU_CLIENT 0x02u
#define TSK_EKU_CODE 0x04u
#define TSK_EKU_EMAIL 0x08u
#define TSK_EKU_STAMP 0x10u
#define TSK_EKU_OCSP 0x20u
#define TSK_EKU_OTHER 0x40u /* only as a result of tsk_eku_mask() */

/* What "purpose" comes to. Key usages are OpenSSL's KU_* bits. */
struct tsk_use {
    unsigned eku;      /* TSK_EKU_* */
    uint32_t add, del; /* beyond what follows from eku, and not */
    uint32_t exact;    /* instead of what follows from eku; 0: not */
};

struct tsk_make {
    const tlsock_cert_opts *o;
    int request;           /* a signing request is made, not a certificate */
    int ca, pathlen;       /* pathlen < 0: any */
    int64_t now, from, to; /* Unix seconds */
    int64_t lifetime;      /* seconds, of o->like; 0: not known */
    char key_spec[32];     /* kind of key of o->like; "": not known */
    struct tsk_use use;
    int use_known; /* o->like or o->csr said it */
    const EVP_MD *md;
    X509_NAME *subject;
    GENERAL_NAMES *sans;
    EVP_PKEY *key;                   /* of a request: the public half alone */
    STACK_OF(X509_EXTENSION) * exts; /* NULL: none so far */
    X509 *x; /* the certificate to be, with its key; a request has none */
};

/* create.c */
tlsock_cert *tsk_cert_create(const tlsock_cert_opts *o, tlsock_error *err);
void tsk_make_free(struct tsk_make *m);
/* Ready for X509_sign_ctx() and X509_REQ_sign_ctx(). NULL: why is in err. */
EVP_MD_CTX *tsk_make_signer(EVP_PKEY *key, const EVP_MD *md, tlsock_error *err);
/* hex NULL: a random one */
int tsk_make_serial(X509 *x, const char *hex, tlsock_error *err);
/* What goes along: the issuer and its chain, but never a root; NULL: no
 * memory. The stack is yours, what is in it borrowed. */
STACK_OF(X509) * tsk_make_chain(const tlsock_cert *issuer);

/* plan.c: options that contradict each other, digest, purposes, lifetime,
 * names; all but keys and extensions */
int tsk_make_plan(struct tsk_make *m, tlsock_error *err);
int tsk_plan_key(struct tsk_make *m, tlsock_error *err); /* m->key */

/* like.c: what o->like has and the options do not say */
int tsk_like_take(struct tsk_make *m, tlsock_error *err);
int tsk_option_wins(const struct tsk_make *m, int nid); /* over a copy of it */

/* key.c: make a key by its kind, or load one; weak ones are refused.
 * pass_uri NULL: none. */
int tsk_make_key(EVP_PKEY **out, const char *spec, const char *pass_uri,
                 tlsock_error *err);
/* keystrong.c */
int tsk_key_strong(EVP_PKEY *key, const char *whose, tlsock_error *err);
/* The spec that makes a new key like this one; "" if none does. */
void tsk_key_spec(EVP_PKEY *key, char *out, size_t size);

/* subject.c: RFC 4514 text <-> name. Yours. */
int tsk_subject_parse(X509_NAME **out, const char *text, tlsock_error *err);

/* san.c: add one name as a user types it; twice the same is added once */
int tsk_san_add(GENERAL_NAMES *sans, const char *text, tlsock_error *err);
/* One that somebody else wrote, held to the same rules; whose: "request" */
int tsk_san_add_general(GENERAL_NAMES *sans, const GENERAL_NAME *name,
                        const char *whose, tlsock_error *err);
int tsk_san_put(GENERAL_NAMES *sans, GENERAL_NAME *g, tlsock_error *err);
int tsk_san_bad(const char *text, const char *why, tlsock_error *err);
/* sanother.c: RID:, DIRNAME:, UPN:, XMPP:, SRV:, OTHERNAME: */
int tsk_san_special(GENERAL_NAMES *sans, const char *text, int *known,
                    tlsock_error *err);
/* a mail address whose local part is not ASCII; domain: A-labels */
int tsk_san_utf8_mail(GENERAL_NAMES *sans, const char *local, size_t len,
                      const char *domain, tlsock_error *err);
/* What a CN made of it would be; "": nothing fit. */
void tsk_san_plain(const GENERAL_NAME *g, char *out, size_t size);
int tsk_has_dns(const GENERAL_NAMES *sans);   /* any DNS name? */
int tsk_has_hosts(const GENERAL_NAMES *sans); /* DNS name, address or URI? */

/* purpose.c: words -> m->use; text NULL: the default */
int tsk_purpose_parse(struct tsk_make *m, const char *text, tlsock_error *err);

/* usage.c: both usages into m->exts unless they are there; the rules that
 * all extensions together have to keep */
int tsk_usage_add(struct tsk_make *m, tlsock_error *err);
int tsk_usage_check(const struct tsk_make *m, tlsock_error *err);
unsigned tsk_eku_mask(const EXTENDED_KEY_USAGE *eku);

/* ext.c: m->exts, all of it: the key and the names are set */
int tsk_ext_build(struct tsk_make *m, tlsock_error *err);
/* Unless one of its kind is there. */
int tsk_ext_put(struct tsk_make *m, int nid, void *value, int critical,
                tlsock_error *err);
int tsk_ext_has(const struct tsk_make *m, int nid);
int tsk_ext_copy(struct tsk_make *m, X509_EXTENSION *ext, tlsock_error *err);
/* The identifiers of x's own key, and of the key of who issues; NULL: no
 * memory. Yours. */
ASN1_OCTET_STRING *tsk_ext_key_id(const X509 *x);
AUTHORITY_KEYID *tsk_ext_authority(X509 *issuer);
/* exturl.c: CRL, OCSP and issuer addresses */
int tsk_ext_urls(struct tsk_make *m, tlsock_error *err);
/* "OCSP - URI:http://..." lines, as tools print them */
int tsk_ext_access_text(struct tsk_make *m, const char *text,
                        tlsock_error *err);
/* extown.c: those the caller wrote out */
int tsk_ext_own(struct tsk_make *m, tlsock_error *err);
/* extrule.c: form, and critical or not: E_ARGUMENT */
int tsk_ext_check(const struct tsk_make *m, tlsock_error *err);
/* extname.c: nameConstraints from "permitted". Yours. */
int tsk_permitted_parse(NAME_CONSTRAINTS **out, const char *text,
                        tlsock_error *err);

void tsk_subtree_text(const GENERAL_NAME *g, char *out, size_t size);

/* issuer.c: may this certificate sign at all, and then: may it sign x? */
int tsk_issuer_check(const struct tsk_make *m, tlsock_error *err);
int tsk_issuer_constrains(const tlsock_cert *ca); /* any name constraints? */
int tsk_issuer_allows(const struct tsk_make *m, X509 *x, tlsock_error *err);

#endif
