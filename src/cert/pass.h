/* pass - where a password comes from: named, never given, never asked for.
 *
 * Read at most once, when something turns out to be encrypted, since "fd:N"
 * can be read only once. Knows nothing of what it opens. */
#ifndef TSK_CERT_PASS_H
#define TSK_CERT_PASS_H

#include "core/err.h"

#define TSK_PASS_MAX 1023

/* Somebody to ask for the password of what is called name, where no place was
 * named. wrong: why the last one would not do, or NULL. 0 with *len bytes in
 * out, or a code, recorded. */
struct tsk_asker {
    int (*ask)(void *arg, const char *name, const tlsock_error *wrong,
               char out[TSK_PASS_MAX + 1], size_t *len, tlsock_error *err);
    void *arg;
};

struct tsk_pass {
    const char *uri; /* borrowed; NULL: none was named */
    const struct tsk_asker *asker; /* borrowed; NULL: nobody is asked */
    const char *name; /* what is being opened, for the asker; borrowed */
    int tries;        /* passwords that would not do */
    int asked;       /* 1: something was encrypted */
    int rc;          /* 1: text is there, 0: not read, < 0: why.code */
    size_t len;
    char text[TSK_PASS_MAX + 1];
    tlsock_error why;
};

/* 0, or E_ARGUMENT if uri is of none of the valid forms. It may be a password
 * typed by mistake, so it is in no message. */
int tsk_pass_init(struct tsk_pass *p, const char *uri, tlsock_error *err);
int tsk_pass_get(struct tsk_pass *p, tlsock_error *err);
void tsk_pass_wipe(struct tsk_pass *p);
/* The asker's password would not do: err says why. 1: ask once more, 0: this
 * was the last one. */
int tsk_pass_again(struct tsk_pass *p, tlsock_error *err);
/* A pem_password_cb; pass is a struct tsk_pass. */
int tsk_pass_pem(char *buf, int size, int writing, void *pass);
/* Why an asked-for password did not open what is in name: E_PASSWORD. Takes
 * OpenSSL's reason along, so it may also be E_NOMEM. */
int tsk_pass_fail(const struct tsk_pass *p, const char *name,
                  tlsock_error *err);

#endif
