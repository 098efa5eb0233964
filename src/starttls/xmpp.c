/* XMPP between client and server, and between servers (RFC 6120, 5). */
#include "starttls/xml.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define NS_TLS "urn:ietf:params:xml:ns:xmpp-tls"
#define NS_STREAM "http://etherx.jabber.org/streams"

enum { DECL, STREAM, FEATURES, FEATURE, PROCEED, END, FAILED };

static const char *content_namespace(const struct tsk_starttls *d)
{
    return strcmp(d->row->name, "xmpp") == 0 ? "jabber:client"
                                             : "jabber:server";
}

static int alien(const struct tsk_starttls *d, const char *wanted,
                 const struct tsk_xml *x, tlsock_error *err)
{
    char text[96];
    const char *close = x->kind == TSK_XML_CLOSE ? "/" : "";

    snprintf(text, sizeof(text), "<%s%s>", close, x->name);
    return tsk_dlg_alien_line(d, wanted, text, err);
}

static int opens(const struct tsk_xml *x, const char *name)
{
    return (x->kind == TSK_XML_OPEN || x->kind == TSK_XML_EMPTY) &&
           strcmp(x->name, name) == 0;
}

static int closes(const struct tsk_xml *x, const char *name)
{
    return x->kind == TSK_XML_CLOSE && strcmp(x->name, name) == 0;
}

static int is_tls(const struct tsk_xml *x, const char *name)
{
    return opens(x, name) && tsk_xml_has(x, "xmlns", NS_TLS);
}

/* RFC 6120, 4.8: the stream's namespace and "stream" for its prefix. */
static int is_stream(const struct tsk_xml *x)
{
    return x->kind == TSK_XML_OPEN && strcmp(x->name, "stream:stream") == 0 &&
           tsk_xml_has(x, "xmlns:stream", NS_STREAM);
}

static int client_begin(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    return tsk_talk_say(t, err,
                        "<?xml version='1.0'?><stream:stream to='%s' "
                        "version='1.0' xmlns='%s' xmlns:stream='" NS_STREAM
                        "'>",
                        tsk_dlg_name(d), content_namespace(d));
}

/* RFC 6120, 4.7.5: a server without version="1.0" has no features, and would
 * never tell. */
static int client_stream(struct tsk_starttls *d, const struct tsk_xml *x,
                         tlsock_error *err)
{
    if (d->state == DECL && x->kind == TSK_XML_DECL) {
        d->state = STREAM;
        return TSK_DLG_MORE;
    }
    if (!is_stream(x))
        return alien(d, "a stream", x, err);
    if (!tsk_xml_has(x, "version", "1.0"))
        return tsk_dlg_unavailable(d, "a stream without version 1.0", err);
    d->state = FEATURES;
    return TSK_DLG_MORE;
}

static int client_features(struct tsk_starttls *d, const struct tsk_xml *x,
                           tlsock_error *err)
{
    if (!opens(x, "stream:features"))
        return alien(d, "features", x, err);
    if (x->kind == TSK_XML_EMPTY)
        return tsk_dlg_unavailable(d, NULL, err);
    d->state = FEATURE;
    return TSK_DLG_MORE;
}

/* Inside of features: elements right below count, deeper ones do not. */
static int client_feature(struct tsk_starttls *d, struct tsk_talk *t,
                          const struct tsk_xml *x, tlsock_error *err)
{
    int rc;

    if (x->kind == TSK_XML_DECL)
        return alien(d, "a feature", x, err);
    if (d->depth == 0 && is_tls(x, "starttls"))
        d->offered = 1;
    if (x->kind == TSK_XML_OPEN)
        d->depth++;
    if (x->kind != TSK_XML_CLOSE)
        return TSK_DLG_MORE;
    if (d->depth > 0) {
        d->depth--;
        return TSK_DLG_MORE;
    }
    if (!closes(x, "stream:features"))
        return alien(d, "the end of the features", x, err);
    if (!d->offered)
        return tsk_dlg_unavailable(d, NULL, err);
    d->state = PROCEED;
    rc = tsk_talk_say(t, err, "<starttls xmlns='" NS_TLS "'/>");
    return rc < 0 ? rc : TSK_DLG_MORE;
}

static int client_proceed(struct tsk_starttls *d, const struct tsk_xml *x,
                          tlsock_error *err)
{
    if (is_tls(x, "failure"))
        return tsk_dlg_refused(d, "<failure/>", err);
    if (!is_tls(x, "proceed"))
        return alien(d, "proceed", x, err);
    if (x->kind == TSK_XML_EMPTY)
        return TLSOCK_OK;
    d->state = END;
    return TSK_DLG_MORE;
}

static int client_tag(struct tsk_starttls *d, struct tsk_talk *t,
                      const struct tsk_xml *x, tlsock_error *err)
{
    switch (d->state) {
    case DECL:
    case STREAM:
        return client_stream(d, x, err);
    case FEATURES:
        return client_features(d, x, err);
    case FEATURE:
        return client_feature(d, t, x, err);
    case PROCEED:
        return client_proceed(d, x, err);
    case FAILED: /* RFC 6120, 4.9.2: the condition is the first child */
        return tsk_dlg_refused(d, x->name, err);
    default:
        return closes(x, "proceed") ? TLSOCK_OK
                                    : alien(d, "</proceed>", x, err);
    }
}

static int client_bytes(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    struct tsk_xml x;
    int rc = tsk_xml_next(d, t, d->state == FEATURE, &x, err);

    if (rc != TSK_DLG_MORE)
        return rc;
    if (d->depth == 0 && d->state != FAILED && opens(&x, "stream:error")) {
        d->state = FAILED;
        return TSK_DLG_MORE;
    }
    if (closes(&x, "stream:stream"))
        return tsk_dlg_refused(d, "</stream:stream>", err);
    return client_tag(d, t, &x, err);
}

const struct tsk_dlg_side tsk_xmpp_client = {client_begin, NULL, client_bytes};

/* RFC 6120, 4.7.3: an id that nobody can guess. It belongs to a stream that
 * ends with the dialogue, so a system without randomness answers with 0. */
static uint64_t stream_id(void)
{
    uint64_t id = 0;
    int failed = getentropy(&id, sizeof(id)) != 0;

    return failed ? 0 : id;
}

static int server_stream(struct tsk_starttls *d, struct tsk_talk *t,
                         const struct tsk_xml *x, tlsock_error *err)
{
    int rc;

    if (d->state == DECL && x->kind == TSK_XML_DECL) {
        d->state = STREAM;
        return TSK_DLG_MORE;
    }
    if (!is_stream(x))
        return alien(d, "a stream", x, err);
    rc = tsk_talk_say(t, err,
                      "<?xml version='1.0'?><stream:stream from='%s' "
                      "id='%016" PRIx64 "' version='1.0' xmlns='%s' "
                      "xmlns:stream='" NS_STREAM "'><stream:features>"
                      "<starttls xmlns='" NS_TLS "'><required/></starttls>"
                      "</stream:features>",
                      tsk_dlg_name(d), stream_id(), content_namespace(d));
    d->state = FEATURES;
    return rc < 0 ? rc : TSK_DLG_MORE;
}

/* RFC 6120, 5.4.2.1: whatever else the client begins with is refused. */
static int server_other(struct tsk_starttls *d, struct tsk_talk *t,
                        const struct tsk_xml *x, tlsock_error *err)
{
    int rc = tsk_talk_say(
        t, err, "%s</stream:stream>",
        closes(x, "stream:stream")
            ? ""
            : "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:"
              "xmpp-streams'/></stream:error>");

    return rc < 0 ? rc : tsk_dlg_gone_on(d, x->name, err);
}

static int proceed(struct tsk_talk *t, tlsock_error *err)
{
    return tsk_talk_say(t, err, "<proceed xmlns='" NS_TLS "'/>");
}

static int server_bytes(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    struct tsk_xml x;
    int rc = tsk_xml_next(d, t, 0, &x, err);

    if (rc != TSK_DLG_MORE)
        return rc;
    if (d->state == DECL || d->state == STREAM)
        return server_stream(d, t, &x, err);
    if (d->state == END)
        return closes(&x, "starttls") ? proceed(t, err)
                                      : alien(d, "</starttls>", &x, err);
    if (!is_tls(&x, "starttls"))
        return server_other(d, t, &x, err);
    if (x.kind == TSK_XML_EMPTY)
        return proceed(t, err);
    d->state = END;
    return TSK_DLG_MORE;
}

const struct tsk_dlg_side tsk_xmpp_server = {NULL, NULL, server_bytes};
