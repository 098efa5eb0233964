/* config - the bytes as an INI file, each of its lines as an option: any text
 * is refused with a reason, or taken, and then taken a second time with the
 * same result. No file is opened but for the look at a keylog's name. */
#include "api/ini.h"
#include "core/err.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <tlsock/config.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int claim)
{
    if (!claim)
        abort();
}

static int line(void *arg, struct tsk_ini_item *item, tlsock_error *err)
{
    tlsock_config *c = arg;
    const tlsock_error *why = tlsock_config_error(c);
    int rc;

    (void)err;
    must(item->line > 0 && item->section != NULL);
    if (item->key == NULL) {
        must(item->section[0] != '\0');
        return TLSOCK_OK;
    }
    must(item->key[0] != '\0' && item->value[0] != '\0');
    rc = tlsock_config_set(c, item->key, item->value);
    must(rc == why->code);
    if (rc == TLSOCK_OK) {
        must(tlsock_config_set(c, item->key, item->value) == TLSOCK_OK);
        return TLSOCK_OK;
    }
    must(rc == TLSOCK_E_OPTION || rc == TLSOCK_E_UNSUPPORTED ||
         rc == TLSOCK_E_NOMEM);
    must(why->message[0] != '\0' && why->hint[0] != '\0');
    if (strpbrk(item->value, "#!") != NULL) /* lets the reader stop, too */
        return tsk_fail(err, rc, "%s", why->message);
    return TLSOCK_OK;
}

static void pins(const char *text)
{
    tlsock_config *c = tlsock_config_new();
    int rc;

    if (c == NULL)
        return;
    rc = tlsock_config_add_pin(c, text);
    must(rc == tlsock_config_error(c)->code);
    tlsock_config_unref(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    tlsock_config *c = tlsock_config_new(), *copy;
    tlsock_error err = {0};
    char *text = malloc(len + 1);
    int rc;

    if (c == NULL || text == NULL)
        goto out;
    if (len > 0)
        memcpy(text, data, len);
    text[len] = '\0';
    rc = tsk_ini_parse(text, len, "fuzz.ini", line, c, &err);
    must(rc == err.code);
    must(rc == TLSOCK_OK || rc == TLSOCK_E_NOMEM ||
         (rc == TLSOCK_E_CONFIG_FILE &&
          strncmp(err.message, "fuzz.ini:", 9) == 0));
    pins(text);
    copy = tlsock_config_copy(c);
    must(copy != NULL);
    tlsock_config_unref(copy);
out:
    tlsock_config_unref(c);
    free(text);
    return 0;
}
