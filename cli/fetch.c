#include "fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SCHEMES "http,https"
#define MOST_REDIRECTS 3L

struct body {
    char *data; /* FETCH_MAX */
    size_t len;
    int full;
};

static size_t take(char *p, size_t one, size_t n, void *arg)
{
    struct body *b = arg;

    n *= one;
    if (n > FETCH_MAX - b->len) {
        b->full = 1;
        return 0;
    }
    memcpy(b->data + b->len, p, n);
    b->len += n;
    return n;
}

/* An address of another kind (file, ldap...) is not even handed over. */
static int is_web(const char *url)
{
    return strncasecmp(url, "http://", 7) == 0 ||
           strncasecmp(url, "https://", 8) == 0;
}

static CURLcode perform(CURL *c, const char *url, int timeout_ms,
                        struct body *b)
{
    curl_easy_setopt(c, CURLOPT_URL, url);
#if LIBCURL_VERSION_NUM >= 0x075500 /* 7.85.0 */
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, SCHEMES);
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, SCHEMES);
#else
    curl_easy_setopt(c, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS,
                     CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, MOST_REDIRECTS);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(c, CURLOPT_MAXFILESIZE, (long)FETCH_MAX);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, b);
    return curl_easy_perform(c);
}

int fetch_url(const char *url, int timeout_ms, char **data, size_t *len,
              char *why, size_t why_size)
{
    struct body b = {.data = malloc(FETCH_MAX)};
    char text[CURL_ERROR_SIZE] = "";
    CURL *c = NULL;
    CURLcode rc = CURLE_OUT_OF_MEMORY;

    *data = NULL;
    *len = 0;
    if (!is_web(url)) {
        snprintf(why, why_size, "only http and https addresses are fetched");
        free(b.data);
        return -1;
    }
    if (b.data != NULL && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
        c = curl_easy_init();
    if (c != NULL) {
        curl_easy_setopt(c, CURLOPT_ERRORBUFFER, text);
        rc = perform(c, url, timeout_ms, &b);
        curl_easy_cleanup(c);
    }
    curl_global_cleanup();
    if (rc == CURLE_OK && b.len > 0) {
        *data = b.data;
        *len = b.len;
        return 0;
    }
    if (b.full || rc == CURLE_FILESIZE_EXCEEDED)
        snprintf(why, why_size, "it is larger than %zu bytes", FETCH_MAX);
    else if (rc == CURLE_OK)
        snprintf(why, why_size, "the answer is empty");
    else
        snprintf(why, why_size, "%s",
                 text[0] != '\0' ? text : curl_easy_strerror(rc));
    free(b.data);
    return -1;
}
