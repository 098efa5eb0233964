#include "tls/hosts.h"

#include "core/mem.h"
#include "tls/identity.h"
#include "tls/walk.h"

#include <string.h>

#define NAME_MOST 253

/* Lists are in an array of links, so that a name costs 12 bytes beside its
 * text, and an identity of a name 8. Link 0 is the end of all lists. */
struct link {
    uint32_t identity, next;
};

struct name {
    uint32_t hash, text; /* text: where it begins in texts */
    uint32_t first, last;
};

struct tsk_hosts {
    struct link *links;
    struct name *names;
    char *texts;     /* lower case, each with its NUL */
    uint32_t *slots; /* place in names + 1, or 0; found by hash */
    size_t n_links, cap_links, n_names, cap_names, n_texts, cap_texts;
    size_t n_slots; /* a power of two, more than twice n_names */
    uint32_t def;   /* first link of the default's list */
};

/* FNV-1a. Who asks chooses what is looked for, not what is in the table, so
 * that he cannot make a chain long. */
static uint32_t hash_of(const char *text)
{
    uint32_t h = 2166136261U;

    for (; *text != '\0'; text++)
        h = (h ^ (uint8_t)*text) * 16777619U;
    return h;
}

/* Lower case, without a final dot. 0: no host has such a name. */
static int fold(char out[NAME_MOST + 1], const char *name, size_t len)
{
    if (len > 0 && name[len - 1] == '.')
        len--;
    if (len == 0 || len > NAME_MOST || memchr(name, '\0', len) != NULL)
        return 0;
    for (size_t i = 0; i < len; i++)
        out[i] =
            (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
    out[len] = '\0';
    return 1;
}

static struct name *find(const struct tsk_hosts *h, const char *text)
{
    uint32_t hash = hash_of(text);

    if (h->n_slots == 0)
        return NULL;
    for (size_t i = hash;; i++) {
        uint32_t at = h->slots[i & (h->n_slots - 1)];

        if (at == 0)
            return NULL;
        if (h->names[at - 1].hash == hash &&
            strcmp(h->texts + h->names[at - 1].text, text) == 0)
            return &h->names[at - 1];
    }
}

static int room(void *array, size_t n, size_t *cap, size_t more, size_t size)
{
    void *old, *bigger;
    size_t want = *cap != 0 ? *cap : 16;

    if (n + more <= *cap)
        return TLSOCK_OK;
    while (want < n + more)
        want += want / 2;
    memcpy(&old, array, sizeof(old));
    bigger = want < UINT32_MAX ? tsk_realloc(old, want * size) : NULL;
    if (bigger == NULL)
        return TLSOCK_E_NOMEM;
    memcpy(array, &bigger, sizeof(bigger));
    *cap = want;
    return TLSOCK_OK;
}

static int grow_slots(struct tsk_hosts *h)
{
    size_t n = h->n_slots != 0 ? h->n_slots * 2 : 16;
    uint32_t *slots;

    if (h->n_names * 2 < h->n_slots)
        return TLSOCK_OK;
    slots = tsk_alloc(n * sizeof(*slots));
    if (slots == NULL)
        return TLSOCK_E_NOMEM;
    for (size_t i = 0; i < h->n_names; i++) {
        size_t at = h->names[i].hash;

        while (slots[at & (n - 1)] != 0)
            at++;
        slots[at & (n - 1)] = (uint32_t)(i + 1);
    }
    tsk_free(h->slots);
    h->slots = slots;
    h->n_slots = n;
    return TLSOCK_OK;
}

/* NULL: no memory */
static struct name *add_name(struct tsk_hosts *h, const char *text)
{
    size_t len = strlen(text) + 1, at;
    struct name *name;

    if (room(&h->texts, h->n_texts, &h->cap_texts, len, 1) < 0 ||
        room(&h->names, h->n_names, &h->cap_names, 1, sizeof(*name)) < 0 ||
        grow_slots(h) < 0)
        return NULL;
    name = &h->names[h->n_names++];
    *name = (struct name){.hash = hash_of(text), .text = (uint32_t)h->n_texts};
    memcpy(h->texts + h->n_texts, text, len);
    h->n_texts += len;
    for (at = name->hash; h->slots[at & (h->n_slots - 1)] != 0;)
        at++;
    h->slots[at & (h->n_slots - 1)] = (uint32_t)h->n_names;
    return name;
}

/* The identity at the end of a list; *last is its last link, or 0. */
static int append(struct tsk_hosts *h, uint32_t *first, uint32_t *last,
                  size_t identity)
{
    uint32_t link;

    if (*last != 0 && h->links[*last].identity == identity)
        return TLSOCK_OK; /* a certificate may say a name twice */
    if (room(&h->links, h->n_links, &h->cap_links, 1, sizeof(*h->links)) < 0)
        return TLSOCK_E_NOMEM;
    link = (uint32_t)h->n_links++;
    h->links[link] = (struct link){.identity = (uint32_t)identity};
    if (*last != 0)
        h->links[*last].next = link;
    else
        *first = link;
    *last = link;
    return TLSOCK_OK;
}

/* "*" stands for the whole of the first label, with two more behind it, or for
 * nothing (RFC 9525, 6.3). */
static int usable(const char *text)
{
    const char *star = strchr(text, '*'), *dot;

    if (star == NULL)
        return 1;
    dot = strchr(text + 1, '.');
    return star == text && dot == text + 1 && strchr(dot + 1, '.') != NULL &&
           strchr(star + 1, '*') == NULL;
}

static int put(struct tsk_hosts *h, const char *name, size_t len,
               size_t identity)
{
    char text[NAME_MOST + 1];
    struct name *at;

    if (!fold(text, name, len) || !usable(text))
        return TLSOCK_OK; /* nobody can ask for it */
    at = find(h, text);
    if (at == NULL)
        at = add_name(h, text);
    return at != NULL ? append(h, &at->first, &at->last, identity)
                      : TLSOCK_E_NOMEM;
}

static int put_sans(struct tsk_hosts *h, struct tsk_tlv sans, size_t identity)
{
    struct tsk_tlv name;
    int rc = TLSOCK_OK;

    while (rc == TLSOCK_OK && tsk_walk_dns(&sans, &name))
        rc = put(h, (const char *)name.p, tsk_tlv_len(&name), identity);
    return rc;
}

static int put_identity(struct tsk_hosts *h, const struct tsk_settings *set,
                        size_t i, uint32_t *last)
{
    const struct tsk_identity *id = &set->identities[i];
    struct tsk_leaf leaf;
    int rc;

    if (id->host != NULL && *id->host == '\0')
        return append(h, &h->def, last, i);
    if (id->host != NULL)
        return put(h, id->host, strlen(id->host), i);
    if (!tsk_identity_leaf(id, &leaf))
        return TLSOCK_E_NOMEM;
    rc = put_sans(h, leaf.walk.sans, i);
    tsk_identity_leaf_free(&leaf);
    return rc;
}

/* No host is "": identity 0, with what else has the name it was found by first,
 * or without a name is just as much without one. */
static int choose_default(struct tsk_hosts *h, const struct tsk_settings *set)
{
    uint32_t last = 0;
    int rc = TLSOCK_OK;

    for (size_t i = 0; h->def == 0 && i < h->n_names; i++)
        if (h->links[h->names[i].first].identity == 0)
            h->def = h->names[i].first;
    if (h->def != 0 || set->n_identities == 0)
        return TLSOCK_OK;
    for (size_t i = 0; i < set->n_identities && rc == TLSOCK_OK; i++)
        if (i == 0 ||
            tsk_identity_same_sans(&set->identities[0], &set->identities[i]))
            rc = append(h, &h->def, &last, i);
    return rc;
}

/* NULL: no memory */
static struct tsk_hosts *empty(void)
{
    struct tsk_hosts *h = tsk_alloc(sizeof(*h));

    if (h == NULL ||
        room(&h->links, 0, &h->cap_links, 1, sizeof(*h->links)) < 0) {
        tsk_free(h);
        return NULL;
    }
    memset(h->links, 0, sizeof(*h->links));
    h->n_links = 1;
    return h;
}

static int done(struct tsk_hosts *h, int rc, struct tsk_hosts **out,
                tlsock_error *err)
{
    if (rc == TLSOCK_OK) {
        *out = h;
        return TLSOCK_OK;
    }
    tsk_hosts_free(h);
    return tsk_fail_nomem(err);
}

int tsk_hosts_new(const struct tsk_settings *set, struct tsk_hosts **out,
                  tlsock_error *err)
{
    struct tsk_hosts *h = empty();
    int rc = h != NULL ? TLSOCK_OK : TLSOCK_E_NOMEM;
    uint32_t last = 0;

    for (size_t i = 0; rc == TLSOCK_OK && i < set->n_identities; i++)
        rc = put_identity(h, set, i, &last);
    if (rc == TLSOCK_OK)
        rc = choose_default(h, set);
    return done(h, rc, out, err);
}

int tsk_hosts_of_sets(const struct tsk_settings *set, struct tsk_hosts **out,
                      tlsock_error *err)
{
    struct tsk_hosts *h = empty();
    int rc = h != NULL ? TLSOCK_OK : TLSOCK_E_NOMEM;

    for (size_t i = 0; rc == TLSOCK_OK && i < set->n_host_sets; i++)
        rc = put(h, set->host_sets[i].name, strlen(set->host_sets[i].name), i);
    return done(h, rc, out, err);
}

void tsk_hosts_free(struct tsk_hosts *h)
{
    if (h == NULL)
        return;
    tsk_free(h->links);
    tsk_free(h->names);
    tsk_free(h->texts);
    tsk_free(h->slots);
    tsk_free(h);
}

static struct tsk_hosts_at list_of(const struct tsk_hosts *h, const char *text)
{
    const struct name *name = find(h, text);

    return (struct tsk_hosts_at){h, name != NULL ? name->first : 0};
}

struct tsk_hosts_at tsk_hosts_exact(const struct tsk_hosts *h, const char *name)
{
    char text[NAME_MOST + 1];

    if (!fold(text, name, strlen(name)) || strchr(text, '*') != NULL)
        return (struct tsk_hosts_at){h, 0};
    return list_of(h, text);
}

struct tsk_hosts_at tsk_hosts_wild(const struct tsk_hosts *h, const char *name)
{
    char text[NAME_MOST + 1], *dot;

    if (!fold(text, name, strlen(name)) || strchr(text, '*') != NULL)
        return (struct tsk_hosts_at){h, 0};
    dot = strchr(text, '.');
    if (dot == NULL || dot == text)
        return (struct tsk_hosts_at){h, 0};
    *--dot = '*';
    return list_of(h, dot);
}

struct tsk_hosts_at tsk_hosts_default(const struct tsk_hosts *h)
{
    return (struct tsk_hosts_at){h, h->def};
}

int tsk_hosts_next(struct tsk_hosts_at *at, size_t *identity)
{
    if (at->link == 0)
        return 0;
    *identity = at->of->links[at->link].identity;
    at->link = at->of->links[at->link].next;
    return 1;
}

size_t tsk_hosts_count(struct tsk_hosts_at at)
{
    size_t n = 0, identity;

    while (tsk_hosts_next(&at, &identity))
        n++;
    return n;
}
