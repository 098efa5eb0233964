#include "hellosay.h"

#include "records.h"

#include <stdlib.h>
#include <tlsock/prints.h>

#define SHORT 160 /* any but the raw texts */

static const struct {
    const char *key;
    int item, raw;
} of_client[] = {{"ja4", TLSOCK_INFO_JA4, 0},
                 {"ja3", TLSOCK_INFO_JA3, 0},
                 {"ja3n", TLSOCK_INFO_JA3N, 1},
                 {"ja4_o", TLSOCK_INFO_JA4_O, 1},
                 {"ja4_r", TLSOCK_INFO_JA4_R, 1},
                 {"ja4_ro", TLSOCK_INFO_JA4_RO, 1},
                 {"ja3_raw", TLSOCK_INFO_JA3_RAW, 1},
                 {"ja3n_raw", TLSOCK_INFO_JA3N_RAW, 1}},
  of_server[] = {{"ja3s", TLSOCK_INFO_JA3S, 0},
                 {"ja3sn", TLSOCK_INFO_JA3SN, 1},
                 {"ja3s_raw", TLSOCK_INFO_JA3S_RAW, 1},
                 {"ja3sn_raw", TLSOCK_INFO_JA3SN_RAW, 1}};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Yours to free; NULL: none of it. */
static char *print_of(const struct hello_seen *seen, int item)
{
    int n = tlsock_hello_print(seen->message, seen->len, item, NULL, 0);
    char *text = n > 0 ? malloc((size_t)n + 1) : NULL;

    if (text != NULL)
        (void)tlsock_hello_print(seen->message, seen->len, item, text,
                                 (size_t)n + 1);
    return text;
}

static void add(const struct out *o, json_t *obj, const struct hello_seen *seen,
                const char *key, int item, int raw)
{
    char *text =
        obj != NULL || !raw || o->verbose ? print_of(seen, item) : NULL;

    if (obj != NULL)
        json_object_set_new(obj, key, out_json_text(text));
    else if (text != NULL && raw)
        printf("\n           %-9s %s", key, text);
    else if (text != NULL)
        printf("  %s %s", key, text);
    free(text);
}

static void add_all(const struct out *o, json_t *obj,
                    const struct hello_seen *seen, int server)
{
    size_t n = server ? COUNT(of_server) : COUNT(of_client);

    for (size_t i = 0; i < n; i++)
        add(o, obj, seen, server ? of_server[i].key : of_client[i].key,
            server ? of_server[i].item : of_client[i].item,
            server ? of_server[i].raw : of_client[i].raw);
}

static int as_json(const struct out *o, const struct hello_seen *seen,
                   int server, const char *name)
{
    json_t *obj = json_object();

    json_object_set_new(obj, "schema", json_string("tlsock.hello/1"));
    json_object_set_new(obj, "side", json_string(server ? "server" : "client"));
    json_object_set_new(obj, "time", json_string(seen->time));
    json_object_set_new(obj, "from", out_json_text(seen->from));
    json_object_set_new(obj, "to", out_json_text(seen->to));
    if (!server)
        json_object_set_new(obj, "sni",
                            *name != '\0' ? out_json_text(name) : json_null());
    add_all(o, obj, seen, server);
    return out_json_print(obj);
}

static void as_text(const struct out *o, const struct hello_seen *seen,
                    int server, const char *name)
{
    char clean[1024];

    out_label(o, stdout, "1", server ? "server" : "client");
    printf("%s > %s", seen->from, seen->to);
    if (!server && *name != '\0')
        printf("  sni %s", out_clean(clean, sizeof(clean), name));
    add_all(o, NULL, seen, server);
    putchar('\n');
}

int hello_say(const struct out *o, const struct hello_seen *seen)
{
    char text[SHORT], name[256];
    int server, n;

    n = tlsock_hello_print(seen->message, seen->len, TLSOCK_INFO_JA4, text,
                           sizeof(text));
    if (n < 0)
        return 0;
    server = n == 0;
    records_name(seen->message, seen->len, name);
    if (!o->json)
        as_text(o, seen, server, name);
    else if (as_json(o, seen, server, name) != 0)
        return -1;
    return fflush(stdout) != 0 ? -1 : server ? 2 : 1;
}
