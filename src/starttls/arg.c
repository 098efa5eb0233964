#include "starttls/dialogue.h"

#include "core/str.h"

#include <string.h>

#define NAME_MOST 255

static int bad(const struct tsk_dlg_row *row, const char *what,
               const char *text, tlsock_error *err)
{
    char shown[96];

    tsk_printable(shown, sizeof(shown), text, strlen(text));
    return tsk_fail(err, TLSOCK_E_ARGUMENT, "starttls %s: %s \"%s\"", row->name,
                    what, shown);
}

/* What goes into a command or an element must not end it: no blanks, control
 * bytes or quotes, nothing that XML gives a meaning. */
static int harmless(const char *text, int utf8)
{
    size_t len = strlen(text);

    if (len == 0 || len > NAME_MOST)
        return 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];

        if (c <= ' ' || c == 0x7f || (c > 0x7f && !utf8) ||
            strchr("<>&\"'\\", c) != NULL)
            return 0;
    }
    return 1;
}

static int check_name(const struct tsk_dlg_row *row, const char *what,
                      const char *text, tlsock_error *err)
{
    if (harmless(text, row->arg == TSK_DLG_ARG_DOMAIN))
        return TLSOCK_OK;
    bad(row, what, text, err);
    tsk_hint(err,
             "it becomes part of what is said: 1 to %d characters, no "
             "blanks, quotes, <, >, & or control characters%s",
             NAME_MOST,
             row->arg == TSK_DLG_ARG_DOMAIN ? "" : "; names in ASCII (xn--)");
    return TLSOCK_E_ARGUMENT;
}

static int check_ftp(const struct tsk_dlg_row *row, const char *arg,
                     enum tsk_starttls_when when, tlsock_error *err)
{
    int prot = arg != NULL &&
               (tsk_casecmp(arg, "P") == 0 || tsk_casecmp(arg, "C") == 0);
    int ccc = arg != NULL && tsk_casecmp(arg, "ccc") == 0;

    if (when == TSK_STARTTLS_BEFORE ? arg == NULL || prot : prot || ccc)
        return TLSOCK_OK;
    if (ccc)
        bad(row, "before TLS there is no", arg, err);
    else
        bad(row, "unknown argument", arg != NULL ? arg : "", err);
    tsk_hint(err, "valid: P or C (PBSZ and PROT follow the handshake); on a "
                  "connection in TLS also ccc, which ends TLS");
    return TLSOCK_E_ARGUMENT;
}

static int needless(const struct tsk_dlg_row *row, const char *arg,
                    tlsock_error *err)
{
    bad(row, "it takes no argument, such as", arg, err);
    tsk_hint(err, "leave it out; smtp, lmtp, xmpp, http and ftp take one");
    return TLSOCK_E_ARGUMENT;
}

static int nameless(const struct tsk_dlg_row *row, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_ARGUMENT, "starttls %s: no %s is known to ask for",
             row->name, row->arg == TSK_DLG_ARG_DOMAIN ? "domain" : "host");
    tsk_hint(err,
             "give it as the argument of the protocol: tlsock_starttls(s, "
             "\"%s\", \"example.org\")",
             row->name);
    return TLSOCK_E_ARGUMENT;
}

int tsk_dlg_check(const struct tsk_dlg_row *row, const char *arg,
                  const char *host, int server, enum tsk_starttls_when when,
                  tlsock_error *err)
{
    int has_host = host != NULL && host[0] != '\0';

    if (row->arg == TSK_DLG_ARG_FTP) {
        if (check_ftp(row, arg, when, err) < 0)
            return TLSOCK_E_ARGUMENT;
        arg = NULL; /* no name */
    } else if (when == TSK_STARTTLS_AFTER) {
        bad(row, "nothing is left to say once there is", "TLS", err);
        tsk_hint(err, "only ftp has a part that follows the handshake");
        return TLSOCK_E_ARGUMENT;
    }
    if (arg != NULL)
        return row->arg == TSK_DLG_ARG_NONE
                   ? needless(row, arg, err)
                   : check_name(row, "bad argument", arg, err);
    if (!server && !row->needs_name)
        return TLSOCK_OK; /* the host is not said */
    if (has_host)
        return check_name(row, "cannot say this host's name:", host, err);
    return server ? TLSOCK_OK : nameless(row, err);
}
