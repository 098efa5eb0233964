/* IO::Socket::SSL with plain options: what peer.pl does. */
#include "bench.h"

const struct bench_lib bench_perl = {
    .name = "IO::Socket::SSL",
    .modes = 1u << BENCH_FULL | 1u << BENCH_RESUMED | 1u << BENCH_LOOP |
             1u << BENCH_BULK | 1u << BENCH_SMALL | 1u << BENCH_PING |
             1u << BENCH_FIRST | 1u << BENCH_IDLE,
    .slow = 20,
    .slow_full = 10,
    .slow_idle = 10,
    .script = BENCH_PERL,
};
