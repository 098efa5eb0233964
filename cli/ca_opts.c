#include "ca_opts.h"

#include "errors.h"

#include <string.h>
#include <time.h>

int ca_find_dir(char dir[LOCAL_PATH], const struct opts *o)
{
    const char *where = opt_ca(o);

    if (where == NULL && local_dir(dir) < 0)
        return err_plain(&o->out, o->command, EXIT_OWN, "own-file",
                         "--dir DIR, or set HOME",
                         "no home directory to look for the CA in");
    if (where != NULL && !local_ca_dir(dir, where))
        return err_plain(&o->out, where, EXIT_OWN, "own-file",
                         "tlsock ca init makes one; --dir names its directory",
                         "%s is no directory of a CA", where);
    return 0;
}

int ca_open(struct cadb **db, const struct opts *o, int write)
{
    tlsock_error err = {0};
    char dir[LOCAL_PATH];
    int rc = ca_find_dir(dir, o);

    if (rc == 0 && cadb_open(db, dir, opt_pass(o),
                             write ? CADB_WRITE : CADB_READ, &err) != 0)
        rc = err_report(&o->out, dir, &err, 1);
    return rc;
}

int ca_open_signer(struct signer *s, const struct out *o, const char *where,
                   const char *pass)
{
    tlsock_error err = {0};

    if (signer_open(s, where, pass, &err) == 0)
        return 0;
    signer_close(s);
    return err_report(o, s->where, &err, 1);
}

const char *ca_entry_name(const struct cadb_entry *e, char *text, size_t size)
{
    const char *name = e->sans[0] != '\0' ? e->sans : e->subject;
    const char *colon = strchr(name, ':');
    char first[256];

    if (e->sans[0] == '\0')
        return out_clean(text, size, name);
    name = colon != NULL ? colon + 1 : name;
    snprintf(first, sizeof(first), "%.*s", (int)strcspn(name, ","), name);
    return out_clean(text, size, first);
}

static void set_time(json_t *obj, const char *key, int64_t when)
{
    char text[32];

    cadb_time_text(when, text);
    json_object_set_new(obj, key, when != 0 ? json_string(text) : json_null());
}

json_t *ca_entry_json(const struct cadb_entry *e)
{
    json_t *obj = json_object();
    const char *status = e->revoked                         ? "revoked"
                         : e->expires < (int64_t)time(NULL) ? "expired"
                                                            : "valid";

    json_object_set_new(obj, "serial", json_string(e->serial));
    json_object_set_new(obj, "status", json_string(status));
    json_object_set_new(obj, "subject", out_json_text(e->subject));
    json_object_set_new(obj, "sans", out_json_text(e->sans));
    set_time(obj, "issued", e->issued);
    set_time(obj, "not_after", e->expires);
    if (e->revoked) {
        set_time(obj, "revoked", e->revoked_at);
        json_object_set_new(obj, "reason",
                            json_string(cadb_reason_name(e->reason)));
    }
    json_object_set_new(obj, "file", out_json_text(e->file));
    return obj;
}

json_t *ca_crl_json(const struct cadb *db)
{
    const struct cadb_crl_state *crl = cadb_crl_state(db);
    int overdue = crl->due != 0 && crl->due < (int64_t)time(NULL);
    json_t *obj = json_object();

    json_object_set_new(obj, "number", json_integer((json_int_t)crl->number));
    set_time(obj, "this_update", crl->made);
    set_time(obj, "next_update", crl->due);
    json_object_set_new(obj, "overdue", json_boolean(overdue));
    json_object_set_new(obj, "outdated", json_boolean(crl->outdated));
    json_object_set_new(obj, "der", out_json_text(cadb_crl_path(db, 0)));
    json_object_set_new(obj, "pem", out_json_text(cadb_crl_path(db, 1)));
    if (cadb_url(db, CADB_URL_CRL)[0] != '\0')
        json_object_set_new(obj, "url",
                            out_json_text(cadb_url(db, CADB_URL_CRL)));
    return obj;
}

void ca_print_crl(const struct cadb *db)
{
    const struct cadb_crl_state *crl = cadb_crl_state(db);
    char due[32], text[512];

    cadb_time_text(crl->due, due);
    printf("crl      number %llu, the next one is due %.16sZ\n",
           (unsigned long long)crl->number, due);
    printf("         %s, crl.pem beside it\n",
           out_clean(text, sizeof(text), cadb_crl_path(db, 0)));
    if (cadb_url(db, CADB_URL_CRL)[0] != '\0')
        printf("publish  it at %s\n",
               out_clean(text, sizeof(text), cadb_url(db, CADB_URL_CRL)));
}

int ca_make_crl(struct cadb *db, const struct opts *o, int days)
{
    tlsock_error err = {0};

    if (cadb_crl(db, days, &err) == 0)
        return 0;
    return err_report(&o->out, cadb_crl_path(db, 0), &err, 1);
}
