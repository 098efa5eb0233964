# talk.pl PORT [bytewise] - stdin to a plain socket, its answer to stdout; each
# direction ends by itself. bytewise: one byte a segment.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Socket qw(IPPROTO_TCP TCP_NODELAY);

my ($port, $bytewise) = @ARGV;
my $s = IO::Socket::INET->new("127.0.0.1:$port") or die "connect: $!";
setsockopt($s, IPPROTO_TCP, TCP_NODELAY, 1);
$| = 1;
local $SIG{PIPE} = 'IGNORE';
binmode(STDIN);
binmode(STDOUT);
my $child = fork() // die;
if (!$child) {
    while (sysread($s, my $buf, 65536)) {
        syswrite(STDOUT, $buf) or last;
    }
    exit(0);
}
while (sysread(STDIN, my $buf, $bytewise ? 1 : 65536)) {
    my $at = 0;
    while ($at < length($buf)) {
        my $n = syswrite($s, $buf, length($buf) - $at, $at) or last;
        $at += $n;
    }
    # the next byte leaves when this one has arrived there
    select(undef, undef, undef, 0.002) if $bytewise;
}
shutdown($s, 1);
waitpid($child, 0);
