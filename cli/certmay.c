/* certmay - what a CA may sign, in words: its name constraints. */
#include "certopts.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#define LOCAL_WORDS ".test .localhost .internal and private addresses"

/* " .test" or " 10.0.0.0/8", behind what is there; once. */
static void add(char *list, size_t size, const char *word)
{
    size_t used = strlen(list), len = strlen(word);

    for (const char *p = list; (p = strstr(p, word)) != NULL; p += len) {
        if ((p == list || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
            return;
    }
    if (used + len + 2 < size)
        snprintf(list + used, size - used, "%s%s", used > 0 ? " " : "", word);
}

static void add_subtree(char *list, size_t size, const GENERAL_NAME *g)
{
    const unsigned char *ip;
    char text[64], word[300], clean[400];
    int n, bits = 0;

    if (g->type == GEN_DNS || g->type == GEN_EMAIL) {
        snprintf(word, sizeof(word), ".%.*s", ASN1_STRING_length(g->d.ia5),
                 (const char *)ASN1_STRING_get0_data(g->d.ia5));
    } else if (g->type == GEN_IPADD &&
               (ASN1_STRING_length(g->d.iPAddress) == 8 ||
                ASN1_STRING_length(g->d.iPAddress) == 32)) {
        n = ASN1_STRING_length(g->d.iPAddress);
        ip = ASN1_STRING_get0_data(g->d.iPAddress);
        for (int i = n / 2; i < n; i++)
            bits += __builtin_popcount(ip[i]);
        inet_ntop(n == 8 ? AF_INET : AF_INET6, ip, text, sizeof(text));
        snprintf(word, sizeof(word), "%s/%d", text, bits);
    } else {
        return;
    }
    add(list, size, out_clean(clean, sizeof(clean), word));
}

/* local_permitted in the same form */
static int is_local(const char *list)
{
    char want[400] = "", word[80];
    const char *p = local_permitted;

    while (*p != '\0') {
        size_t n = strcspn(p, ",");

        snprintf(word, sizeof(word), "%s%.*s",
                 *p == '.' || memchr(p, '/', n) != NULL ? "" : ".", (int)n, p);
        add(want, sizeof(want), word);
        p += n + (p[n] == ',');
    }
    return strcmp(want, list) == 0;
}

void certopts_may_sign(char *out, size_t size, const char *file)
{
    BIO *bio = BIO_new_file(file, "r");
    X509 *x = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    NAME_CONSTRAINTS *nc = NULL;

    out[0] = '\0';
    if (x != NULL)
        nc = X509_get_ext_d2i(x, NID_name_constraints, NULL, NULL);
    for (int i = 0;
         nc != NULL && i < sk_GENERAL_SUBTREE_num(nc->permittedSubtrees); i++)
        add_subtree(out, size,
                    sk_GENERAL_SUBTREE_value(nc->permittedSubtrees, i)->base);
    if (is_local(out))
        snprintf(out, size, "%s", LOCAL_WORDS);
    NAME_CONSTRAINTS_free(nc);
    X509_free(x);
    BIO_free(bio);
    ERR_clear_error();
}
