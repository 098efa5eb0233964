#include "api/ini.h"

#include "core/mem.h"
#include "core/str.h"

#include <stdio.h>
#include <string.h>

#define KEY_MAX 64
#define SECTION_MAX 128

struct reader {
    int (*each)(void *arg, struct tsk_ini_item *item, tlsock_error *err);
    void *arg;
    tlsock_error *err; /* never NULL */
    int line;
    char section[SECTION_MAX + 1];
    char text[TSK_INI_LINE + 1]; /* the line, cut up in place */
};

int tsk_ini_fail_at(tlsock_error *err, const char *name, int line)
{
    char place[160], why[sizeof(err->message)];
    size_t len = strlen(name), skip, pos = 0;

    if (err->code == TLSOCK_E_NOMEM)
        return err->code;
    skip = len > 100 ? len - 100 : 0; /* a path's end says more */
    tsk_printable(place, sizeof(place), name + skip, len - skip);
    memcpy(why, err->message, sizeof(why));
    err->code = TLSOCK_E_CONFIG_FILE;
    tsk_append(err->message, sizeof(err->message), &pos, "%s%s:%d: %s",
               skip != 0 ? "..." : "", place, line, why);
    return TLSOCK_E_CONFIG_FILE;
}

static int blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Without blanks at either end; in place. */
static char *trim(char *s)
{
    size_t len;

    while (blank(*s))
        s++;
    len = strlen(s);
    while (len > 0 && blank(s[len - 1]))
        s[--len] = '\0';
    return s;
}

static int hand_over(struct reader *r, struct tsk_ini_item *item)
{
    int rc = r->each(r->arg, item, r->err);

    if (rc < 0)
        r->line = item->line;
    return rc;
}

static int open_section(struct reader *r, char *s)
{
    struct tsk_ini_item item = {r->section, NULL, NULL, r->line};
    size_t len = strlen(s);
    char *name;

    if (s[len - 1] != ']')
        return tsk_fail(r->err, TLSOCK_E_CONFIG_FILE,
                        "a section line ends with \"]\"");
    s[len - 1] = '\0';
    name = trim(s + 1);
    if (*name == '\0' || strlen(name) > SECTION_MAX ||
        strpbrk(name, "[]") != NULL)
        return tsk_fail(r->err, TLSOCK_E_CONFIG_FILE,
                        "a section's name is 1 to %d bytes without brackets",
                        SECTION_MAX);
    snprintf(r->section, sizeof(r->section), "%s", name);
    return hand_over(r, &item);
}

static int key_ok(const char *key)
{
    size_t len = strlen(key);

    return len >= 1 && len <= KEY_MAX &&
           strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                       "0123456789.-_?@*") == len; /* ciphers@*.a.test */
}

static int take_pair(struct reader *r, char *s)
{
    struct tsk_ini_item item = {r->section, NULL, NULL, r->line};
    char *equals = strchr(s, '=');
    char shown[64];

    tsk_printable(shown, sizeof(shown), s, strlen(s));
    if (equals == NULL)
        return tsk_fail(r->err, TLSOCK_E_CONFIG_FILE,
                        "\"%s\" is neither \"key = value\" nor \"[section]\" "
                        "nor a comment",
                        shown);
    *equals = '\0';
    item.key = trim(s);
    item.value = trim(equals + 1);
    if (!key_ok(item.key))
        return tsk_fail(r->err, TLSOCK_E_CONFIG_FILE,
                        "\"%s\" does not begin with a key", shown);
    if (*item.value == '\0')
        return tsk_fail(r->err, TLSOCK_E_CONFIG_FILE, "%s has no value",
                        item.key);
    return hand_over(r, &item);
}

/* r->text has one line, terminated, without its end. */
static int take_line(struct reader *r)
{
    char *s = trim(r->text);

    for (const char *p = s; *p != '\0'; p++)
        if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
            return tsk_fail(r->err, TLSOCK_E_CONFIG_FILE,
                            "control character \\x%02x", (unsigned char)*p);
    if (*s == '\0' || *s == ';' || *s == '#')
        return TLSOCK_OK;
    return *s == '[' ? open_section(r, s) : take_pair(r, s);
}

static int take_bytes(struct reader *r, const char *p, size_t len)
{
    if (len > 0 && p[len - 1] == '\r')
        len--;
    if (len > TSK_INI_LINE)
        return tsk_fail(r->err, TLSOCK_E_CONFIG_FILE,
                        "the line is longer than %d bytes", TSK_INI_LINE);
    if (memchr(p, '\0', len) != NULL)
        return tsk_fail(r->err, TLSOCK_E_CONFIG_FILE,
                        "a NUL byte: this is no text file");
    memcpy(r->text, p, len);
    r->text[len] = '\0';
    return take_line(r);
}

int tsk_ini_parse(const char *text, size_t len, const char *name,
                  int (*each)(void *arg, struct tsk_ini_item *item,
                              tlsock_error *err),
                  void *arg, tlsock_error *err)
{
    static const char bom[] = "\xef\xbb\xbf";
    tlsock_error why = {0};
    struct reader *r = tsk_alloc(sizeof(*r));
    int rc = TLSOCK_OK;

    if (err == NULL)
        err = &why;
    if (r == NULL)
        return tsk_fail_nomem(err);
    r->each = each;
    r->arg = arg;
    r->err = err;
    if (len >= 3 && memcmp(text, bom, 3) == 0) {
        text += 3;
        len -= 3;
    }
    while (len > 0 && rc == TLSOCK_OK) {
        const char *end = memchr(text, '\n', len);
        size_t n = end != NULL ? (size_t)(end - text) : len;

        r->line++;
        rc = take_bytes(r, text, n);
        n += end != NULL;
        text += n;
        len -= n;
    }
    if (rc < 0)
        rc = tsk_ini_fail_at(err, name, r->line);
    tsk_free_secret(r, sizeof(*r));
    return rc;
}
