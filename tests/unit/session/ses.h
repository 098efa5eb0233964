/* ses - sessions that no handshake has made. */
#ifndef TEST_UNIT_SES_H
#define TEST_UNIT_SES_H

#include "session/facts.h"
#include "test.h"

#include <openssl/ssl.h>

static inline SSL_SESSION *ses_new(int version)
{
    static const unsigned char suites[2][2] = {{0x13, 0x01}, {0xc0, 0x2b}};
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    SSL_SESSION *s = SSL_SESSION_new();
    unsigned char id[32], key[48];

    memset(id, 7, sizeof(id));
    memset(key, 9, sizeof(key));
    assert_non_null(s);
    assert_true(SSL_SESSION_set_protocol_version(s, version));
    assert_true(SSL_SESSION_set1_id(s, id, sizeof(id)));
    assert_true(SSL_SESSION_set1_master_key(s, key, sizeof(key)));
    assert_true(SSL_SESSION_set_cipher(
        s, SSL_CIPHER_find(ssl, suites[version < TLS1_3_VERSION])));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return s;
}

/* The key is the text, and so is the verdict, behind "chain ". */
static inline struct tsk_session_item ses_item(const char *key, SSL_SESSION *s,
                                               int64_t expires)
{
    struct tsk_session_item item = {.ses = s, .expires = expires};

    memcpy(item.key, key, strlen(key));
    snprintf(item.facts.verdict.verified, sizeof(item.facts.verdict.verified),
             "chain %s", key);
    return item;
}

#endif
