#include "htmlout.h"

#include <string.h>

void html_text(FILE *to, const char *s)
{
    for (; *s != '\0'; s++) {
        const char *as = *s == '<'    ? "&lt;"
                         : *s == '>'  ? "&gt;"
                         : *s == '&'  ? "&amp;"
                         : *s == '"'  ? "&quot;"
                         : *s == '\'' ? "&#39;"
                                      : NULL;

        if (as != NULL)
            fputs(as, to);
        else
            fputc(*s, to);
    }
}

void html_clipped(FILE *to, const char *s, size_t most)
{
    char cut[512];

    if (most >= sizeof(cut))
        most = sizeof(cut) - 1;
    if (strlen(s) <= most) {
        html_text(to, s);
        return;
    }
    while (most > 0 && ((unsigned char)s[most] & 0xc0) == 0x80)
        most--; /* not in the middle of a character */
    snprintf(cut, sizeof(cut), "%.*s", (int)most, s);
    html_text(to, cut);
    fputs("&#8230;", to);
}

static const char shared[] =
    "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;"
    "padding:0 1em;color:#1a1a1a;background:#fff}"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}"
    ".v{padding:.1em .6em;border-radius:.3em;color:#fff}"
    ".v.bad{background:#b3261e}.v.good{background:#1a7f37}"
    "svg text{font:12px ui-monospace,monospace}"
    ".h{font-size:.85em;color:#57606a}"
    "@media (prefers-color-scheme:dark){body{background:#0d1117;"
    "color:#e6edf3}.h{color:#8d96a0}}";

void html_begin(FILE *to, const char *title, const char *style)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
          "<meta charset=\"utf-8\"/>\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
          "'none'; style-src 'unsafe-inline'\"/>\n"
          "<meta name=\"viewport\" content=\"width=device-width\"/>\n<title>",
          to);
    html_text(to, title);
    fprintf(to, "</title>\n<style>%s%s</style>\n</head>\n<body>\n", shared,
            style);
}

void html_end(FILE *to)
{
    fputs("</body>\n</html>\n", to);
}
