/* What a build without libjose says about ACME. */
#include "acme.h"
#include "errors.h"

int acme_check_opts(const struct acme_opts *how, const struct opts *o)
{
    (void)how;
    return err_plain(&o->out, "--acme", EXIT_USAGE, "unsupported",
                     "install libjose-dev and build with -Dacme=enabled",
                     "this build cannot serve ACME: it was made without "
                     "libjose");
}

struct acme *acme_new(const struct acme_opts *how, int *rc)
{
    (void)how;
    *rc = EXIT_USAGE;
    return NULL;
}

void acme_free(struct acme *a)
{
    (void)a;
}

int acme_answer(struct acme *a, const struct http_request *r,
                struct http_answer *out)
{
    (void)a;
    (void)r;
    (void)out;
    return 0;
}

void acme_look(struct acme *a)
{
    (void)a;
}

int acme_identity(struct ca_site *s, const struct strs *hosts, int wait,
                  tlsock_cert **c, char path[4096], tlsock_error *err)
{
    (void)s;
    (void)hosts;
    (void)wait;
    (void)c;
    (void)path;
    (void)err;
    return TLSOCK_E_UNSUPPORTED;
}
