# har_server.pl DIR - HTTP/1.1 on standard input and output, one request after
# the other, by the last word of the path. What it sends is in DIR, too, as
# PATH.sent without any coding.
use strict;
use warnings;
use IO::Compress::Gzip qw(gzip);

my ($dir) = @ARGV;
my ($reply, $over) = ('', 0); # what is sent, once it is in DIR
binmode STDIN;
binmode STDOUT;
$| = 1;
my %kinds = (
    text => sub { plain("the text: \xc3\xa4\n", 'text/plain; charset=utf-8') },
    binary => sub { plain(join('', map chr, 0 .. 255), 'image/png') },
    latin1 => sub { plain("\xe4 in Latin-1\n", 'text/html') },
    empty => sub { plain('', 'text/plain') },
    long => sub { plain("0123456789abcde\n" x 262145, 'text/plain') },
    gzip => sub {
        my $text = "packed " x 1000;
        gzip(\$text, \my $packed);
        plain($packed, 'application/json', 'Content-Encoding: gzip');
        $text;
    },
    br => sub { plain("\x8b\x00\x80a\x03", 'text/css', 'Content-Encoding: br') },
    chunked => sub {
        $reply = join '', "HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n",
            "Trailer: X-Sum\r\n\r\n5\r\nin pi\r\n3;x=y\r\nece\r\n1\r\ns\r\n0\r\n",
            "X-Sum: 9\r\n\r\n";
        'in pieces';
    },
    cookies => sub {
        plain('', 'text/plain', 'Set-Cookie: a=1; Path=/p; HttpOnly; secure',
            'Set-Cookie: b=x=y; Domain=d.test; '
                . 'Expires=Wed, 21 Oct 2026 07:28:00 GMT; SameSite=Lax');
    },
    redirect => sub { answer('302 Found', '', 'text/plain', 'Location: /to') },
    echo => sub { plain($_[0], 'application/octet-stream') },
    end => sub {
        $over = 1;
        $reply = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nto the end";
        'to the end';
    },
    short => sub {
        $over = 1;
        $reply = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab";
    },
    none => sub { $over = 1; '' },
    upgrade => sub {
        $over = 1;
        $reply = "HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: Upgrade\r\n"
            . "\r\nbytes";
    },
);

sub answer {
    my ($status, $body, $type, @headers) = @_;
    $reply = join '', "HTTP/1.1 $status\r\nContent-Type: $type\r\n",
        'Content-Length: ', length $body, "\r\n", map("$_\r\n", @headers),
        "\r\n", $body;
    $body;
}

sub plain { answer('200 OK', @_) }

sub chunks {
    my $body = '';
    while (defined(my $size = <STDIN>)) {
        my $n = hex($size =~ /^([0-9a-f]+)/i ? $1 : die 'no chunk');
        read STDIN, $body, $n, length $body if $n;
        my $end = <STDIN>;
        return $body if !$n;
    }
}

while (defined(my $line = <STDIN>)) {
    my (undef, $path) = split ' ', $line;
    defined $path or die "no request: $line\n";
    my ($name) = $path =~ m{^/(\w+)};
    my ($length, $chunked, $body) = (0, 0, '');
    while (defined(my $h = <STDIN>)) {
        last if $h =~ /^\r?\n$/;
        $length = $1 if $h =~ /^content-length:\s*(\d+)/i;
        $chunked = 1 if $h =~ /^transfer-encoding:\s*chunked/i;
        print "HTTP/1.1 100 Continue\r\nX: not this one\r\n\r\n"
            if $h =~ /^expect: 100-continue/i;
    }
    if ($chunked) {
        $body = chunks();
    } else {
        read STDIN, $body, $length if $length;
    }
    my $sent = $kinds{$name}->($body);
    open my $f, '>:raw', "$dir/$name.sent" or die "$dir/$name.sent: $!\n";
    print $f $sent;
    close $f;
    print $reply;
    exit 0 if $over;
}
