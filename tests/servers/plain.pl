# plain.pl PORT: stdin to a loopback port, what comes from there to stdout,
# until that ends.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my $peer = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die "$@\n";
my $sources = IO::Select->new($peer, \*STDIN);
while (1) {
    for my $from ($sources->can_read) {
        my $n = sysread($from, my $part, 65536);
        if ($from != $peer) {
            $n ? syswrite($peer, $part) : $sources->remove($from);
        } else {
            exit 0 if !$n;
            syswrite(STDOUT, $part);
        }
    }
}
