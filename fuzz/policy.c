/* policy - the bytes as a policy: refused with a reason and a line, or taken;
 * then applied to settings twice. What a policy has tightened it does not
 * tighten again, and settings that were refused once are so for good. Files
 * that it names are opened. */
#include "api/config_box.h"
#include "api/policy_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int claim)
{
    if (!claim)
        abort();
}

static int apply(const struct tsk_policy_file *f, struct tsk_settings *set)
{
    tlsock_error err = {0};
    int rc = TLSOCK_OK;

    for (size_t i = 0; i < f->n && rc == TLSOCK_OK; i++) {
        rc = tsk_rule_apply(&f->rules[i], set, f->rules[i].note, &err);
        must(rc == TLSOCK_OK || rc == TLSOCK_E_POLICY);
        must(rc == err.code);
        must(rc == TLSOCK_OK || err.hint[0] != '\0');
        must(rc < 0 || !tsk_rule_looser(&f->rules[i], set) ||
             f->rules[i].number != 0);
    }
    return rc;
}

static void stricter(const struct tsk_policy_file *f)
{
    struct tsk_box *box = tsk_box_new(NULL), *again;

    must(box != NULL);
    if (apply(f, &box->set) == TLSOCK_OK) {
        must(box->set.tls_min >= 0x0303 && box->set.psl == 1);
        must(box->set.insecure == 0 && box->set.revocation > 0);
        again = tsk_box_copy(box, NULL);
        must(again != NULL && apply(f, &again->set) == TLSOCK_OK);
        must(again->set.tls_min == box->set.tls_min);
        must(again->set.revocation == box->set.revocation);
        must(again->set.n_trust == box->set.n_trust);
        must((again->set.groups == NULL) == (box->set.groups == NULL));
        must(again->set.groups == NULL ||
             strcmp(again->set.groups, box->set.groups) == 0);
        tsk_box_unref(again);
    }
    tsk_box_unref(box);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct tsk_policy_file *f;
    tlsock_error err = {0};

    f = tsk_policy_file_parse((const char *)data, len, "fuzz.conf", &err);
    must((f == NULL) == (err.code != 0));
    if (f == NULL) {
        must(err.code == TLSOCK_E_CONFIG_FILE &&
             strncmp(err.message, "fuzz.conf:", 10) == 0);
        return 0;
    }
    stricter(f);
    tsk_policy_file_free(f);
    return 0;
}
