/* The page of --html: a diagram for each connection. */
#include "htmlout.h"
#include "intercept_seq.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WIDTH 860
#define ROW 30
#define TOP 52
#define CHAR_W 7.3   /* of 12 px, monospaced */
#define OPEN_MOST 20 /* diagrams that are unfolded */

static const int columns[] = {150, 470, 790}; /* client, us, server */

static const char style[] =
    ":root{--ink:#1a1a1a;--dim:#57606a;--rule:#d0d7de;--box:#f6f8fa;"
    "--tls:#0969da;--data:#1a7f37;--bad:#b3261e}"
    "@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#8d96a0;"
    "--rule:#3d444d;--box:#161b22;--tls:#58a6ff;--data:#3fb950;"
    "--bad:#ff7b72}}"
    "body{max-width:60em}details{border:1px solid var(--rule);"
    "border-radius:.4em;margin:.7em 0;padding:0 .8em}"
    "summary{cursor:pointer;padding:.5em 0;overflow-wrap:anywhere}"
    "summary code{font:13px ui-monospace,monospace}"
    ".v{font-size:.8em}.v.other{background:#57606a}"
    ".s{overflow-x:auto}svg{min-width:640px;width:100%;height:auto;"
    "display:block}"
    "text{fill:var(--ink)}.d{fill:var(--dim)}.r{stroke:var(--rule)}"
    ".b{fill:var(--box);stroke:var(--rule)}"
    ".t0{stroke:var(--tls)}.t1{stroke:var(--data);stroke-width:2}"
    ".t3{stroke:var(--bad)}.x3 text,.x3{fill:var(--bad)}"
    ".n2{fill:var(--box);stroke:var(--rule)}"
    ".n3{fill:var(--box);stroke:var(--bad)}";

static const char *word_of(const struct seq_line *l, const char **look)
{
    static const char *const words[] = {"decrypted", "passed", "plaintext",
                                        "denied", "failed"};

    *look = l->kind == INTERCEPT_OPEN                                ? "good"
            : l->kind == INTERCEPT_DENY || l->kind == INTERCEPT_FAIL ? "bad"
                                                                     : "other";
    return words[l->kind <= INTERCEPT_FAIL ? l->kind : 0];
}

static int by_time(const void *a, const void *b)
{
    const struct seq_step *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Text in the middle of x, no wider than so many pixels; all of it is shown
 * when somebody points at it. */
static void label(FILE *to, int x, int y, int width, const char *text)
{
    fprintf(to, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\"><title>", x, y);
    html_text(to, text);
    fputs("</title>", to);
    html_clipped(to, text, (size_t)(width / CHAR_W));
    fputs("</text>", to);
}

static void arrow(FILE *to, const struct seq_step *s, int y)
{
    int a = columns[s->from], b = columns[s->to], way = b > a ? 1 : -1;

    fprintf(to,
            "<g class=\"x%d\"><path class=\"t%d\" fill=\"none\" d=\"M%d %dH%d"
            "m%d -4l%d 4l%d 4\"/>",
            s->look, s->look, a, y, b - way, -6 * way, 6 * way, -6 * way);
    label(to, (a + b) / 2, y - 5, abs(b - a) - 16, s->text);
    fputs("</g>\n", to);
}

/* A box at whom it concerns; at us it is as wide as the diagram. */
static void box(FILE *to, const struct seq_step *s, int y)
{
    int width = s->from == SEQ_US ? 640 : 260, x = columns[s->from];
    int room = (int)((double)strlen(s->text) * CHAR_W) + 20;

    if (s->from != SEQ_US && room > width)
        width = room < 620 ? room : 620;
    if (s->from == SEQ_US && room < width)
        width = room;
    if (x + width / 2 > WIDTH - 2)
        x = WIDTH - 2 - width / 2;
    if (s->from == SEQ_CLIENT && x - width / 2 < 78)
        x = 78 + width / 2;
    fprintf(to,
            "<g class=\"x%d\"><rect class=\"n%d\" x=\"%d\" y=\"%d\" "
            "width=\"%d\" height=\"20\" rx=\"4\"/>",
            s->look, s->look, x - width / 2, y - 15, width);
    label(to, x, y - 1, width - 8, s->text);
    fputs("</g>\n", to);
}

static void participant(FILE *to, int column, const char *name, int height)
{
    int x = columns[column], width = column == SEQ_US ? 150 : 200;

    if (x + width / 2 > WIDTH - 2)
        x = WIDTH - 2 - width / 2;
    fprintf(to, "<path class=\"r\" stroke-dasharray=\"3 3\" d=\"M%d 32V%d\"/>",
            columns[column], height - 6);
    fprintf(to,
            "<rect class=\"b\" x=\"%d\" y=\"6\" width=\"%d\" height=\"26\" "
            "rx=\"5\"/>",
            column == SEQ_SERVER ? WIDTH - 2 - width : x - width / 2, width);
    label(to, column == SEQ_SERVER ? WIDTH - 2 - width / 2 : x, 23, width - 10,
          name);
    fputc('\n', to);
}

static void diagram(FILE *to, const struct seq_line *l)
{
    int height = TOP + ROW * (int)l->n + (l->left_out > 0 ? ROW : 0);
    char us[40];

    snprintf(us, sizeof(us), "tlsock #%lu", l->id);
    fprintf(to,
            "<div class=\"s\"><svg xmlns=\"http://www.w3.org/2000/svg\" "
            "viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"message sequence "
            "of connection %lu\">\n",
            WIDTH, height, l->id);
    participant(to, SEQ_CLIENT, l->client, height);
    participant(to, SEQ_US, us, height);
    participant(to, SEQ_SERVER, l->target, height);
    for (size_t i = 0; i < l->n; i++) {
        const struct seq_step *s = &l->steps[i];
        int y = TOP + ROW * (int)i + 14;

        fprintf(to, "<text class=\"d\" x=\"2\" y=\"%d\">+%.3f s</text>", y,
                (double)(s->at - l->begun) / 1000000);
        if (s->from == s->to)
            box(to, s, y);
        else
            arrow(to, s, y);
    }
    if (l->left_out > 0)
        fprintf(to,
                "<text class=\"d\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">"
                "%zu more steps are left out</text>\n",
                columns[SEQ_US], height - 10, l->left_out);
    fputs("</svg></div>\n", to);
}

static void when(FILE *to, int64_t us)
{
    time_t t = (time_t)(us / 1000000);
    struct tm tm;
    char text[40];

    gmtime_r(&t, &tm);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
    fprintf(to, "%s.%03d UTC", text, (int)(us / 1000 % 1000));
}

static void connection(FILE *to, const struct seq_line *l, int is_open)
{
    const char *look, *word = word_of(l, &look);

    fprintf(to,
            "<details%s><summary><code>#%lu</code> <span class=\"v %s\">%s"
            "</span> <code>",
            is_open ? " open=\"open\"" : "", l->id, look, word);
    html_text(to, l->client);
    fputs(" &#8594; ", to);
    html_text(to, l->target[0] != '\0' ? l->target : "?");
    fputs("</code> <span class=\"h\">", to);
    when(to, l->begun);
    if (!l->has_ended &&
        (l->kind == INTERCEPT_OPEN || l->kind == INTERCEPT_PASS ||
         l->kind == INTERCEPT_PLAIN))
        fputs(", not ended", to);
    fputs("</span></summary>\n", to);
    qsort(l->steps, l->n, sizeof(*l->steps), by_time);
    diagram(to, l);
    fputs("</details>\n", to);
}

void seq_draw(FILE *to, const struct seq_line *lines, size_t left_out,
              int64_t now)
{
    const struct seq_line *l;
    size_t n = 0, bad = 0;

    for (l = lines; l != NULL; l = l->next, n++)
        bad += l->kind == INTERCEPT_DENY || l->kind == INTERCEPT_FAIL;
    html_begin(to, "tlsock intercept", style);
    fprintf(to,
            "<h1>Connections</h1>\n<p class=\"h\">%zu, the newest first; %zu "
            "failed or denied",
            n, bad);
    if (left_out > 0)
        fprintf(to, "; %zu older ones are left out", left_out);
    if (now > 1000000) {
        fputs("; ", to);
        when(to, now);
    }
    fputs("</p>\n", to);
    if (n == 0)
        fputs("<p>There was none yet.</p>\n", to);
    n = 0;
    for (l = lines; l != NULL; l = l->next)
        connection(to, l, n++ < OPEN_MOST);
    html_end(to);
}
