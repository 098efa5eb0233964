/* What serve says: on stdout about clients, on stderr what went wrong. */
#include "certfield.h"
#include "errors.h"
#include "facts.h"
#include "listening.h"
#include "serve.h"

#include <fcntl.h>
#include <string.h>
#include <tlsock/info.h>
#include <unistd.h>

static void print_client(const struct serve *v, const tlsock *s,
                         unsigned long id)
{
    tlsock_cert *cert = tlsock_peer_cert(s);

    printf("client   #%lu %s", id, tlsock_info(s, TLSOCK_INFO_PEER_ADDRESS));
    if (facts_plain(s)) {
        printf("  plain: NOT ENCRYPTED");
    } else {
        printf("  %s", tlsock_info(s, TLSOCK_INFO_VERSION));
        printf("  %s", tlsock_info(s, TLSOCK_INFO_CIPHER));
    }
    if (tlsock_info(s, TLSOCK_INFO_SNI)[0] != '\0')
        printf("  sni %s", tlsock_info(s, TLSOCK_INFO_SNI));
    if (tlsock_info(s, TLSOCK_INFO_ALPN)[0] != '\0')
        printf("  alpn %s", tlsock_info(s, TLSOCK_INFO_ALPN));
    if (tlsock_info_int(s, TLSOCK_INFO_RESUMED))
        printf("  resumed");
    if (cert != NULL)
        printf("  certificate %s", certfield_text(cert, TLSOCK_CERT_SUBJECT));
    else if (v->client_auth != NULL && strcmp(v->client_auth, "none") != 0)
        printf("  no certificate");
    putchar('\n');
    fflush(stdout);
    tlsock_cert_unref(cert);
}

void serve_open(void *arg, const tlsock *s, unsigned long id)
{
    const struct serve *v = arg;

    facts_warn(&v->o.out, s);
    /* one without TLS is never let in silently */
    if (!v->o.out.json &&
        (v->show_client || v->o.out.verbose || facts_plain(s)))
        print_client(v, s, id);
}

void serve_request(void *arg, unsigned long id, const char *path, int status,
                   int64_t length)
{
    const struct serve *v = arg;
    char text[1024];

    if (v->o.out.json || (!v->show_client && !v->o.out.verbose))
        return;
    printf("request  #%lu %d %s  %lld bytes\n", id, status,
           out_clean(text, sizeof(text), path), (long long)length);
    fflush(stdout);
}

static void end_json(struct serve *v, const tlsock *s, unsigned long id,
                     const struct engine_end *end)
{
    json_t *obj = json_object();
    char now[32];

    out_now(now);
    json_object_set_new(obj, "schema", json_string("tlsock.serve/1"));
    json_object_set_new(obj, "event", json_string("end"));
    json_object_set_new(obj, "time", json_string(now));
    json_object_set_new(obj, "id", json_integer((json_int_t)id));
    json_object_set_new(
        obj, "peer", out_json_text(tlsock_info(s, TLSOCK_INFO_PEER_ADDRESS)));
    json_object_set_new(obj, "received",
                        json_integer((json_int_t)end->received));
    json_object_set_new(obj, "sent", json_integer((json_int_t)end->sent));
    if (end->handshaken)
        facts_json(obj, s, NULL);
    if (end->err != NULL)
        json_object_set_new(obj, "error",
                            err_json(&v->o.out, v->where, end->err,
                                     err_exit_code(end->err, 0)));
    out_json_print(obj);
}

void serve_end(void *arg, const tlsock *s, unsigned long id,
               const struct engine_end *end)
{
    struct serve *v = arg;
    char peer[128];

    if (end->err != NULL && v->exit_code == 0)
        v->exit_code = err_exit_code(end->err, 0);
    if (v->o.out.json) {
        end_json(v, s, id, end);
        return;
    }
    snprintf(peer, sizeof(peer), "#%lu %s", id,
             tlsock_info(s, TLSOCK_INFO_PEER_ADDRESS));
    if (end->err != NULL && !v->o.out.quiet)
        err_report(&v->o.out, peer, end->err, 0);
    else if (end->err == NULL && v->o.out.verbose)
        fprintf(stderr, "closed   %s  received %llu, sent %llu bytes\n", peer,
                (unsigned long long)end->received,
                (unsigned long long)end->sent);
}

void serve_trouble(void *arg, const tlsock_error *err)
{
    struct serve *v = arg;

    err_report(&v->o.out, v->where, err, 0);
}

/* SIGHUP comes from whoever wants the files to be read again, or because the
 * terminal that this was typed at is gone. */
int serve_hangup(void *arg)
{
    struct serve *v = arg;

    if (v->had_terminal && !serve_has_terminal())
        return 1;
    if (tlsock_config_reload(v->config) < 0) {
        err_report(&v->o.out, v->where, tlsock_config_error(v->config), 0);
        fprintf(stderr, "kept     what was read before is served\n");
    } else if (!v->o.out.quiet) {
        fprintf(stderr, "reloaded %s\n", v->where);
    }
    return 0;
}

int serve_has_terminal(void)
{
    int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* The address clients may use, with the port that was taken. */
int serve_ready(void *arg)
{
    struct serve *v = arg;
    const char *kind = v->exec                 ? v->argv[0]
                       : v->reply_path != NULL ? v->reply_path
                       : v->files != NULL      ? v->files
                                               : "echo";
    char text[300];
    int port, rc;

    rc = listening_where(&v->o.out, v->where, sizeof(v->where), v->target,
                         v->listener, &port);
    if (rc != 0)
        return rc;
    if (v->o.out.json) {
        json_t *obj = json_object();

        json_object_set_new(obj, "schema", json_string("tlsock.serve/1"));
        json_object_set_new(obj, "event", json_string("ready"));
        json_object_set_new(obj, "address", out_json_text(v->where));
        json_object_set_new(obj, "port", json_integer(port));
        json_object_set_new(obj, "identity", out_json_text(v->identity));
        json_object_set_new(obj, "starttls", out_json_text(v->o.starttls));
        json_object_set_new(obj, "plain_too", json_boolean(v->plain_too));
        out_json_print(obj);
    } else if (!v->o.out.quiet) {
        printf("ready    %s  %s; certificate %s%s%s\n", v->where,
               out_clean(text, sizeof(text), kind), v->identity,
               v->o.starttls != NULL ? "; STARTTLS " : "",
               v->o.starttls != NULL ? v->o.starttls : "");
        fflush(stdout);
    }
    return listening_tell_there(&v->o.out, v->port_file, &v->port_fd, port);
}
