/* Does the line of serve make sense? */
#include "errors.h"
#include "serve.h"

#include <string.h>

static int check_answer(const struct serve *v)
{
    int modes =
        v->echo + v->exec + (v->reply_path != NULL) + (v->files != NULL);
    const struct out *o = &v->o.out;

    if (modes > 1)
        return err_usage(o, "serve",
                         "--echo, --exec, --files DIR or --reply FILE",
                         "only one kind of answer can be given");
    if (v->exec != (v->argv != NULL))
        return err_usage(o, "serve", "tlsock serve :8443 --exec -- cat -n",
                         v->exec ? "--exec needs a program after --"
                                 : "a program after -- needs --exec");
    if (v->o.timeout_ms != 0 && v->files == NULL)
        return err_usage(o, "serve",
                         "-o handshake-timeout=TIME limits the handshake",
                         "--timeout is for --files");
    return 0;
}

static int check_plain_too(const struct serve *v)
{
    const struct out *o = &v->o.out;

    if (v->plain_remote && !v->plain_too)
        return err_usage(o, "serve", "add --plain-too, or leave it out",
                         "--allow-plain-remote allows nothing without "
                         "--plain-too");
    if (v->plain_too && v->o.starttls != NULL)
        return err_usage(o, "serve", "leave one of them out",
                         "--plain-too and --starttls together: how would a "
                         "client begin?");
    if (v->plain_too && v->client_auth != NULL &&
        strcmp(v->client_auth, "require") == 0)
        return err_usage(o, "serve", "leave one of them out",
                         "--plain-too lets in clients that have no "
                         "certificate, --client-auth require does not");
    return 0;
}

static int check_clients(const struct serve *v)
{
    const struct out *o = &v->o.out;

    if (v->client_auth != NULL && strcmp(v->client_auth, "none") != 0 &&
        strcmp(v->client_auth, "ask") != 0 &&
        strcmp(v->client_auth, "require") != 0)
        return err_usage(o, "serve", "--client-auth none, ask or require",
                         "--client-auth \"%s\"", v->client_auth);
    if (v->allow && v->o.config == NULL &&
        (v->client_auth == NULL || strcmp(v->client_auth, "none") == 0))
        return err_usage(o, "serve", "add --client-auth ask or require",
                         "--allow names clients by their certificates, but "
                         "none is asked for");
    if (v->o.ca.n > 0 && v->o.config == NULL &&
        (v->client_auth == NULL || strcmp(v->client_auth, "none") == 0))
        return err_usage(o, "serve", "add --client-auth ask or require",
                         "--ca names who may sign clients' certificates, but "
                         "none is asked for");
    return 0;
}

/* It takes what it needs, and nothing that it would not heed. */
static int check_misbehave(const struct serve *v)
{
    const struct out *o = &v->o.out;
    int list = v->misbehave != NULL && strcmp(v->misbehave, "list") == 0;

    if (v->misbehave == NULL)
        return v->pki == NULL ? 0
                              : err_usage(o, "serve", "add --misbehave WHAT",
                                          "--pki is for --misbehave");
    if (v->echo + v->exec + (v->reply_path != NULL) + (v->files != NULL) +
                v->plain_too + v->allow + (v->client_auth != NULL) !=
            0 ||
        v->o.n_idents + v->o.sets.n + v->o.ca.n != 0 || v->o.starttls != NULL ||
        v->o.config != NULL || v->o.user != NULL || v->o.chroot != NULL ||
        v->o.confine != NULL || v->o.trace || v->o.pcap != NULL ||
        v->o.keylog != NULL)
        return err_usage(o, "serve", "leave one of them out",
                         "--misbehave decides itself what is served, and how");
    if (!list && v->pki == NULL)
        return err_usage(o, "serve", "tlsock testpki DIR, and then --pki DIR",
                         "--misbehave needs certificates");
    return 0;
}

int serve_check(const struct serve *v)
{
    int listed = v->misbehave != NULL && strcmp(v->misbehave, "list") == 0;
    int rc = check_misbehave(v);

    if (rc == 0 && !listed && v->o.args.n == 0)
        rc = err_usage(&v->o.out, "serve", NULL,
                       "too few arguments: tlsock serve [options] TARGET");
    if (rc == 0)
        rc = check_answer(v);
    if (rc == 0)
        rc = check_plain_too(v);
    return rc != 0 ? rc : check_clients(v);
}
