/* The accounts of ACME clients, in a file of the CA's directory. */
#include "acme_private.h"
#include "errors.h"
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define FILE_NAME "acme-accounts.json"
#define SCHEMA "tlsock.acme-accounts/1"

int acme_random_id(char id[ACME_ID])
{
    unsigned char raw[16];

    if (RAND_bytes(raw, sizeof(raw)) != 1)
        return -1;
    acme_b64_encode(raw, sizeof(raw), id, ACME_ID);
    return 0;
}

struct acme_account *acme_account_find(struct acme *a, const char *id)
{
    struct acme_account *at = a->accounts;

    while (at != NULL && strcmp(at->id, id) != 0)
        at = at->next;
    return at;
}

struct acme_account *acme_account_of_key(struct acme *a, const char *thumb)
{
    struct acme_account *at = a->accounts;

    while (at != NULL && strcmp(at->thumb, thumb) != 0)
        at = at->next;
    return at;
}

int acme_account_has(const struct acme_account *a, const char *serial)
{
    for (size_t i = 0; i < json_array_size(a->serials); i++) {
        const char *s = json_string_value(json_array_get(a->serials, i));

        if (s != NULL && strcmp(s, serial) == 0)
            return 1;
    }
    return 0;
}

static void free_account(struct acme_account *a)
{
    if (a == NULL)
        return;
    json_decref(a->jwk);
    json_decref(a->contact);
    json_decref(a->serials);
    free(a);
}

struct acme_account *acme_account_add(struct acme *a, const json_t *jwk)
{
    struct acme_account *n =
        a->n_accounts < ACME_ACCOUNTS ? calloc(1, sizeof(*n)) : NULL;

    if (n == NULL)
        return NULL;
    n->jwk = json_deep_copy(jwk);
    n->contact = json_array();
    n->serials = json_array();
    n->created = (json_int_t)time(NULL);
    n->used = n->created;
    if (n->jwk == NULL || n->contact == NULL || n->serials == NULL ||
        acme_random_id(n->id) < 0 || acme_jwk_thumb(n->jwk, n->thumb) < 0) {
        free_account(n);
        return NULL;
    }
    n->next = a->accounts;
    a->accounts = n;
    a->n_accounts++;
    return n;
}

void acme_account_drop(struct acme *a, struct acme_account *account)
{
    struct acme_account **at = &a->accounts;

    while (*at != account)
        at = &(*at)->next;
    *at = account->next;
    a->n_accounts--;
    free_account(account);
}

static int has_orders(const struct acme *a, const struct acme_account *account)
{
    const struct acme_order *o = a->orders;

    while (o != NULL && o->account != account)
        o = o->next;
    return o != NULL;
}

int acme_account_give_up(struct acme *a, int64_t now)
{
    struct acme_account *idle = NULL;

    for (struct acme_account *at = a->accounts; at != NULL; at = at->next)
        if (at->used + ACME_IDLE_S <= now &&
            json_array_size(at->serials) == 0 && !has_orders(a, at) &&
            (idle == NULL || at->used < idle->used))
            idle = at;
    if (idle == NULL)
        return 0;
    acme_account_drop(a, idle);
    return 1;
}

void acme_store_free(struct acme *a)
{
    while (a->accounts != NULL)
        acme_account_drop(a, a->accounts);
    if (a->lock >= 0)
        close(a->lock);
}

/* NULL: no memory; an account without its key would be none. */
static json_t *row_json(const struct acme_account *a)
{
    json_t *row = json_object();
    int rc = json_object_set_new(row, "id", json_string(a->id));

    rc |= json_object_set_new(
        row, "status", json_string(a->deactivated ? "deactivated" : "valid"));
    rc |= json_object_set_new(row, "created", json_integer(a->created));
    rc |= json_object_set(row, "jwk", a->jwk);
    rc |= json_object_set(row, "contact", a->contact);
    rc |= json_object_set(row, "serials", a->serials);
    if (rc == 0)
        return row;
    json_decref(row);
    return NULL;
}

/* All of them, or NULL. */
static json_t *all_json(const struct acme *a)
{
    json_t *all = json_object(), *rows = json_array();
    int rc = json_object_set_new(all, "schema", json_string(SCHEMA));

    rc |= json_object_set(all, "accounts", rows);
    /* the newest comes first here, and last in the file */
    for (struct acme_account *at = a->accounts; rc == 0 && at != NULL;
         at = at->next)
        rc = json_array_insert_new(rows, 0, row_json(at));
    json_decref(rows);
    if (rc == 0)
        return all;
    json_decref(all);
    return NULL;
}

/* Written, on the disk, and then only in its place. */
static int replace(const char *path, const json_t *all)
{
    char aside[4200];
    int fd, ok;

    snprintf(aside, sizeof(aside), "%s.new", path);
    fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
              0600);
    ok = fd >= 0 && json_dumpfd(all, fd, JSON_INDENT(1)) == 0 && fsync(fd) == 0;
    if (fd >= 0 && close(fd) < 0)
        ok = 0;
    ok = ok && rename(aside, path) == 0;
    if (!ok && fd >= 0) {
        int saved = errno;

        unlink(aside);
        errno = saved;
    }
    return ok ? 0 : -1;
}

int acme_store_save(struct acme *a)
{
    json_t *all = all_json(a);
    int rc = all != NULL ? replace(a->path, all) : -1;

    if (all == NULL)
        err_plain(a->how.out, "acme", EXIT_INTERNAL, "nomem", "",
                  "out of memory for %s", a->path);
    else if (rc < 0)
        err_plain(a->how.out, "acme", EXIT_OWN, "own-file",
                  "accounts are kept in the CA's directory, which has to be "
                  "writable",
                  "%s: %s", a->path, strerror(errno));
    json_decref(all);
    return rc;
}

static int take_row(struct acme *a, const json_t *row)
{
    const char *id = json_string_value(json_object_get(row, "id"));
    const char *status = json_string_value(json_object_get(row, "status"));
    const json_t *jwk = json_object_get(row, "jwk");
    json_t *contact = json_object_get(row, "contact"),
           *serials = json_object_get(row, "serials");
    struct acme_problem ignored;
    struct acme_account *n;

    if (id == NULL || strlen(id) != ACME_ID - 1 || status == NULL ||
        !json_is_array(contact) || !json_is_array(serials) ||
        acme_jwk_check(jwk, &ignored) < 0)
        return -1;
    n = acme_account_add(a, jwk);
    if (n == NULL)
        return -1;
    memcpy(n->id, id, ACME_ID);
    n->deactivated = strcmp(status, "valid") != 0;
    n->created = json_integer_value(json_object_get(row, "created"));
    n->used = n->created;
    json_decref(n->contact);
    json_decref(n->serials);
    n->contact = json_deep_copy(contact);
    n->serials = json_deep_copy(serials);
    return n->contact != NULL && n->serials != NULL ? 0 : -1;
}

/* errno was 0 before it was read. */
static int not_read(const struct acme *a, const char *why, int line)
{
    if (errno == ENOMEM)
        return err_plain(a->how.out, "acme", EXIT_INTERNAL, "nomem", "",
                         "out of memory for %s", a->path);
    return err_plain(a->how.out, "acme", EXIT_OWN, "own-file",
                     "repair it, or move it away: clients then make new "
                     "accounts by themselves",
                     "%s: line %d: %s", a->path, line, why);
}

static int lock_it(struct acme *a)
{
    char path[LOCAL_PATH];

    if (local_path(path, a->how.site->dir, "acme.lock") < 0 ||
        local_path(a->path, a->how.site->dir, FILE_NAME) < 0)
        return err_plain(a->how.out, "acme", EXIT_OWN, "own-file",
                         "a shorter path", "%s: too long", a->how.site->dir);
    a->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (a->lock < 0)
        return err_plain(a->how.out, "acme", EXIT_OWN, "own-file",
                         "the CA's directory has to be writable", "%s: %s",
                         path, strerror(errno));
    if (flock(a->lock, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return err_plain(a->how.out, "acme", EXIT_OWN, "own-file",
                     "end the other one first",
                     "another ca serve --acme is at work with this CA");
}

int acme_store_load(struct acme *a)
{
    json_error_t why;
    json_t *all, *rows, *row;
    int rc = lock_it(a);
    size_t i;

    if (rc != 0 || access(a->path, F_OK) != 0)
        return rc;
    errno = 0;
    all = json_load_file(a->path, JSON_REJECT_DUPLICATES, &why);
    if (all == NULL)
        return not_read(a, why.text, why.line);
    rows = json_object_get(all, "accounts");
    errno = 0;
    if (!json_is_array(rows))
        rc = not_read(a, "there are no accounts", 1);
    else if (json_array_size(rows) > ACME_ACCOUNTS)
        rc = not_read(a, "there are too many accounts", 1);
    for (i = 0; rc == 0 && i < json_array_size(rows); i++) {
        row = json_array_get(rows, i);
        if (take_row(a, row) < 0)
            rc = not_read(a, "an account is not sound", (int)i + 1);
    }
    json_decref(all);
    return rc;
}
