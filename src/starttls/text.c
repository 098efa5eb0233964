#include "starttls/dialogue.h"

#include "core/str.h"

#include <string.h>

#define PATIENCE 10 /* commands that need TLS, before it is clear */

int tsk_dlg_word(const char *line, const char *word, const char **rest)
{
    size_t n = strlen(word);

    if (tsk_casencmp(line, word, n) != 0 || (line[n] != '\0' && line[n] != ' '))
        return 0;
    line += n;
    *rest = line + strspn(line, " ");
    return 1;
}

/* "250", "250 text", "250-text": the code, or 0 */
static int code_of(const char *line)
{
    if (line[0] < '1' || line[0] > '5' || line[1] < '0' || line[1] > '9' ||
        line[2] < '0' || line[2] > '9')
        return 0;
    if (line[3] != '\0' && line[3] != ' ' && line[3] != '-')
        return 0;
    return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

int tsk_dlg_reply(struct tsk_starttls *d, const char *line, int loose,
                  tlsock_error *err)
{
    int code = code_of(line), begun = d->code != 0;

    if (begun && loose && code != d->code)
        return TSK_DLG_MORE;
    if (code == 0)
        return tsk_dlg_alien_line(d, "a reply with a code", line, err);
    if (begun && code != d->code)
        return tsk_dlg_alien_line(d, "one code in all lines of a reply", line,
                                  err);
    d->count = begun ? d->count + 1 : 0;
    d->code = code;
    if (line[3] == '-')
        return TSK_DLG_MORE;
    d->code = 0;
    return code;
}

int tsk_dlg_answer(struct tsk_talk *t, const char *answer, tlsock_error *err)
{
    int rc = tsk_talk_say(t, err, "%s\r\n", answer);

    return rc < 0 ? rc : TSK_DLG_MORE;
}

int tsk_dlg_begin(struct tsk_talk *t, const char *answer, tlsock_error *err)
{
    return tsk_talk_say(t, err, "%s\r\n", answer);
}

int tsk_dlg_bye(struct tsk_starttls *d, struct tsk_talk *t, const char *line,
                const char *answer, tlsock_error *err)
{
    int rc = tsk_talk_say(t, err, "%s\r\n", answer);

    return rc < 0 ? rc : tsk_dlg_gone_on(d, line, err);
}

int tsk_dlg_needs_tls(struct tsk_starttls *d, struct tsk_talk *t,
                      const char *line, const char *answer, tlsock_error *err)
{
    if (++d->refusals >= PATIENCE)
        return tsk_dlg_bye(d, t, line, answer, err);
    return tsk_dlg_answer(t, answer, err);
}
