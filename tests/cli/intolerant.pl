# intolerant.pl PORT tls13|sni|nothing - passes connections on to a server on PORT, but
# closes those whose ClientHello offers TLS 1.3, or has SNI: as old middleboxes
# do. Prints "port N" when it is ready.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($to, $what) = @ARGV;
$| = 1;
local $SIG{PIPE} = 'IGNORE';
my $l = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1:0')
    or die "listen: $!";
print 'port ', $l->sockport, "\n";

sub has {
    my ($hello, $type) = @_;
    my (undef, undef, undef, $exts) = unpack 'x43 C/a n/a C/a a*', $hello;
    $exts = length $exts ? unpack('n/a', $exts) : '';
    while (length $exts >= 4) {
        (my ($is, $data), $exts) = unpack 'n n/a a*', $exts;
        return 1 if $is == $type && ($type != 43 || $data =~ /\x03\x04/);
    }
    return 0;
}

while (my $c = $l->accept) {
    my $got = '';
    while (length $got < 5 || length $got < 5 + unpack 'x3 n', $got) {
        sysread $c, $got, 65536, length $got or last;
    }
    next if length $got < 50 || $what eq 'tls13' && has($got, 43)
        || $what eq 'sni' && has($got, 0);
    my $s = IO::Socket::INET->new("127.0.0.1:$to") or next;
    syswrite $s, $got;
    my $both = IO::Select->new($c, $s);
    RELAY: while (1) {
        for my $from ($both->can_read) {
            sysread $from, my $data, 65536 or last RELAY;
            syswrite(($from == $c ? $s : $c), $data);
        }
    }
}
