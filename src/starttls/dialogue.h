/* dialogue - what the dialogues have in common: their rows, and how they say
 * why they failed. Private to this folder; knows nothing of TLS or sockets. */
#ifndef TSK_STARTTLS_DIALOGUE_H
#define TSK_STARTTLS_DIALOGUE_H

#include "starttls/table.h"

#include <stdint.h>

/* What a part of a dialogue returns besides OK, AGAIN and codes. */
#define TSK_DLG_MORE 1

/* One side of a dialogue: what it says first (or NULL), and what it does with
 * each line, or with bytes if it knows no lines. */
struct tsk_dlg_side {
    int (*begin)(struct tsk_starttls *d, struct tsk_talk *t, tlsock_error *err);
    int (*line)(struct tsk_starttls *d, struct tsk_talk *t, const char *line,
                tlsock_error *err);
    int (*bytes)(struct tsk_starttls *d, struct tsk_talk *t, tlsock_error *err);
};

/* Which arguments a protocol takes. */
enum tsk_dlg_arg {
    TSK_DLG_ARG_NONE,
    TSK_DLG_ARG_NAME,   /* a name to say, or to be called by */
    TSK_DLG_ARG_DOMAIN, /* the same, and UTF-8 is allowed */
    TSK_DLG_ARG_FTP     /* P, C, ccc */
};

struct tsk_dlg_row {
    const char *name;
    const char *title; /* for messages: "SMTP" */
    const char *verb;  /* how the protocol calls it: "STARTTLS" */
    const char *tls;   /* where TLS begins at once, or NULL */
    enum tsk_dlg_arg arg;
    int needs_name; /* the client cannot begin without arg or host */
    const struct tsk_dlg_side *client, *server, *after; /* after: or NULL */
};

struct tsk_starttls {
    const struct tsk_dlg_row *row;
    const struct tsk_dlg_side *side;
    char *arg, *host; /* NULL: none */
    int server;
    enum tsk_starttls_when when;
    int begun;
    /* for the sides to use; all 0 at the beginning */
    int state;
    int code;     /* of the reply that is under way; 0: none is */
    int count;    /* lines or messages so far */
    int offered;  /* TLS, by the server */
    int refusals; /* of commands that need TLS */
    int depth;    /* of elements */
    size_t skip;  /* bytes of a literal still to come */
};

extern const struct tsk_dlg_side tsk_smtp_client, tsk_smtp_server,
    tsk_imap_client, tsk_imap_server, tsk_pop3_client, tsk_pop3_server,
    tsk_ftp_client, tsk_ftp_server, tsk_ftp_after, tsk_ldap_client,
    tsk_ldap_server, tsk_nntp_client, tsk_nntp_server, tsk_sieve_client,
    tsk_sieve_server, tsk_xmpp_client, tsk_xmpp_server, tsk_irc_client,
    tsk_irc_server, tsk_postgres_client, tsk_postgres_server, tsk_mysql_client,
    tsk_mysql_server, tsk_http_client, tsk_http_server;

/* The name to say: arg, else host, else "localhost". */
const char *tsk_dlg_name(const struct tsk_starttls *d);
/* tsk_talk_line(), but bytes that begin no text are refused at once: who waits
 * for the end of a line of TLS waits forever. */
int tsk_dlg_line(const struct tsk_starttls *d, struct tsk_talk *t, char *line,
                 tlsock_error *err);

/* arg.c: E_ARGUMENT unless arg and host are what the row takes. */
int tsk_dlg_check(const struct tsk_dlg_row *row, const char *arg,
                  const char *host, int server, enum tsk_starttls_when when,
                  tlsock_error *err);

/* fail.c: codes with the peer's own words (escaped; NULL: it said none) and a
 * hint. Each returns its code. */
int tsk_dlg_unavailable(const struct tsk_starttls *d, const char *words,
                        tlsock_error *err); /* E_STARTTLS_UNAVAILABLE */
int tsk_dlg_refused(const struct tsk_starttls *d, const char *words,
                    tlsock_error *err); /* E_STARTTLS_REFUSED, by the server */
int tsk_dlg_gone_on(const struct tsk_starttls *d, const char *words,
                    tlsock_error *err); /* E_STARTTLS_REFUSED, by the client */
/* E_PROTOCOL: `wanted` was expected and these bytes came. */
int tsk_dlg_alien(const struct tsk_starttls *d, const char *wanted,
                  const void *bytes, size_t len, tlsock_error *err);
int tsk_dlg_alien_line(const struct tsk_starttls *d, const char *wanted,
                       const char *line, tlsock_error *err);
/* The one failure that is recorded without a hint is want of memory. */
void tsk_dlg_memory_hint(tlsock_error *err);

/* text.c: what protocols of lines share. */
/* Is the first word of the line this one, in any case? *rest: what follows
 * after blanks. */
int tsk_dlg_word(const char *line, const char *word, const char **rest);
/* One line of "250-text" and "250 text" (RFC 5321, 4.2.1): the code if it is
 * the last of the reply, MORE if not, or E_PROTOCOL. loose: lines between the
 * first and the last may be anything (RFC 959, 4.2). */
int tsk_dlg_reply(struct tsk_starttls *d, const char *line, int loose,
                  tlsock_error *err);
/* Answers a command that needs TLS first: MORE, or E_STARTTLS_REFUSED if the
 * client asks for nothing else. */
int tsk_dlg_needs_tls(struct tsk_starttls *d, struct tsk_talk *t,
                      const char *line, const char *answer, tlsock_error *err);
/* Answers, and goes on: MORE or code. */
int tsk_dlg_answer(struct tsk_talk *t, const char *answer, tlsock_error *err);
/* Answers a good-bye: E_STARTTLS_REFUSED. */
int tsk_dlg_bye(struct tsk_starttls *d, struct tsk_talk *t, const char *line,
                const char *answer, tlsock_error *err);
/* Answers, and TLS begins: OK or code. */
int tsk_dlg_begin(struct tsk_talk *t, const char *answer, tlsock_error *err);

#endif
