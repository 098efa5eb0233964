#include "tls/password.h"

#include "tls/op.h"

#include <string.h>

static int none_given(const char *name, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_PASSWORD,
             "\"%s\" is encrypted, and the PASSWORD hook gave no password",
             name);
    tsk_hint(err, "the hook hands it over with tlsock_op_done(event->op, 0, "
                  "password, length) and returns 0");
    return TLSOCK_E_PASSWORD;
}

static int too_long(const char *name, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_PASSWORD,
             "the PASSWORD hook gave more than %d bytes for \"%s\"",
             TSK_PASS_MAX, name);
    tsk_hint(err, "the password alone, without what is around it");
    return TLSOCK_E_PASSWORD;
}

/* What the hook refuses with means no more than that there is no password. */
static int unusable(int code, const char *name, tlsock_error *err)
{
    if (code == TLSOCK_E_NOMEM)
        return code;
    if (code != TLSOCK_E_HOOK)
        return none_given(name, err);
    tsk_about(err, "\"%s\": ", name);
    return code;
}

static int ask(void *arg, const char *name, const tlsock_error *wrong,
               char out[TSK_PASS_MAX + 1], size_t *len, tlsock_error *err)
{
    const struct tsk_settings *set = arg;
    tlsock_event e = {.size = sizeof(e),
                      .kind = TLSOCK_ON_PASSWORD,
                      .fd = -1,
                      .name = name,
                      .error = wrong};
    struct tsk_op *op;
    const void *data;
    int rc = tsk_op_ask(&set->on[TLSOCK_ON_PASSWORD], &e, TSK_OP_NOW, &op, err);

    if (rc < 0)
        return unusable(rc, name, err);
    data = tsk_op_data(op, len);
    if (*len == 0) {
        rc = none_given(name, err);
    } else if (*len > TSK_PASS_MAX) {
        rc = too_long(name, err);
    } else {
        memcpy(out, data, *len);
        out[*len] = '\0';
    }
    tsk_op_free(op);
    return rc;
}

const struct tsk_asker *tsk_password_asker(struct tsk_asker *room,
                                           const struct tsk_settings *set)
{
    if (set->on[TLSOCK_ON_PASSWORD].call == NULL)
        return NULL;
    room->ask = ask;
    room->arg = (struct tsk_settings *)(uintptr_t)set; /* only read */
    return room;
}
