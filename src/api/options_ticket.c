/* Where the secret of tickets is: looked at here, so that plain mistakes show;
 * read again when the config is first used. It may hold a password, so it is in
 * no message. */
#include "api/options.h"
#include "core/mem.h"
#include "net/redis.h"
#include "session/ticketsecret.h"

#include <string.h>

static int check_redis(const struct tsk_optrow *row, const char *value,
                       tlsock_error *err)
{
    struct tsk_redis_where *w = tsk_alloc(sizeof(*w));
    tlsock_error why = {0};
    int rc;

    (void)value;
    if (w == NULL)
        return tsk_fail_nomem(err);
    rc = tsk_redis_where(w, value, &why);
    tsk_free_secret(w, sizeof(*w));
    if (rc == TLSOCK_OK)
        return rc;
    tsk_option_bad(err, row, "...", why.message);
    tsk_hint(err, "%s", why.hint);
    return TLSOCK_E_OPTION;
}

static int check(const struct tsk_optrow *row, const char *value,
                 tlsock_error *err)
{
    struct tsk_secrets s;
    int rc;

    switch (tsk_secret_kind(value)) {
    case TSK_SECRET_REDIS:
        return check_redis(row, value, err);
    case TSK_SECRET_BAD:
        return tsk_option_bad(err, row, "...",
                              "file:PATH, env:NAME, redis://HOST/?key=NAME or "
                              "rediss://");
    default:
        rc = tsk_secrets_read(&s, value, NULL, err);
        tsk_wipe(&s, sizeof(s));
        return rc;
    }
}

TSK_OPTION_PARSER(ticket_secret)
{
    char **field = tsk_option_field(row, set), *old = *field;
    int rc = check(row, value, err);

    if (rc < 0)
        return rc;
    *field = NULL; /* the old one is wiped, not only freed */
    rc = tsk_option_text(field, value, err);
    if (rc < 0)
        *field = old;
    else if (old != NULL)
        tsk_free_secret(old, strlen(old));
    return rc;
}
