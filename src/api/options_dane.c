/* Parsers of what DANE needs: a build that has it, a file, a name server. */
#include "api/options.h"
#include "core/str.h"
#include "net/addr.h"
#include "net/dns.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

TSK_OPTION_PARSER(dane)
{
    if (strcmp(value, "off") != 0 && !tsk_dns_there()) {
        tsk_fail(err, TLSOCK_E_UNSUPPORTED,
                 "dane: this build of tlsock has no DNSSEC resolver");
        tsk_hint(err, "build it with libunbound (meson setup -Ddane=enabled)");
        return TLSOCK_E_UNSUPPORTED;
    }
    return tsk_opt_choice(row, set, value, err);
}

TSK_OPTION_PARSER(anchor)
{
    if (strlen(value) >= PATH_MAX)
        return tsk_option_bad(err, row, value, "too long for a path");
    if (access(value, R_OK) != 0)
        return tsk_option_bad(err, row, value, strerror(errno));
    return tsk_option_text(tsk_option_field(row, set), value, err);
}

TSK_OPTION_PARSER(resolver)
{
    const char *at = strchr(value, '@');
    size_t len = at != NULL ? (size_t)(at - value) : strlen(value);
    uint8_t ip[16];
    char address[64];
    int64_t port;

    if (len >= sizeof(address))
        return tsk_option_bad(err, row, value, "no numeric address");
    memcpy(address, value, len);
    address[len] = '\0';
    if (tsk_ip_parse(address, ip) == 0)
        return tsk_option_bad(err, row, value, "no numeric address");
    if (at != NULL && tsk_number(at + 1, 1, 65535, &port) != 0)
        return tsk_option_bad(err, row, value, "no port number");
    return tsk_option_text(tsk_option_field(row, set), value, err);
}
