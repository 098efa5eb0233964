#include "peer.h"

#include "errors.h"
#include "evidence.h"

#include <string.h>
#include <tlsock/info.h>

const char *peer_target(struct opts *o, const char *target)
{
    size_t len = strlen(target);
    char text[512];

    if (strchr(target, '/') != NULL || strncmp(target, "unix:", 5) == 0 ||
        (target[0] == '[' ? target[len - 1] != ']'
                          : strchr(target, ':') != NULL) ||
        len > 300)
        return target;
    if (o->starttls != NULL)
        snprintf(text, sizeof(text), "%.100s://%s", o->starttls, target);
    else
        snprintf(text, sizeof(text), "%s:443", target);
    return opt_keep(o, text, strlen(text));
}

static int cannot_connect(const struct opts *o, const char *target,
                          tlsock_error *err)
{
    if (err->code == TLSOCK_E_RESOLVE && strpbrk(target, ":/") == NULL)
        snprintf(err->hint, sizeof(err->hint),
                 "there is no file of this name either: check the spelling");
    return err_report(&o->out, target, err, 0);
}

static void take_prints(struct peer_prints *prints, const tlsock *s)
{
    snprintf(prints->ja3, sizeof(prints->ja3), "%s",
             tlsock_info(s, TLSOCK_INFO_JA3));
    snprintf(prints->ja3s, sizeof(prints->ja3s), "%s",
             tlsock_info(s, TLSOCK_INFO_JA3S));
    snprintf(prints->ja4, sizeof(prints->ja4), "%s",
             tlsock_info(s, TLSOCK_INFO_JA4));
}

int peer_certs(struct opts *o, const char *target, tlsock_cert **out)
{
    struct peer_prints prints;

    return peer_look(o, target, out, &prints);
}

int peer_look(struct opts *o, const char *target, tlsock_cert **out,
              struct peer_prints *prints)
{
    tlsock_config *config = tlsock_config_new();
    const char *whole = peer_target(o, target);
    tlsock_error err = {0};
    tlsock *s = NULL;
    int rc;

    *out = NULL;
    rc = whole == NULL ? EXIT_INTERNAL : opt_dial(o, whole);
    if (rc == 0 &&
        (config == NULL ||
         tlsock_config_set(config, "insecure", "all: show only") < 0 ||
         tlsock_config_set(config, "prints", "on") < 0))
        rc = err_report(&o->out, target, tlsock_config_error(config), 1);
    if (rc == 0)
        rc = evidence_watch(o, config);
    if (rc == 0) {
        s = opt_connect(o, config, 0, &err);
        *out = s != NULL ? tlsock_peer_cert(s) : NULL;
        if (s != NULL)
            take_prints(prints, s);
        if (s == NULL)
            rc = cannot_connect(o, target, &err);
        else if (*out == NULL)
            rc = err_plain(&o->out, target, EXIT_TLS, "protocol",
                           "is this a TLS server?",
                           "the server sent no certificate");
    }
    tlsock_close(s);
    tlsock_config_unref(config);
    return rc;
}
