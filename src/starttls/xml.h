/* xml - one tag after the other, of the little XML that XMPP speaks before TLS.
 * No parser: it knows no entities, comments, CDATA or DTDs (RFC 6120, 11.1
 * forbids most of them) and refuses what it does not know. */
#ifndef TSK_STARTTLS_XML_H
#define TSK_STARTTLS_XML_H

#include "starttls/dialogue.h"

enum tsk_xml_kind {
    TSK_XML_DECL, /* <?xml ...?> */
    TSK_XML_OPEN,
    TSK_XML_EMPTY, /* <a/> */
    TSK_XML_CLOSE
};

struct tsk_xml {
    enum tsk_xml_kind kind;
    char name[64];            /* as written, with its prefix */
    char text[TSK_TALK_LINE]; /* the attributes, as written */
};

/* The next tag: MORE, AGAIN or code. text: there may be text before it, which
 * is skipped; otherwise blanks alone. Not a byte behind it is taken. */
int tsk_xml_next(struct tsk_starttls *d, struct tsk_talk *t, int text,
                 struct tsk_xml *x, tlsock_error *err);
/* Has the tag this attribute with this value? */
int tsk_xml_has(const struct tsk_xml *x, const char *name, const char *value);

#endif
