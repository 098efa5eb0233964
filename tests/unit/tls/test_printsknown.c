/* Fingerprints of known clients: hellos built of the lists that captures of
 * them have, and the values that others published for these captures. */
#include "test.h"

#include <stdlib.h>
#include <tlsock/prints.h>

#define CHROME_CIPHERS                                                         \
    "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,9c,9d,2f,35"
#define CHROME_SIGNATURES "403,804,401,503,805,501,806,601"

/* Lists are of hexadecimal numbers, as on the wire. */
static const struct known {
    const char *whose;
    unsigned version; /* that the hello says, 43 aside */
    const char *ciphers, *extensions, *alpn, *signatures, *groups;
    /* NULL: nobody published it */
    const char *ja4, *ja4_o, *ja3, *ja3n;
} rows[] = {
    {"Firefox 105 (captures of JA4: tls12)", 0x0303,
     "1301,1303,1302,c02b,c02f,cca9,cca8,c02c,c030,c00a,c009,c013,c014,9c,9d,"
     "2f,35",
     "0,17,ff01,a,b,23,10,5,22,33,2b,d,2d,1c,15", "h2",
     "403,503,603,804,805,806,401,501,601,203,201", "1d,17,18,19,100,101",
     "t13d1715h2_5b57614c22b0_3d5424432f57", NULL, NULL, NULL},
    {"a program of LibreSSL (tls-alpn-h2)", 0x0303,
     "c030,c02c,c028,c024,c014,c00a,9f,6b,39,cca9,cca8,ccaa,ff85,c4,88,81,9d,"
     "3d,35,c0,84,c02f,c02b,c027,c023,c013,c009,9e,67,33,be,45,9c,3c,2f,ba,41,"
     "c011,c007,5,4,c012,c008,16,a,ff",
     "0,b,a,d,10", "h2",
     "601,603,efef,501,503,401,403,eeee,eded,301,303,201,203", "1d,17,18",
     "t12d4605h2_85626a9a5f7f_aaf95bb78ec9", NULL, NULL, NULL},
    {"Chrome (browsers-x509)", 0x0303, "aaaa," CHROME_CIPHERS,
     "6a6a,d,0,a,5,b,2b,1b,ff01,33,4469,2d,23,17,12,10,a0a,15", "h2",
     CHROME_SIGNATURES, "8a8a,1d,17,18", "t13d1516h2_8daaf6152771_e5627efa2ab1",
     NULL, NULL, NULL},
    {"Chrome, older (badcurveball)", 0x0303, "aaaa," CHROME_CIPHERS ",a",
     "4a4a,0,17,ff01,a,b,23,10,5,d,12,33,2d,2b,1b,7a7a,15", "h2",
     CHROME_SIGNATURES ",201", "8a8a,1d,17,18",
     "t13d1615h2_46e7e9700bed_45f260be83e2",
     "t13d1615h2_45f31bb0a5cc_b0e5d31d5128", NULL, NULL},
    {"Windows, no ALPN (latest, 1)", 0x0303,
     "c02c,c02b,c030,c02f,c024,c023,c028,c027,c00a,c009,c014,c013,9d,9c,3d,3c,"
     "35,2f,a",
     "0,5,a,b,d,23,17,ff01", NULL,
     "804,805,806,401,501,201,403,503,203,202,601,603", "1d,17,18",
     "t12d190800_d83cc789557e_7af1ed941c26", NULL, NULL, NULL},
    {"a program of Chromium, resuming (latest, 2)", 0x0303,
     "a0a," CHROME_CIPHERS,
     "5a5a,d,10,0,b,23,4469,ff01,33,a,2d,2b,5,17,12,1b,6a6a,29", "h2",
     CHROME_SIGNATURES, "8a8a,1d,17,18", "t13d1516h2_8daaf6152771_9b887d9acb53",
     NULL, NULL, NULL},
    {"Chrome 143", 0x0303, "2a2a," CHROME_CIPHERS,
     "3a3a,2d,33,10,fe0d,17,44cd,0,b,a,2b,ff01,23,12,5,d,1b,4a4a", "h2",
     CHROME_SIGNATURES, "5a5a,11ec,1d,17,18",
     "t13d1516h2_8daaf6152771_d8a2da3f94cd",
     "t13d1516h2_acb858a92679_f96a17c57971", "98487aa16281980e7d1120d399efb6a4",
     "8e19337e7524d2573be54efb2b0784c9"},
    {"the example of JA3's own tool", 0x0301,
     "ff,c00a,c014,88,87,39,38,c00f,c005,84,35,c007,c009,c011,c013,45,44,33,32,"
     "c00c,c00e,c002,c004,96,41,4,5,2f,c008,c012,16,13,c00d,c003,feff,a",
     "0,a,b,23", NULL, NULL, "17,18,19", NULL, NULL,
     "2aef69b4ba1938c3a400de4188743185", NULL},
};

struct msg {
    unsigned char bytes[2048];
    size_t len;
};

static void u16(struct msg *m, unsigned v)
{
    m->bytes[m->len++] = (unsigned char)(v >> 8);
    m->bytes[m->len++] = (unsigned char)v;
}

static void close_vector(struct msg *m, size_t at)
{
    m->bytes[at] = (unsigned char)((m->len - at - 2) >> 8);
    m->bytes[at + 1] = (unsigned char)(m->len - at - 2);
}

static size_t open_vector(struct msg *m)
{
    u16(m, 0);
    return m->len - 2;
}

static void list(struct msg *m, const char *text)
{
    size_t at = open_vector(m);

    for (char *end; text != NULL && *text != '\0';
         text = *end == ',' ? end + 1 : end)
        u16(m, (unsigned)strtoul(text, &end, 16));
    close_vector(m, at);
}

static void raw(struct msg *m, const void *bytes, size_t len)
{
    memcpy(m->bytes + m->len, bytes, len);
    m->len += len;
}

/* Of one there is what a fingerprint is made of. */
static void extension(struct msg *m, const struct known *k, unsigned type)
{
    size_t at;

    u16(m, type);
    at = open_vector(m);
    if (type == 0)
        raw(m,
            "\0\x09\0\0\x06"
            "a.test",
            11);
    else if (type == 10)
        list(m, k->groups);
    else if (type == 11)
        raw(m, "\1\0", 2);
    else if (type == 13)
        list(m, k->signatures);
    else if (type == 43)
        raw(m, "\x06\x1a\x1a\3\4\3\3", 7);
    else if (type == 16) {
        u16(m, (unsigned)strlen(k->alpn) + 1);
        m->bytes[m->len++] = (unsigned char)strlen(k->alpn);
        raw(m, k->alpn, strlen(k->alpn));
    }
    close_vector(m, at);
}

static void build(struct msg *m, const struct known *k)
{
    const char *text = k->extensions;
    size_t at;

    memset(m, 0, sizeof(*m));
    raw(m, "\1\0", 2);
    (void)open_vector(m);
    u16(m, k->version);
    m->len += 33; /* random, no session id */
    list(m, k->ciphers);
    u16(m, 0x0100);
    at = open_vector(m);
    for (char *end; *text != '\0'; text = *end == ',' ? end + 1 : end)
        extension(m, k, (unsigned)strtoul(text, &end, 16));
    close_vector(m, at);
    close_vector(m, 2);
}

static void each_is_known_by_its_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct {
            int item;
            const char *want;
        } values[] = {{TLSOCK_INFO_JA4, rows[i].ja4},
                      {TLSOCK_INFO_JA4_O, rows[i].ja4_o},
                      {TLSOCK_INFO_JA3, rows[i].ja3},
                      {TLSOCK_INFO_JA3N, rows[i].ja3n}};
        struct msg m;

        build(&m, &rows[i]);
        for (size_t v = 0; v < COUNT(values); v++) {
            char out[1024];

            if (values[v].want == NULL)
                continue;
            assert_true(tlsock_hello_print(m.bytes, m.len, values[v].item, out,
                                           sizeof(out)) > 0);
            if (strcmp(out, values[v].want) != 0)
                fail_msg("%s: %s", rows[i].whose, out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_known_by_its_values),
    };

    return cmocka_run_group_tests_name("printsknown", tests, NULL, NULL);
}
