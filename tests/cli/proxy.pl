# A small proxy.
#   proxy.pl http|socks5 [USER:PASSWORD]     listens, prints its port, and each
#                                            destination asked for; http takes
#                                            CONNECT, GET and POST
#   proxy.pl refuse http|socks5              refuses every destination
#   proxy.pl stdio http|socks5 [USER:PASS]   one client on stdin and stdout
#   proxy.pl hop PORT                        TCP to PORT, one byte a segment
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use MIME::Base64;
use Socket qw(IPPROTO_TCP TCP_NODELAY);

my ($mode, @rest) = @ARGV;
my $refuse = $mode eq 'refuse';
my $stdio = $mode eq 'stdio';
my $kind = $refuse || $stdio ? shift(@rest) : $mode;
my $login = $kind eq 'hop' ? undef : $rest[0];
$| = 1;
$SIG{PIPE} = 'IGNORE';
$SIG{CHLD} = 'IGNORE';

sub put {
    my ($to, $bytes) = @_;
    my $at = 0;
    while ($at < length($bytes)) {
        my $n = syswrite($to, $bytes, length($bytes) - $at, $at) or return 0;
        $at += $n;
    }
    return 1;
}

sub get { # exactly n bytes
    my ($from, $n) = @_;
    my $all = '';
    while (length($all) < $n) {
        sysread($from, $all, $n - length($all), length($all)) or exit(0);
    }
    return $all;
}

sub bye { # the last word; unread input would turn it into a reset
    my ($in, $out, $bytes) = @_;
    put($out, $bytes);
    $in == $out ? shutdown($out, 1) : close($out);
    1 while sysread($in, my $buf, 65536);
    exit(0);
}

sub relay { # until both have ended
    my ($in, $out, $s, $bytewise) = @_;
    my $r = IO::Select->new($in, $s);
    while ($r->count) {
        for my $from ($r->can_read) {
            my $to = $from == $s ? $out : $s;
            if (sysread($from, my $buf, $bytewise ? 1 : 65536)) {
                put($to, $buf) or exit(0);
                next;
            }
            $r->remove($from);
            if ($to == $s) { shutdown($s, 1) }
            elsif ($in == $out) { shutdown($out, 1) }
            else { close($out) }
        }
    }
    exit(0);
}

sub dial {
    my ($host, $port) = @_;
    print STDERR "asked for $host:$port\n";
    $host = '127.0.0.1' if $host =~ /\.test$|^localhost$/;
    return $refuse ? undef : IO::Socket::INET->new("$host:$port");
}

sub http {
    my ($in, $out) = @_;
    my $head = '';
    $head .= get($in, 1) while $head !~ /\r\n\r\n$/;
    my ($host, $port) = $head =~ m{^CONNECT ([^ ]+):(\d+) HTTP/1.1\r\n};
    my $page = !$port && $head =~ s{^(GET|POST) http://([^ /:]+):(\d+)}{$1 };
    ($host, $port) = ($2, $3) if $page;
    $port or bye($in, $out, "HTTP/1.1 400 Bad Request\r\n\r\n");
    my $want = defined $login ? encode_base64($login, '') : undef;
    if (defined $want && $head !~ /^Proxy-Authorization: Basic \Q$want\E\r$/mi) {
        bye($in, $out, "HTTP/1.1 407 Proxy Authentication Required\r\n"
            . "Proxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n");
    }
    my $s = dial($host, $port)
        or bye($in, $out, "HTTP/1.1 403 Forbidden\r\n\r\n");
    print STDERR "a page of $host:$port\n" if $page;
    put($page ? $s : $out,
        $page ? $head : "HTTP/1.1 200 OK\r\nX-Way: open\r\n\r\n");
    relay($in, $out, $s);
}

sub socks5 {
    my ($in, $out) = @_;
    my $v = unpack('C', get($in, 1));
    bye($in, $out, pack('CC', 5, 255)) if $v != 5;
    my $n = unpack('C', get($in, 1));
    my %offered = map { $_ => 1 } unpack('C*', get($in, $n));
    my $method = defined $login ? 2 : 0;
    bye($in, $out, pack('CC', 5, 255)) if !$offered{$method};
    put($out, pack('CC', 5, $method));
    if ($method == 2) {
        my (undef, $len) = unpack('CC', get($in, 2));
        my $user = get($in, $len);
        my $pass = get($in, unpack('C', get($in, 1)));
        my $good = "$user:$pass" eq $login;
        bye($in, $out, pack('CC', 1, 1)) if !$good;
        put($out, pack('CC', 1, 0));
    }
    my (undef, undef, undef, $type) = unpack('C4', get($in, 4));
    my $host = $type == 1 ? join('.', unpack('C4', get($in, 4)))
        : $type == 3 ? get($in, unpack('C', get($in, 1)))
        : do { get($in, 16); '127.0.0.1' };
    my $s = dial($host, unpack('n', get($in, 2)));
    my $answer = pack('C4 C4 n', 5, $s ? 0 : 2, 0, 1, 127, 0, 0, 1, 0);
    bye($in, $out, $answer) if !$s;
    put($out, $answer);
    relay($in, $out, $s);
}

sub serve {
    my ($in, $out) = @_;
    if ($kind eq 'hop') {
        my $s = IO::Socket::INET->new("127.0.0.1:$rest[0]") or exit(1);
        setsockopt($s, IPPROTO_TCP, TCP_NODELAY, 1);
        relay($in, $out, $s, 1);
    }
    $kind eq 'http' ? http($in, $out) : socks5($in, $out);
}

if ($stdio) {
    serve(\*STDIN, \*STDOUT);
    exit(0);
}
my $l = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1:0')
    or die "listen: $!";
print 'port ', $l->sockport, "\n";
while (1) {
    my $c = $l->accept or next;
    my $child = fork() // die;
    if (!$child) {
        close($l);
        serve($c, $c);
        exit(0);
    }
    close($c);
}
