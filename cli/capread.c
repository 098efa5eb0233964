#include "capread.h"

#include "errors.h"
#include "hellosay.h"
#include "records.h"
#include "streams.h"

#include <arpa/inet.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PLAIN_MOST 8192 /* bytes of a dialogue before TLS */

struct capread {
    const struct out *o;
    pcap_t *pcap;
    struct streams *streams;
    struct packet packet;
    struct timeval time; /* of the packet at hand */
    unsigned long packets, clients, servers, quic, fragments, malformed;
    int gone; /* stdout is */
    uint8_t hello[RECORDS_MOST];
};

static void address(char *out, size_t size, const uint8_t ip[16], unsigned port)
{
    static const uint8_t v4[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    int is_v4 = memcmp(ip, v4, sizeof(v4)) == 0;
    char text[INET6_ADDRSTRLEN];

    inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? ip + 12 : ip, text,
              sizeof(text));
    snprintf(out, size, is_v4 ? "%s:%u" : "[%s]:%u", text, port);
}

static void when(char text[32], const struct timeval *tv)
{
    struct tm tm;
    time_t t = tv->tv_sec;

    if (gmtime_r(&t, &tm) == NULL ||
        strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        text[0] = '\0';
}

static int told(const struct packet_ends *ends, const uint8_t *bytes,
                size_t len, size_t *seen, void *arg)
{
    struct capread *c = arg;
    char from[64], to[64], time[32];
    struct hello_seen hello = {
        .from = from, .to = to, .time = time, .message = c->hello};
    int rc;

    switch (records_find(bytes, len, seen, c->hello, &hello.len)) {
    case RECORDS_MORE:
        return STREAMS_WANTED;
    case RECORDS_NONE:
        return len < PLAIN_MOST ? STREAMS_PERHAPS : STREAMS_ENOUGH;
    default:
        break;
    }
    address(from, sizeof(from), ends->from, ends->from_port);
    address(to, sizeof(to), ends->to, ends->to_port);
    when(time, &c->time);
    rc = hello_say(c->o, &hello);
    c->clients += rc == 1;
    c->servers += rc == 2;
    c->malformed += rc == 0;
    c->gone |= rc < 0;
    return STREAMS_ENOUGH;
}

static int one(struct capread *c, const struct pcap_pkthdr *head,
               const uint8_t *frame)
{
    c->packets++;
    c->time = head->ts;
    switch (
        packet_parse(&c->packet, pcap_datalink(c->pcap), frame, head->caplen)) {
    case PACKET_TCP:
        return streams_add(c->streams, &c->packet);
    case PACKET_QUIC:
        c->quic++;
        return 0;
    case PACKET_FRAGMENT:
        c->fragments++;
        return 0;
    default:
        return 0;
    }
}

/* 0 all was read; else an exit code. */
static int all(struct capread *c, const char *path)
{
    struct pcap_pkthdr *head;
    const uint8_t *frame;
    int rc = 1;

    while (!c->gone && (rc = pcap_next_ex(c->pcap, &head, &frame)) == 1)
        if (one(c, head, frame) != 0)
            return err_plain(c->o, path, EXIT_INTERNAL, "nomem", "",
                             "out of memory");
    if (c->gone)
        return EXIT_INTERNAL;
    if (rc == PCAP_ERROR_BREAK)
        return 0;
    return err_plain(c->o, path, EXIT_OWN, "own-file",
                     "was it written completely?",
                     "the capture ends after %lu packets: %s", c->packets,
                     pcap_geterr(c->pcap));
}

static int summary(const struct capread *c, const char *path)
{
    unsigned long lost = streams_lost(c->streams);
    json_t *obj;

    if (c->o->json) {
        obj = json_object();
        json_object_set_new(obj, "schema", json_string("tlsock.capture/1"));
        json_object_set_new(obj, "target", out_json_text(path));
#define NUMBER(key, n)                                                         \
    json_object_set_new(obj, key, json_integer((json_int_t)(n)))
        NUMBER("packets", c->packets);
        NUMBER("clients", c->clients);
        NUMBER("servers", c->servers);
        NUMBER("quic_packets", c->quic);
        NUMBER("fragments", c->fragments);
        NUMBER("malformed", c->malformed);
        NUMBER("incomplete", lost);
#undef NUMBER
        return out_json_print(obj) == 0 ? 0 : EXIT_INTERNAL;
    }
    if (c->o->quiet)
        return 0;
    out_label(c->o, stdout, "1", "capture");
    printf("%lu packets: %lu hellos of clients, %lu of servers\n", c->packets,
           c->clients, c->servers);
    if (c->quic + c->fragments + c->malformed + lost != 0) {
        out_label(c->o, stdout, OUT_YELLOW, "left out");
        printf("%lu QUIC packets, %lu fragments, %lu malformed hellos, %lu "
               "streams that are not all there\n",
               c->quic, c->fragments, c->malformed, lost);
    }
    return fflush(stdout) == 0 ? 0 : EXIT_INTERNAL;
}

static int read_it(struct capread *c, const char *path)
{
    int link = pcap_datalink(c->pcap), rc;
    const char *name = pcap_datalink_val_to_name(link);

    if (!packet_link(link))
        return err_plain(c->o, path, EXIT_OWN, "unsupported",
                         "capture on Ethernet, \"any\", a tunnel or loopback",
                         "a capture of %s, which is not read",
                         name != NULL ? name : "an unknown link");
    c->streams = streams_new(told, c);
    if (c->streams == NULL)
        return err_plain(c->o, path, EXIT_INTERNAL, "nomem", "",
                         "out of memory");
    rc = all(c, path);
    return rc != 0 ? rc : summary(c, path);
}

int capread_say(const struct out *o, const char *path)
{
    struct capread *c = calloc(1, sizeof(*c));
    char why[PCAP_ERRBUF_SIZE] = "out of memory";
    int rc;

    if (c != NULL) {
        c->o = o;
        c->pcap = pcap_open_offline(path, why);
    }
    if (c == NULL || c->pcap == NULL) {
        free(c);
        return err_plain(o, path, EXIT_OWN, "own-file",
                         "name a file of tcpdump, Wireshark or dumpcap",
                         "cannot read the capture: %s", why);
    }
    rc = read_it(c, path);
    streams_free(c->streams);
    pcap_close(c->pcap);
    free(c);
    return rc;
}
