/* main - the table of commands, and nothing else. */
#include "commands.h"
#include "errors.h"
#include "evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct command commands[] = {
    {"connect", NULL, cmd_connect, "connect TARGET",
     "verified session for stdin and stdout"},
    {"serve", NULL, cmd_serve, "serve TARGET",
     "TLS server: echo, files, or a program per client"},
    {"intercept", NULL, cmd_intercept, "intercept",
     "a proxy that decrypts and logs what goes by"},
    {"check", NULL, cmd_check, "check TARGET...",
     "what is wrong with a server, and how to mend it"},
    {"fingerprint", NULL, cmd_fingerprint, "fingerprint FILE|HOST:PORT",
     "pins of a certificate and its key, ready to paste"},
    {"cert", "new", cmd_cert_new, "cert new NAME...",
     "make a key and a certificate"},
    {"cert", "show", cmd_cert_show, "cert show FILE|HOST:PORT",
     "what certificates say"},
    {"cert", "csr", cmd_cert_csr, "cert csr NAME...", "make a signing request"},
    {"cert", "sign", cmd_cert_sign, "cert sign CSR",
     "answer a signing request"},
    {"cert", "renew", cmd_cert_renew, "cert renew FILE",
     "a new certificate for the same names"},
    {"cert", "clone", cmd_cert_clone, "cert clone FILE|HOST:PORT",
     "a copy of a seen certificate under your CA"},
    {"cert", "verify", cmd_cert_verify, "cert verify FILE|HOST:PORT",
     "verify a certificate and say why not"},
    {"cert", "convert", cmd_cert_convert, "cert convert FILE...",
     "PEM, DER, PKCS#12 into each other"},
    {"cert", "match", cmd_cert_match, "cert match FILE...",
     "which key belongs to which certificate"},
    {"cert", "fix", cmd_cert_fix, "cert fix FILE", "put a chain in order"},
    {"cert", "diff", cmd_cert_diff, "cert diff A B",
     "what differs between two certificates"},
    {"cert", "lint", cmd_cert_lint, "cert lint FILE|HOST:PORT",
     "what standards say of a certificate"},
    {"ca", "init", cmd_ca_init, "ca init",
     "make a local CA for tests and laptops"},
    {"ca", "list", cmd_ca_list, "ca list", "what the CA issued"},
    {"ca", "revoke", cmd_ca_revoke, "ca revoke SERIAL|FILE",
     "revoke a certificate"},
    {"ca", "crl", cmd_ca_crl, "ca crl", "make a new CRL"},
    {"ca", "serve", cmd_ca_serve, "ca serve [ADDRESS]", "OCSP, CRL and ACME"},
    {"trust", "install", cmd_trust_install, "trust install [CA]",
     "make system, browsers and Java trust a CA"},
    {"trust", "uninstall", cmd_trust_uninstall, "trust uninstall [CA]",
     "undo exactly that"},
    {"trust", "list", cmd_trust_list, "trust list", "who trusts it, and where"},
    {"testpki", NULL, cmd_testpki, "testpki DIR",
     "a zoo of good and bad certificates for tests"},
    {"completion", NULL, cmd_completion, "completion bash|zsh|fish",
     "what a shell needs to complete its words"},
    {"version", NULL, cmd_version, "version",
     "versions, trust store found and why, features"},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const struct command *command_at(size_t n)
{
    return n < COUNT(commands) ? &commands[n] : NULL;
}

/* word NULL: all commands; else those that begin with it. */
static int overview(FILE *to, const char *word, int code)
{
    const char *of = word != NULL ? word : "COMMAND";

    fprintf(to, "Usage: tlsock %s%s [options] TARGET...\n\n", of,
            word != NULL ? " COMMAND" : "");
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (word == NULL || strcmp(word, commands[i].word) == 0)
            fprintf(to, "  %-26s %s\n", commands[i].usage, commands[i].summary);
    }
    fprintf(to, "\ntlsock %s%s --help tells more; so does man tlsock%s%s.\n",
            of, word != NULL ? " COMMAND" : "", word != NULL ? "-" : "",
            word != NULL ? word : "");
    return fflush(to) == 0 ? code : EXIT_INTERNAL;
}

/* Usage errors before a command is known; --json is honoured here too. */
static struct out plain_out(int argc, const char **argv)
{
    struct out o = {0, 0, 0, -1};

    for (int i = 1; i < argc; i++)
        o.json = o.json || strcmp(argv[i], "--json") == 0;
    return o;
}

static int unknown(int argc, const char **argv)
{
    struct out o = plain_out(argc, argv);
    char subs[512] = "", text[160];
    size_t used = 0;
    int second = argc > 2 && argv[2][0] != '-'; /* an option is none */

    for (size_t i = 0; i < COUNT(commands); i++) {
        if (commands[i].sub != NULL && strcmp(commands[i].word, argv[1]) == 0)
            used += (size_t)snprintf(subs + used, sizeof(subs) - used,
                                     "%stlsock %s %s", used > 0 ? " or " : "",
                                     argv[1], commands[i].sub);
    }
    out_clean(text, sizeof(text), second && used > 0 ? argv[2] : argv[1]);
    if (used > 0 && second)
        return err_plain(&o, argv[1], EXIT_USAGE, "usage", subs,
                         "there is no command \"%s %s\"", argv[1], text);
    if (used > 0)
        return err_plain(&o, argv[1], EXIT_USAGE, "usage", subs,
                         "\"%s\" needs a second word", argv[1]);
    return err_plain(&o, text, EXIT_USAGE, "usage",
                     "connect, serve, intercept, check, fingerprint, cert, "
                     "ca, trust, testpki, completion or version",
                     "there is no command \"%s\"", text);
}

static int dispatch(int argc, const char **argv)
{
    for (size_t i = 0; i < COUNT(commands); i++) {
        int words = commands[i].sub != NULL ? 2 : 1;

        if (strcmp(argv[1], commands[i].word) != 0)
            continue;
        if (words == 2 && (argc < 3 || strcmp(argv[2], commands[i].sub) != 0))
            continue;
        return commands[i].run(argc - words, argv + words);
    }
    if (argc > 2 &&
        (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
        for (size_t i = 0; i < COUNT(commands); i++) {
            if (strcmp(argv[1], commands[i].word) == 0)
                return overview(stdout, argv[1], EXIT_GOOD);
        }
    }
    return unknown(argc, argv);
}

static int is(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

/* A file of ours must not get the number of a stream that the caller closed:
 * results would be written into it. Opened the wrong way round, so that using
 * the stream still fails. */
static void open_streams(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
            (void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
    }
}

/* What has no memory cannot even say so where it happens: it is said here. */
static int out_of_memory(const struct out *o, int rc)
{
    if (rc == EXIT_INTERNAL && !err_said())
        return err_plain(o, "memory", EXIT_INTERNAL, "no-memory",
                         "free some, or raise the limit (ulimit -v)",
                         "out of memory");
    if (rc != EXIT_INTERNAL && out_lost())
        return err_plain(o, "memory", EXIT_INTERNAL, "no-memory",
                         "free some, or raise the limit (ulimit -v)",
                         "out of memory: the results are not complete");
    return rc;
}

/* Results that did not arrive are no success. A reader that has seen enough
 * needs no words; nor is there more to say where the command failed. */
static int end(const struct out *o, int rc)
{
    struct out on_stderr = {.quiet = o->quiet, .color = o->color};
    struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
    int failed = fflush(stdout) != 0 || ferror(stdout);

    if (rc > 1 && rc != EXIT_INTERNAL)
        return rc;
    if (!failed)
        return out_of_memory(o, rc);
    if (poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0)
        return EXIT_INTERNAL;
    return err_plain(&on_stderr, "standard output", EXIT_INTERNAL, "output",
                     "see where the output goes: is it open, is there space?",
                     "cannot write the results");
}

static int run(int argc, const char **argv)
{
    const char *help[8] = {argv[0]};
    int n = 1;

    if (argc < 2)
        return overview(stderr, NULL, EXIT_USAGE);
    if (is(argv[1], "--help", "-h") ||
        (argc == 2 && strcmp(argv[1], "help") == 0))
        return overview(stdout, NULL, EXIT_GOOD);
    if (is(argv[1], "--version", "-V"))
        return cmd_version(argc - 1, argv + 1);
    if (strcmp(argv[1], "help") != 0)
        return dispatch(argc, argv);
    for (int i = 2; i < argc && n < 4; i++)
        help[n++] = argv[i];
    help[n++] = "--help";
    return dispatch(n, help);
}

int main(int argc, const char **argv)
{
    struct out o = plain_out(argc, argv);

    open_streams();
    out_begin();
    signal(SIGPIPE, SIG_IGN); /* a reader that left is an error to report */
    return end(&o, evidence_exit(run(argc, argv)));
}
