#include "hellosay.h"

#include "errors.h"
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

/* *text is yours to free; NULL: none of it. -1: there is no memory for it. */
static int print_of(const struct hello_seen *seen, int item, char **text)
{
    int n = tlsock_hello_print(seen->message, seen->len, item, NULL, 0);

    *text = n > 0 ? malloc((size_t)n + 1) : NULL;
    if (n == TLSOCK_E_NOMEM || (n > 0 && *text == NULL))
        return -1;
    if (n > 0)
        n = tlsock_hello_print(seen->message, seen->len, item, *text,
                               (size_t)n + 1);
    return n == TLSOCK_E_NOMEM ? -1 : 0;
}

static int add(const struct out *o, json_t *obj, const struct hello_seen *seen,
               const char *key, int item, int raw)
{
    char *text = NULL;
    int rc =
        obj != NULL || !raw || o->verbose ? print_of(seen, item, &text) : 0;

    if (rc == 0 && obj != NULL)
        json_object_set_new(obj, key, out_json_text(text));
    else if (rc == 0 && text != NULL && raw)
        printf("\n           %-9s %s", key, text);
    else if (rc == 0 && text != NULL)
        printf("  %s %s", key, text);
    free(text);
    return rc;
}

static int add_all(const struct out *o, json_t *obj,
                   const struct hello_seen *seen, int server)
{
    size_t n = server ? COUNT(of_server) : COUNT(of_client);
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++)
        rc = add(o, obj, seen, server ? of_server[i].key : of_client[i].key,
                 server ? of_server[i].item : of_client[i].item,
                 server ? of_server[i].raw : of_client[i].raw);
    return rc;
}

static int no_memory(const struct out *o)
{
    (void)err_plain(o, "fingerprint", EXIT_INTERNAL, "nomem", "",
                    "out of memory");
    return -1;
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
    if (add_all(o, obj, seen, server) == 0)
        return out_json_print(obj);
    json_decref(obj);
    return no_memory(o);
}

static int as_text(const struct out *o, const struct hello_seen *seen,
                   int server, const char *name)
{
    char clean[1024];

    out_label(o, stdout, "1", server ? "server" : "client");
    printf("%s > %s", seen->from, seen->to);
    if (!server && *name != '\0')
        printf("  sni %s", out_clean(clean, sizeof(clean), name));
    if (add_all(o, NULL, seen, server) != 0) {
        putchar('\n');
        return no_memory(o);
    }
    putchar('\n');
    return 0;
}

int hello_say(const struct out *o, const struct hello_seen *seen)
{
    char text[SHORT], name[256];
    int server, n;

    n = tlsock_hello_print(seen->message, seen->len, TLSOCK_INFO_JA4, text,
                           sizeof(text));
    if (n == TLSOCK_E_NOMEM)
        return no_memory(o);
    if (n < 0)
        return 0;
    server = n == 0;
    records_name(seen->message, seen->len, name);
    if ((o->json ? as_json : as_text)(o, seen, server, name) != 0)
        return -1;
    return fflush(stdout) != 0 ? -1 : server ? 2 : 1;
}
