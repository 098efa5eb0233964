#include "trust_nicks.h"

#include <stdlib.h>
#include <string.h>

/* "nickname    C,," - how the nickname ends, and whether servers are trusted;
 * NULL: another line. */
static const char *parse(const char *line, size_t len, size_t *nick,
                         int *trusted)
{
    size_t at = len, commas = 0;

    while (len > 0 && line[len - 1] == ' ')
        len--;
    for (at = len; at > 0 && line[at - 1] != ' '; at--) {
        if (line[at - 1] == ',')
            commas++;
        else if (strchr("pPcCTuwgGU", line[at - 1]) == NULL)
            return NULL;
    }
    if (commas != 2 || at == 0)
        return NULL;
    *trusted = memchr(line + at, 'C', strcspn(line + at, ",")) != NULL;
    while (at > 0 && line[at - 1] == ' ')
        at--;
    *nick = at;
    return at > 0 ? line : NULL;
}

static int is_claimed(const struct trust_found *f, const char *sha256)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->v[i].ours && strcmp(f->v[i].sha256, sha256) == 0)
            return 1;
    }
    return 0;
}

int trust_nicks_tell(struct trust_nick *rows, size_t n, struct trust_found *f)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < rows[i].certs.n; j++) {
            const struct trust_entry *e = &rows[i].certs.v[j];

            if (!e->ours)
                continue;
            rows[i].claimed = 1;
            if (trust_push(f, e->name, e->sha256, e->trusted) < 0)
                return -1;
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; !rows[i].claimed && j < rows[i].certs.n; j++) {
            const struct trust_entry *e = &rows[i].certs.v[j];
            int trusted = e->trusted;

            if (is_claimed(f, e->sha256))
                continue;
            for (size_t k = 0; k < f->n; k++) {
                if (strcmp(f->v[k].sha256, e->sha256) == 0)
                    trusted = f->v[k].trusted &= trusted;
            }
            if (trust_push(f, e->name, e->sha256, trusted) < 0)
                return -1;
        }
    }
    return 0;
}

int trust_nicks_read(char *text, struct trust_nick **rows, size_t *n)
{
    for (char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\n"), nick;
        int last = line[len] == '\0', trusted;
        struct trust_nick *grown;

        if (parse(line, len, &nick, &trusted) != NULL &&
            nick < sizeof(grown->nick)) {
            grown = realloc(*rows, (*n + 1) * sizeof(*grown));
            if (grown == NULL)
                return -1;
            *rows = grown;
            grown += (*n)++;
            *grown = (struct trust_nick){.trusted = trusted};
            memcpy(grown->nick, line, nick);
        }
        line += len + (last ? 0 : 1);
    }
    return 0;
}
