/* client-auth.allow: see verify/allow.h for what a rule may be. */
#include "api/options.h"

TSK_OPTION_PARSER(allow)
{
    int adds = *value == '+';
    tlsock_error why = {0};
    struct tsk_allow *fresh;

    (void)row;
    if (err != NULL)
        why.phase = err->phase;
    fresh = tsk_allow_new(adds ? set->allow : NULL, value + adds, &why);
    if (fresh == NULL) {
        if (err != NULL)
            *err = why;
        return why.code;
    }
    tsk_allow_unref(set->allow);
    set->allow = fresh;
    return TLSOCK_OK;
}
