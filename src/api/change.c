#include "api/conn.h"

int tlsock_start_tls(tlsock *s, const char *name)
{
    (void)name;
    return tsk_fail(&s->err, TLSOCK_E_UNSUPPORTED, "tlsock_start_tls()");
}

int tlsock_stop_tls(tlsock *s)
{
    return tsk_fail(&s->err, TLSOCK_E_UNSUPPORTED, "tlsock_stop_tls()");
}

int tlsock_starttls(tlsock *s, const char *protocol, const char *arg)
{
    (void)protocol;
    (void)arg;
    return tsk_fail(&s->err, TLSOCK_E_UNSUPPORTED, "tlsock_starttls()");
}

int tlsock_detach(tlsock *s, int *fd)
{
    (void)fd;
    return tsk_fail(&s->err, TLSOCK_E_UNSUPPORTED, "tlsock_detach()");
}

int tlsock_interrupt(tlsock *s)
{
    return tsk_fail(&s->err, TLSOCK_E_UNSUPPORTED, "tlsock_interrupt()");
}

tlsock *tlsock_client_over(tlsock *outer, const char *name,
                           tlsock_config *config, const tlsock_opts *opts,
                           tlsock_error *err)
{
    (void)outer;
    (void)name;
    (void)config;
    (void)opts;
    tsk_fail(err, TLSOCK_E_UNSUPPORTED, "tlsock_client_over()");
    return NULL;
}

tlsock *tlsock_server_over(tlsock *outer, tlsock_config *config,
                           const tlsock_opts *opts, tlsock_error *err)
{
    (void)outer;
    (void)config;
    (void)opts;
    tsk_fail(err, TLSOCK_E_UNSUPPORTED, "tlsock_server_over()");
    return NULL;
}
