#include "capread.h"

#include "errors.h"

int capread_say(const struct out *o, const char *path)
{
    return err_plain(o, path, EXIT_OWN, "unsupported",
                     "build it with libpcap, see \"tlsock version\"",
                     "this is a capture, and tlsock was built without libpcap");
}
