#include "starttls/dialogue.h"

#include "core/mem.h"
#include "core/str.h"

#include <string.h>

static const struct tsk_dlg_row rows[] = {
    {"smtp", "SMTP", "STARTTLS", "465 (smtps://)", TSK_DLG_ARG_NAME, 0,
     &tsk_smtp_client, &tsk_smtp_server, NULL},
    {"lmtp", "LMTP", "STARTTLS", NULL, TSK_DLG_ARG_NAME, 0, &tsk_smtp_client,
     &tsk_smtp_server, NULL},
    {"imap", "IMAP", "STARTTLS", "993 (imaps://)", TSK_DLG_ARG_NONE, 0,
     &tsk_imap_client, &tsk_imap_server, NULL},
    {"pop3", "POP3", "STLS", "995 (pop3s://)", TSK_DLG_ARG_NONE, 0,
     &tsk_pop3_client, &tsk_pop3_server, NULL},
    {"ftp", "FTP", "AUTH TLS", "990 (ftps://)", TSK_DLG_ARG_FTP, 0,
     &tsk_ftp_client, &tsk_ftp_server, &tsk_ftp_after},
    {"ldap", "LDAP", "StartTLS", "636 (ldaps://)", TSK_DLG_ARG_NONE, 0,
     &tsk_ldap_client, &tsk_ldap_server, NULL},
    {"nntp", "NNTP", "STARTTLS", "563 (nntps://)", TSK_DLG_ARG_NONE, 0,
     &tsk_nntp_client, &tsk_nntp_server, NULL},
    {"sieve", "ManageSieve", "STARTTLS", NULL, TSK_DLG_ARG_NONE, 0,
     &tsk_sieve_client, &tsk_sieve_server, NULL},
    {"xmpp", "XMPP", "STARTTLS", "5223 (xmpps://)", TSK_DLG_ARG_DOMAIN, 1,
     &tsk_xmpp_client, &tsk_xmpp_server, NULL},
    {"xmpp-server", "XMPP", "STARTTLS", "5270", TSK_DLG_ARG_DOMAIN, 1,
     &tsk_xmpp_client, &tsk_xmpp_server, NULL},
    {"irc", "IRC", "STARTTLS", "6697 (ircs://)", TSK_DLG_ARG_NONE, 0,
     &tsk_irc_client, &tsk_irc_server, NULL},
    {"postgres", "PostgreSQL", "SSLRequest", NULL, TSK_DLG_ARG_NONE, 0,
     &tsk_postgres_client, &tsk_postgres_server, NULL},
    {"mysql", "MySQL", "CLIENT_SSL", NULL, TSK_DLG_ARG_NONE, 0,
     &tsk_mysql_client, &tsk_mysql_server, NULL},
    {"mariadb", "MariaDB", "CLIENT_SSL", NULL, TSK_DLG_ARG_NONE, 0,
     &tsk_mysql_client, &tsk_mysql_server, NULL},
    {"http", "HTTP", "Upgrade: TLS", "443 (https://)", TSK_DLG_ARG_NAME, 1,
     &tsk_http_client, &tsk_http_server, NULL},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *tsk_starttls_names(void)
{
    return "smtp, lmtp, imap, pop3, ftp, ldap, nntp, sieve, xmpp, xmpp-server, "
           "irc, postgres, mysql (mariadb), http";
}

static const struct tsk_dlg_row *find(const char *protocol)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].name, protocol) == 0)
            return &rows[i];
    return NULL;
}

static int no_such(const char *protocol, tlsock_error *err)
{
    char shown[64];

    tsk_printable(shown, sizeof(shown), protocol, strlen(protocol));
    tsk_fail(err, TLSOCK_E_ARGUMENT, "starttls: there is no protocol \"%s\"",
             shown);
    tsk_hint(err, "valid: %s", tsk_starttls_names());
    return TLSOCK_E_ARGUMENT;
}

int tsk_starttls_leads_to_tls(const char *protocol, const char *arg)
{
    const struct tsk_dlg_row *row = find(protocol);

    return row != NULL && tsk_dlg_check(row, arg, "host", 0,
                                        TSK_STARTTLS_BEFORE, NULL) == TLSOCK_OK;
}

/* "" is no host */
static int copy_names(struct tsk_starttls *d, const char *arg, const char *host)
{
    if (arg != NULL)
        d->arg = tsk_strdup(arg);
    if (host != NULL && host[0] != '\0')
        d->host = tsk_strdup(host);
    return (arg != NULL && d->arg == NULL) ||
                   (host != NULL && host[0] != '\0' && d->host == NULL)
               ? TLSOCK_E_NOMEM
               : TLSOCK_OK;
}

static struct tsk_starttls *no_memory(struct tsk_starttls *d, tlsock_error *err)
{
    tsk_starttls_free(d);
    tsk_fail_nomem(err);
    tsk_dlg_memory_hint(err);
    return NULL;
}

struct tsk_starttls *tsk_starttls_new(const char *protocol, const char *arg,
                                      const char *host, int server,
                                      enum tsk_starttls_when when,
                                      tlsock_error *err)
{
    const struct tsk_dlg_row *row = find(protocol);
    struct tsk_starttls *d;

    tsk_phase(err, TLSOCK_PHASE_STARTTLS);
    if (row == NULL) {
        no_such(protocol, err);
        return NULL;
    }
    if (tsk_dlg_check(row, arg, host, server, when, err) < 0)
        return NULL;
    d = tsk_alloc(sizeof(*d));
    if (d == NULL || copy_names(d, arg, host) < 0)
        return no_memory(d, err);
    d->row = row;
    d->server = server;
    d->when = when;
    d->side = when == TSK_STARTTLS_AFTER ? row->after
              : server                   ? row->server
                                         : row->client;
    return d;
}

static int go_on(struct tsk_starttls *d, struct tsk_talk *t, tlsock_error *err)
{
    char line[TSK_TALK_LINE];
    int rc;

    if (d->side->bytes != NULL)
        return d->side->bytes(d, t, err);
    rc = tsk_dlg_line(d, t, line, err);
    return rc > 0 ? d->side->line(d, t, line, err) : rc;
}

int tsk_starttls_step(struct tsk_starttls *d, struct tsk_talk *t,
                      tlsock_error *err)
{
    int rc = TLSOCK_OK;

    if (!d->begun && d->side->begin != NULL)
        rc = d->side->begin(d, t, err);
    d->begun = 1;
    if (rc == TLSOCK_OK)
        rc = TSK_DLG_MORE;
    while (rc == TSK_DLG_MORE)
        rc = go_on(d, t, err);
    if (rc < TLSOCK_AGAIN) {
        tsk_phase(err, TLSOCK_PHASE_STARTTLS);
        tsk_dlg_memory_hint(err);
    }
    return rc;
}

int tsk_starttls_has_after(const struct tsk_starttls *d)
{
    return d->when == TSK_STARTTLS_BEFORE && d->row->after != NULL &&
           d->arg != NULL;
}

int tsk_starttls_runs_on(const struct tsk_starttls *d)
{
    return d->server && d->row->server == &tsk_mysql_server;
}

int tsk_starttls_ends_tls(const struct tsk_starttls *d)
{
    return d->when == TSK_STARTTLS_AFTER && tsk_casecmp(d->arg, "ccc") == 0;
}

const char *tsk_starttls_protocol(const struct tsk_starttls *d)
{
    return d->row->name;
}

const char *tsk_dlg_name(const struct tsk_starttls *d)
{
    if (d->arg != NULL)
        return d->arg;
    return d->host != NULL ? d->host : "localhost";
}

void tsk_starttls_free(struct tsk_starttls *d)
{
    if (d == NULL)
        return;
    tsk_free(d->arg);
    tsk_free(d->host);
    tsk_free(d);
}
