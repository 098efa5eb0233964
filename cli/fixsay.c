/* What cert fix found, for a person and as JSON. */
#include "certfield.h"
#include "certopts.h"
#include "certtext.h"
#include "fix.h"
#include "fixchain.h"

#include <string.h>

void fix_tell(json_t *list, const tlsock_cert *c, const char *key,
              const char *text)
{
    json_t *row = json_object();

    certname_field(row, "subject", c, TLSOCK_CERT_SUBJECT);
    certname_field(row, "sha256", c, TLSOCK_CERT_SHA256);
    json_object_set_new(row, key, out_json_text(text));
    json_array_append_new(list, row);
}

int fix_print_json(const struct fix *w)
{
    json_t *obj = json_object(), *chain = json_array();

    for (int i = 0; i <= tlsock_cert_chain_len(w->chain); i++) {
        tlsock_cert *at = fixchain_at(w->chain, i);

        fix_tell(chain, at, "not_after", certfield(at, TLSOCK_CERT_NOT_AFTER));
        tlsock_cert_unref(at);
    }
    json_object_set_new(obj, "schema", json_string("tlsock.cert-fix/1"));
    json_object_set_new(obj, "file", out_json_text(w->in.target));
    json_object_set_new(obj, "chain", chain);
    json_object_set(obj, "dropped", w->dropped);
    json_object_set(obj, "added", w->added);
    json_object_set(obj, "fetches", w->fetches);
    json_object_set_new(obj, "changed", json_boolean(w->changed));
    json_object_set_new(obj, "complete", json_boolean(w->missing == NULL));
    json_object_set_new(obj, "ends_at", out_json_text(w->ends_at));
    json_object_set_new(obj, "written",
                        out_json_text(w->in_place
                                          ? (w->changed ? w->in.target : NULL)
                                          : w->out));
    return out_json_print(obj);
}

static void rows(FILE *to, const struct out *o, const json_t *list,
                 const char *label, const char *key)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        const char *text = certtext_get(one, key);

        if (text[0] == '\0')
            continue;
        out_label(o, to, OUT_YELLOW, label);
        fprintf(
            to, "%s: %s\n",
            certtext_get(one, strcmp(key, "error") == 0 ? "url" : "subject"),
            text);
    }
}

static void advise(FILE *to, const struct fix *w)
{
    const char *urls;
    tlsock_cert *last = fixchain_last(w->chain);

    out_label(&w->o.out, to, OUT_RED, "MISSING");
    fprintf(to, "%s, which is %s\n", w->ends_at, w->missing);
    urls = certfield(last, TLSOCK_CERT_AIA_URLS);
    out_label(&w->o.out, to, "1", "fix");
    if (!w->aia && urls != NULL && urls[0] != '\0')
        fprintf(to, "--aia fetches it from %s\n", urls);
    else
        fprintf(to, "--with FILE or DIR that holds it; if it is a root of your "
                    "own, name it there too\n");
    tlsock_cert_unref(last);
}

void fix_print_text(const struct fix *w)
{
    FILE *to = w->out != NULL && strcmp(w->out, "-") == 0 ? stderr : stdout;
    const struct out *o = &w->o.out;
    char text[512];

    for (int i = 0; i <= tlsock_cert_chain_len(w->chain); i++) {
        tlsock_cert *at = fixchain_at(w->chain, i);

        fprintf(to, "%d  %s\n", i, certfield_text(at, TLSOCK_CERT_SUBJECT));
        tlsock_cert_unref(at);
    }
    rows(to, o, w->added, "added", "from");
    rows(to, o, w->dropped, "dropped", "reason");
    rows(to, o, w->fetches, "not got", "error");
    if (w->missing != NULL) {
        advise(to, w);
    } else {
        out_label(o, to, OUT_GREEN, "complete");
        fprintf(to, "it ends at %s\n", w->ends_at);
    }
    if (!w->changed) {
        out_label(o, to, OUT_GREEN, "order");
        fprintf(to, "it is in order as it stands\n");
    } else if (w->out == NULL && !w->in_place) {
        out_label(o, to, OUT_YELLOW, "order");
        fprintf(to, "not as it should be sent: --out FILE or --in-place "
                    "writes it\n");
    }
    if (w->in_place ? w->changed : w->out != NULL) {
        out_label(o, to, OUT_GREEN, "wrote");
        fprintf(
            to, "%s\n",
            out_clean(text, sizeof(text), w->in_place ? w->in.target : w->out));
    }
}
