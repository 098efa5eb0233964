/* The result as one HTML file: nothing in it is loaded from anywhere, and no
 * script is in it. */
#include "check.h"

#include "errors.h"
#include "htmlout.h"
#include "memfile.h"
#include "tofile.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define BOX_W 230
#define BOX_H 78
#define GAP 34

struct page {
    FILE *to;
    const json_t *doc;
};

static const char *get(const json_t *obj, const char *key)
{
    const char *text = json_string_value(json_object_get(obj, key));

    return text != NULL ? text : "";
}

static const char style[] =
    ".error .l{background:#b3261e;color:#fff}"
    ".warning .l{background:#e8a400}.note .l{background:#d0d7de}"
    ".ok .l{background:#1a7f37;color:#fff}"
    ".f{border:1px solid #d0d7de;border-radius:.4em;padding:.6em .9em;"
    "margin:.5em 0}.l{padding:.05em .5em;border-radius:.3em;font-size:.85em}"
    "code,pre{font:13px/1.45 ui-monospace,monospace}pre{margin:.4em 0;"
    "white-space:pre-wrap}dl{margin:.3em 0 0;display:grid;"
    "grid-template-columns:5em 1fr}dt{color:#57606a}dd{margin:0}"
    "table{border-collapse:collapse}td,th{border:1px solid #d0d7de;"
    "padding:.2em .6em;text-align:left}"
    "@media (prefers-color-scheme:dark){.warning .l,.note .l{color:#1a1a1a}}";

static void head(struct page *p, const struct check *c)
{
    int bad = check_bad(c);
    char title[300];

    snprintf(title, sizeof(title), "%.250s: tlsock check",
             get(p->doc, "server"));
    html_begin(p->to, title, style);
    fputs("<h1>", p->to);
    html_text(p->to, get(p->doc, "server"));
    fprintf(p->to, " <span class=\"v %s\">%s</span></h1>\n",
            bad ? "bad" : "good", bad ? "NOT OK" : "ok");
    fprintf(p->to,
            "<p class=\"h\">%d errors, %d warnings, %d notes; %d connections; ",
            c->found[CHECK_ERROR], c->found[CHECK_WARN], c->found[CHECK_NOTE],
            (int)json_integer_value(json_object_get(p->doc, "connections")));
    html_text(p->to, get(p->doc, "time"));
    fputs("</p>\n", p->to);
}

static void definition(struct page *p, const char *what, const char *value)
{
    if (value[0] == '\0')
        return;
    fprintf(p->to, "<dt>%s</dt><dd>", what);
    html_text(p->to, value);
    fputs("</dd>", p->to);
}

static void finding(struct page *p, const json_t *f)
{
    const json_t *rows = json_object_get(f, "rows"), *row;
    size_t i;

    fprintf(p->to, "<div class=\"f %s\"><span class=\"l\">%s</span> <code>",
            get(f, "level"), get(f, "level"));
    html_text(p->to, get(f, "code"));
    fputs("</code> ", p->to);
    html_text(p->to, get(f, "text"));
    if (json_array_size(rows) > 0)
        fputs("<pre>", p->to);
    json_array_foreach(rows, i, row)
    {
        fprintf(p->to, "%-8s ", get(row, "label"));
        html_text(p->to, get(row, "text"));
        fputc('\n', p->to);
    }
    fputs(json_array_size(rows) > 0 ? "</pre>" : "", p->to);
    if (get(f, "affects")[0] != '\0' || get(f, "fix")[0] != '\0') {
        fputs("<dl>", p->to);
        definition(p, "affects", get(f, "affects"));
        definition(p, "fix", get(f, "fix"));
        fputs("</dl>", p->to);
    }
    fputs("</div>\n", p->to);
}

static void line(struct page *p, int x, int y, const char *s, size_t most)
{
    fprintf(p->to, "<text x=\"%d\" y=\"%d\" fill=\"#1a1a1a\">", x, y);
    html_clipped(p->to, s, most);
    fputs("</text>\n", p->to);
}

/* What a box looks like by its state. */
static void box(struct page *p, const json_t *b, int x)
{
    static const struct {
        const char *state, *fill, *edge, *dash;
    } looks[] = {{"sent", "#dafbe1", "#1a7f37", "0"},
                 {"missing", "#ffebe9", "#b3261e", "6 4"},
                 {"trusted", "#ddf4ff", "#0969da", "0"},
                 {"untrusted", "#fff8c5", "#9a6700", "6 4"},
                 {"extra", "#eaeef2", "#57606a", "2 3"}};
    char ends[40];
    size_t i = 0;

    while (i < 4 && strcmp(looks[i].state, get(b, "state")) != 0)
        i++;
    fprintf(p->to,
            "<rect x=\"%d\" y=\"10\" width=\"%d\" height=\"%d\" rx=\"6\" "
            "fill=\"%s\" stroke=\"%s\" stroke-width=\"2\" "
            "stroke-dasharray=\"%s\"/>\n",
            x, BOX_W, BOX_H, looks[i].fill, looks[i].edge, looks[i].dash);
    line(p, x + 10, 32, get(b, "state"), 20);
    line(p, x + 10, 52, get(b, "name"), 27);
    snprintf(ends, sizeof(ends), "%s%.10s",
             get(b, "not_after")[0] != '\0' ? "until " : "",
             get(b, "not_after"));
    line(p, x + 10, 72, ends, 27);
}

static void chain(struct page *p)
{
    const json_t *boxes = json_object_get(p->doc, "chain"), *b;
    size_t i, n = json_array_size(boxes);
    int width = (int)n * (BOX_W + GAP) + 20;

    if (n == 0)
        return;
    fprintf(p->to,
            "<h2>Chain</h2>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
            "width=\"%d\" height=\"100\" viewBox=\"0 0 %d 100\" role=\"img\" "
            "aria-label=\"chain of certificates\" "
            "style=\"max-width:100%%;height:auto\">\n",
            width, width);
    json_array_foreach(boxes, i, b)
    {
        int x = 10 + (int)i * (BOX_W + GAP);

        if (i > 0 && strcmp(get(b, "state"), "extra") != 0)
            fprintf(p->to,
                    "<path d=\"M%d 49h%d m-7 -5l7 5l-7 5\" fill=\"none\" "
                    "stroke=\"#57606a\" stroke-width=\"2\"/>\n",
                    x - GAP + 2, GAP - 4);
        box(p, b, x);
    }
    fputs("</svg>\n", p->to);
}

/* Is there this suite in that version? NULL: no. */
static const json_t *suite_in(const json_t *of, const char *name)
{
    const json_t *s;
    size_t i;

    json_array_foreach(json_object_get(of, "suites"), i, s)
    {
        if (strcmp(get(s, "name"), name) == 0)
            return s;
    }
    return NULL;
}

static const char *const versions[] = {"TLSv1.3", "TLSv1.2", "TLSv1.1",
                                       "TLSv1.0", "SSLv3"};
#define N_VERSIONS 5
#define ROW 20
#define NAMES_W 360
#define CELL_W 74

static const char *cell_color(const char *strength)
{
    return strcmp(strength, "good") == 0     ? "#1a7f37"
           : strcmp(strength, "broken") == 0 ? "#b3261e"
           : strcmp(strength, "weak") == 0   ? "#e8a400"
                                             : "#9a6700";
}

static void grid_row(struct page *p, const char *name, int y)
{
    line(p, 4, y + 14, name, 60);
    for (int v = 0; v < N_VERSIONS; v++) {
        const json_t *s = suite_in(
            json_object_get(json_object_get(p->doc, "ciphers"), versions[v]),
            name);

        fprintf(p->to,
                "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
                "fill=\"%s\" stroke=\"#d0d7de\"/>\n",
                NAMES_W + v * CELL_W, y, CELL_W, ROW,
                s != NULL ? cell_color(get(s, "strength")) : "#f6f8fa");
    }
}

/* Names once each, in the order of the newest version that has them. */
static json_t *all_suites(const json_t *ciphers)
{
    json_t *names = json_array();
    const json_t *s, *name;
    size_t i, k;

    for (int v = 0; v < N_VERSIONS; v++)
        json_array_foreach(
            json_object_get(json_object_get(ciphers, versions[v]), "suites"), i,
            s)
        {
            int there = 0;

            json_array_foreach(names, k, name) there =
                there || json_equal(name, json_object_get(s, "name"));
            if (!there)
                json_array_append(names, json_object_get(s, "name"));
        }
    return names;
}

static void grid(struct page *p)
{
    json_t *names = all_suites(json_object_get(p->doc, "ciphers"));
    const json_t *name;
    size_t i;
    int w = NAMES_W + N_VERSIONS * CELL_W + 4,
        h = ROW * (1 + (int)json_array_size(names)) + 4;

    fprintf(
        p->to,
        "<h2>Protocols and ciphers</h2>\n<svg "
        "xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
        "viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"suites by "
        "version\" style=\"max-width:100%%;height:auto;background:#fff\">\n",
        w, h, w, h);
    for (int v = 0; v < N_VERSIONS; v++)
        line(p, NAMES_W + v * CELL_W + 4, 14, versions[v], 20);
    json_array_foreach(names, i, name)
        grid_row(p, json_string_value(name), ROW * (int)(i + 1));
    fputs("</svg>\n<p class=\"h\">green: good; brown: no forward secrecy; "
          "yellow: weak; red: broken; empty: not offered</p>\n",
          p->to);
    json_decref(names);
}

static void addresses(struct page *p)
{
    static const char *const keys[] = {"address", "version", "cipher", "group",
                                       "error"};
    const json_t *a;
    size_t i;

    fputs("<h2>Addresses</h2>\n<table><tr><th>address</th><th>version</th>"
          "<th>cipher</th><th>group</th><th>refused for</th></tr>\n",
          p->to);
    json_array_foreach(json_object_get(p->doc, "addresses"), i, a)
    {
        fputs("<tr>", p->to);
        for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
            fputs("<td>", p->to);
            html_text(p->to, get(a, keys[k]));
            fputs("</td>", p->to);
        }
        fputs("</tr>\n", p->to);
    }
    fputs("</table>\n", p->to);
}

static void write_page(struct page *p, const struct check *c)
{
    const json_t *f;
    size_t i;

    head(p, c);
    json_array_foreach(c->findings, i, f) finding(p, f);
    chain(p);
    grid(p);
    addresses(p);
    html_end(p->to);
}

int check_write_html(struct check *c)
{
    struct page p = {.doc = c->doc};
    struct memfile m;
    struct tofile f;
    char *data;
    size_t len = 0;
    int rc;

    p.to = memfile_open(&m);
    if (p.to != NULL)
        write_page(&p, c);
    data = memfile_close(&m, p.to, &len);
    if (data == NULL)
        return EXIT_INTERNAL;
    rc = tofile_begin(&f, &c->o.out, c->html, c->force);
    if (rc == 0) {
        rc = tofile_write(&f, data, len);
        rc = tofile_end(&f, rc);
    }
    free(data);
    return rc;
}
