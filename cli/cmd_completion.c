/* completion - the words of this tool, as a script for a shell. */
#include "complete.h"
#include "errors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct poptOption table[] = {OPT_GROUP(opt_output, "Output:"),
                                    POPT_TABLEEND};

static const struct opt_spec spec = {
    .command = "completion",
    .usage = "[options] bash|zsh|fish",
    .about = "Writes what this shell needs to complete commands, options and "
             "their values. An installed tlsock has it in place already.",
    .after = "  source <(tlsock completion bash)      # in ~/.bashrc\n"
             "  source <(tlsock completion zsh)       # in ~/.zshrc, after "
             "compinit\n"
             "  tlsock completion fish | source       # in config.fish\n",
    .table = table,
    .min_args = 1,
    .max_args = 1};

static const struct {
    const char *name;
    void (*print)(const struct complete_command *all, size_t n);
} shells[] = {
    {"bash", complete_bash}, {"zsh", complete_zsh}, {"fish", complete_fish}};

static int print_for(const struct opts *o, const char *shell)
{
    char text[64];

    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        struct complete_command *all;
        size_t n;

        if (strcmp(shells[i].name, shell) != 0)
            continue;
        all = complete_commands(&n);
        if (all == NULL)
            return EXIT_INTERNAL;
        shells[i].print(all, n);
        free(all);
        if (fflush(stdout) == 0)
            return EXIT_GOOD;
        return err_plain(&o->out, "stdout", EXIT_OWN, "own-file",
                         "is the disk full, or the reader gone?",
                         "the script could not be written");
    }
    return err_usage(&o->out, "completion", "bash, zsh or fish",
                     "there is no completion for \"%s\"",
                     out_clean(text, sizeof(text), shell));
}

int cmd_completion(int argc, const char **argv)
{
    struct opts o;
    int rc = opt_parse(&o, &spec, NULL, argc, argv);

    if (rc == -1)
        rc = print_for(&o, o.args.v[0]);
    opt_free(&o);
    return rc;
}
