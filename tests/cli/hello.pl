# hello.pl KEY=VALUE... - a server that gets no further than its choice, for
# what no TLS library offers any more, or not yet. Numbers are hexadecimal.
#   versions=0300,0303   what it speaks (0304 by HelloRetryRequest)
#   suites=000a,1301     its suites, in its order
#   groups=11ec,001d     its groups
#   compression=1        it compresses
#   bare=1               no renegotiation_info, no extended_master_secret
#   odd=009c             asked which of two it prefers, it takes neither but this
#   silent=N             from the N-th connection on it says nothing
# Prints "port N" when it is ready.
use strict;
use warnings;
use IO::Socket::INET;

my %o = map { split /=/, $_, 2 } @ARGV;
my @versions = map { hex } split /,/, $o{versions} // '0303';
my @suites = map { hex } split /,/, $o{suites} // '002f';
my @groups = map { hex } split /,/, $o{groups} // '001d';
my $retry = pack 'H*',
    'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c';
my @kept;
$| = 1;
local $SIG{PIPE} = 'IGNORE';
my $l = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1:0')
    or die "listen: $!";
print 'port ', $l->sockport, "\n";

sub record { pack('C n n', $_[0], 0x0303, length $_[1]) . $_[1] }

sub alert { record(21, pack 'C C', 2, $_[0]) }

# What one ClientHello gets.
sub answer {
    my ($body) = @_;
    my ($legacy, $random, $rest) = unpack 'n a32 a*', $body;
    my ($sid, $suites, $comp, $exts) = unpack 'C/a n/a C/a a*', $rest;
    my %ext;
    my $all = length $exts ? unpack('n/a', $exts) : '';
    while (length $all) {
        (my ($type, $data), $all) = unpack 'n n/a a*', $all;
        $ext{$type} = $data;
    }
    my @offered = $ext{43} ? unpack('n*', unpack 'C/a', $ext{43}) : ($legacy);
    my ($version) = grep { my $v = $_; grep { $_ == $v } @offered }
        sort { $b <=> $a } @versions;
    return alert(70) unless $version;
    my %client = map { $_ => 1 } unpack 'n*', $suites;
    my ($suite) = grep { $client{$_} && ($_ >> 8 == 0x13) == ($version == 0x0304) }
        @suites;
    return alert(40) unless $suite;
    $suite = hex $o{odd} if $o{odd} && keys %client == 2;
    my ($out, $said) = ('', $version);
    if ($version == 0x0304) {
        my %g = map { $_ => 1 } unpack 'n*', unpack 'n/a', $ext{10} // "\0\0";
        my ($group) = grep { $g{$_} } @groups;
        return alert(40) unless $group;
        $out = pack 'n n n n n n', 43, 2, 0x0304, 51, 2, $group;
        $said = 0x0303;
    } elsif ($version > 0x0300 && !$o{bare}) {
        $out = pack('n n C', 0xff01, 1, 0) . pack('n n', 23, 0);
    }
    my $zip = $o{compression} && index($comp, "\1") >= 0 ? 1 : 0;
    my $hello = pack 'n a32 C/a n C', $said,
        $version == 0x0304 ? $retry : 'x' x 32, $sid, $suite, $zip;
    $hello .= pack 'n/a', $out if length $out;
    record(22, pack('C C n', 2, 0, length $hello) . $hello);
}

my $n = 0;
while (my $c = $l->accept) {
    if ($o{silent} && ++$n >= $o{silent}) {
        push @kept, $c;
        next;
    }
    my $got = '';
    while (length $got < 5 || length $got < 5 + unpack 'x3 n', $got) {
        sysread $c, $got, 65536, length $got or last;
    }
    syswrite $c, answer(substr $got, 9) if length $got > 50;
    close $c;
}
