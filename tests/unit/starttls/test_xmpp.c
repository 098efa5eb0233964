#include "script.h"

#define NS "xmlns='urn:ietf:params:xml:ns:xmpp-tls'"
#define ETHERX "xmlns:stream='http://etherx.jabber.org/streams'"
#define HELLO(to, ns)                                                          \
    "<?xml version='1.0'?><stream:stream to='" to "' version='1.0' xmlns='" ns \
    "' " ETHERX ">"
#define ASK HELLO("x.test", "jabber:client")
#define STREAM "<stream:stream " ETHERX " id='1' version='1.0'>"
#define OFFER STREAM "<stream:features><starttls " NS "/></stream:features>"
#define START "<starttls " NS "/>"
#define CLIENT .protocol = "xmpp", .host = "x.test"
#define NO_OFFER                                                               \
    .want = TLSOCK_E_STARTTLS_UNAVAILABLE, .sent = B(ASK), .tells = "5223"
#define NO_XML .want = TLSOCK_E_PROTOCOL, .sent = B(ASK)

static const struct script client[] = {
    {CLIENT, .name = "plain", .peer = B(OFFER "<proceed " NS "/>"),
     .sent = B(ASK START)},
    {CLIENT, .name = "everything that may be, injected",
     .peer = B("<?xml version=\"1.0\" encoding='UTF-8' ?>\r\n"
               "<stream:stream\n\t" ETHERX " a = \"'>\" version=\"1.0\">\n"
               "<stream:features>\n <m xmlns='m'><mechanism>PL>AIN"
               "</mechanism><b/></m><starttls a='b' "
               "xmlns=\"urn:ietf:params:xml:ns:xmpp-tls\"><required/>"
               "</starttls ></stream:features>\n<proceed " NS "></proceed>"
               "<iq/>"),
     .sent = B(ASK START), .left = B("<iq/>")},
    {.name = "between servers",
     .protocol = "xmpp-server",
     .arg = "\xc3\xa4.test",
     .peer = B(OFFER "<proceed " NS "/>"),
     .sent = B(HELLO("\xc3\xa4.test", "jabber:server") START)},
    {CLIENT, .name = "stripped",
     .peer =
         B(STREAM "<stream:features><x><starttls " NS "/></x>"
                  "<starttls xmlns='urn:other'/><xstarttls " NS "/><starttls/>"
                  "<y>&lt;starttls</y></stream:features>"),
     NO_OFFER},
    {CLIENT, .name = "no features", .peer = B(STREAM "<stream:features/>"),
     NO_OFFER},
    {CLIENT, .name = "before XMPP 1.0", .peer = B("<stream:stream " ETHERX ">"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE, .sent = B(ASK),
     .tells = "version 1.0"},
    {CLIENT, .name = "refused", .peer = B(OFFER "<failure " NS "/>"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .sent = B(ASK START),
     .tells = "<failure/>"},
    {CLIENT, .name = "stream error",
     .peer = B(STREAM "<stream:error><host-unknown xmlns='x'/>"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .sent = B(ASK),
     .tells = "host-unknown"},
    {CLIENT, .name = "stream error in answer to starttls",
     .peer = B(OFFER "<stream:error><policy-violation xmlns='x'/>"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .sent = B(ASK START),
     .tells = "policy-violation"},
    {CLIENT, .name = "end of the stream", .peer = B(STREAM "</stream:stream>"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .sent = B(ASK),
     .tells = "</stream:stream>"},
    {CLIENT, .name = "proceed of another namespace",
     .peer = B(OFFER "<proceed xmlns='x'/>"), .want = TLSOCK_E_PROTOCOL,
     .sent = B(ASK START), .tells = "<proceed>"},
    {CLIENT, .name = "proceed that does not end",
     .peer = B(OFFER "<proceed " NS "><iq/>"), .want = TLSOCK_E_PROTOCOL,
     .sent = B(ASK START), .tells = "</proceed>"},
    {CLIENT, .name = "no features at first", .peer = B(STREAM "<iq/>"), NO_XML,
     .tells = "features"},
    {CLIENT, .name = "features that end as something else",
     .peer = B(STREAM "<stream:features></starttls>"), NO_XML,
     .tells = "</starttls>"},
    {CLIENT, .name = "a declaration in the features",
     .peer = B(STREAM "<stream:features><?xml version='1.0'?>"), NO_XML,
     .tells = "a feature"},
    {CLIENT, .name = "two declarations",
     .peer = B("<?xml version='1.0'?><?xml version='1.0'?>"), NO_XML,
     .tells = "a stream"},
    {CLIENT, .name = "stream of another namespace",
     .peer = B("<stream:stream xmlns:stream='x' version='1.0'>"), NO_XML,
     .tells = "a stream"},
    {CLIENT, .name = "HTML", .peer = B("<html>"), NO_XML, .tells = "a stream"},
    {CLIENT, .name = "HTTP", .peer = B("HTTP/1.1 400 Bad\r\n"), NO_XML,
     .tells = "HTTP server", .at_once = 1},
    {CLIENT, .name = "comment", .peer = B("<!-- x -->"), NO_XML,
     .tells = "where XML"},
    {CLIENT, .name = "instruction", .peer = B("<?php x?>"), NO_XML,
     .tells = "where XML"},
    {CLIENT, .name = "open instruction", .peer = B("<?xml >"), NO_XML,
     .tells = "where XML"},
    {CLIENT, .name = "tag in a tag", .peer = B("<a <b>"), NO_XML,
     .tells = "where XML"},
    {CLIENT, .name = "text", .peer = B(STREAM "moin"), NO_XML, .tells = "moin",
     .at_once = 1},
    {CLIENT, .name = "control byte in a text",
     .peer = B(STREAM "<stream:features>\1"), NO_XML, .tells = "\\x01"},
    {CLIENT, .name = "NUL in a tag", .peer = B("<a\0>"), NO_XML,
     .tells = "where XML"},
    {CLIENT, .name = "attribute without a value", .peer = B("<a b>"), NO_XML,
     .tells = "where XML"},
    {CLIENT, .name = "attribute without quotes", .peer = B("<a b=c>"), NO_XML,
     .tells = "where XML"},
    {CLIENT, .name = "attributes without a blank", .peer = B("<a b='c'd='e'>"),
     NO_XML, .tells = "where XML"},
    {CLIENT, .name = "end with an attribute", .peer = B("</a b='c'>"), NO_XML,
     .tells = "where XML"},
    {CLIENT, .name = "value without a name", .peer = B("<a ='c'>"), NO_XML,
     .tells = "where XML"},
    {CLIENT, .name = "quote within a name", .peer = B("<a'b'>"), NO_XML,
     .tells = "where XML"},
    {CLIENT, .name = "nothing in a tag", .peer = B("<>"), NO_XML,
     .tells = "where XML"},
    {CLIENT, .name = "name of 64",
     .peer =
         B("<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
           "a>"),
     NO_XML, .tells = "where XML"},
    {CLIENT, .name = "TLS", .peer = B("\x15\x03\x01"), NO_XML,
     .tells = "TLS alert"},
};

#define ANSWER(from, ns)                                                       \
    "<?xml version='1.0'?><stream:stream from='" from "' "                     \
    "id='################' version='1.0' xmlns='" ns "' " ETHERX ">"           \
    "<stream:features><starttls " NS "><required/></starttls>"                 \
    "</stream:features>"
#define HI ANSWER("localhost", "jabber:client")
#define SERVER .protocol = "xmpp", .server = 1
#define GO "<proceed " NS "/>"

static const struct script server[] = {
    {SERVER, .name = "server", .peer = B(ASK START), .sent = B(HI GO)},
    {.name = "server of servers, injected",
     .protocol = "xmpp-server",
     .server = 1,
     .arg = "s.test",
     .peer = B(STREAM " <starttls " NS "> </starttls><a/>"),
     .sent = B(ANSWER("s.test", "jabber:server") GO),
     .left = B("<a/>")},
    {SERVER, .name = "server, quits", .peer = B(ASK "</stream:stream>"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .sent = B(HI "</stream:stream>"),
     .tells = "goes on without TLS"},
    {SERVER, .name = "server, login", .peer = B(ASK "<auth xmlns='x'>"),
     .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(HI "<stream:error><policy-violation xmlns='urn:ietf:params:xml:"
                  "ns:xmpp-streams'/></stream:error></stream:stream>"),
     .tells = "auth"},
    {SERVER, .name = "server, no stream", .peer = B("<a/>"),
     .want = TLSOCK_E_PROTOCOL, .tells = "a stream"},
    {SERVER, .name = "server, starttls that does not end",
     .peer = B(ASK "<starttls " NS "><a/>"), .want = TLSOCK_E_PROTOCOL,
     .sent = B(HI), .tells = "</starttls>"},
    {SERVER, .name = "server, TLS", .peer = B("\x16\x03\x01"),
     .want = TLSOCK_E_PROTOCOL, .tells = "this is TLS"},
};

SCRIPTS_MAIN(client, server);
