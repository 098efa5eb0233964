# capture.pl KIND >FILE: a capture of one TLS client and its server, in one of
# the forms that captures come in. The hellos are those that JA4's technical
# details and JA3's text work through.
use strict;
use warnings;

my $kind = shift // 'ethernet';
binmode STDOUT;

sub vector { my ($n, $s) = @_; substr(pack('N', length $s), 4 - $n) . $s }
sub ext { pack('n', $_[0]) . vector(2, $_[1] // '') }
sub u16s { pack('n*', @_) }

my $pad = $kind eq 'long' ? "\0" x 20000 : '';
my $client = "\1" . vector(3, pack('n', 0x303) . "\7" x 32 . vector(1, '')
    . vector(2, u16s(0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c,
        0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x9c, 0x9d, 0x2f, 0x35))
    . vector(1, "\0") . vector(2, join '',
        ext(0xfafa), ext(0x1b), ext(0, vector(2, "\0" . vector(2, 'app.test'))),
        ext(0x33), ext(0x10, vector(2, vector(1, 'h2') . vector(1, 'http/1.1'))),
        ext(0x4469), ext(0x17), ext(0x2d),
        ext(0xd, vector(2, u16s(0x403, 0x804, 0x401, 0x503, 0x805, 0x501, 0x806,
            0x601))),
        ext(5), ext(0x23), ext(0x12),
        ext(0x2b, vector(1, u16s(0x3a3a, 0x304, 0x303))), ext(0xff01),
        ext(0xb, vector(1, "\0")), ext(0xa, vector(2, u16s(0x1d, 0x17, 0x18))),
        ext(0x15, $pad)));
my $server = "\2" . vector(3, pack('n', 0x301) . "\7" x 32 . vector(1, '')
    . pack('n', 47) . "\0" . vector(2, join '', map { ext($_) }
        65281, 0, 11, 35, 5, 16));
my $retry = "\2" . vector(3, pack('n', 0x303)
    . pack('H*', 'cf21ad74e59a6111be1d8c021e65b891'
        . 'c2a211167abb8c5e079e09e2c8a8339c')
    . vector(1, '') . pack('n', 0x1301) . "\0" . vector(2, ext(51, "\0\x17")));

# The message in records of so many bytes.
sub records {
    my ($msg, $most) = @_;
    join '', map { "\x16\3\1" . vector(2, $_) } $msg =~ /(.{1,$most})/sg;
}

my ($a4, $b4) = ("\x0a\0\0\1", "\x0a\0\0\2");
my ($a6, $b6) = (pack('H*', '20010db8' . '0' x 22 . '01'),
                 pack('H*', '20010db8' . '0' x 22 . '02'));
my $v6 = $kind =~ /v6/;

sub tcp {
    my ($from, $to, $seq, $flags, $data) = @_;
    pack('nnNNCCnnn', $from, $to, $seq & 0xffffffff, 1, 5 << 4, $flags, 65535,
        0, 0) . $data;
}
sub ip {
    my ($proto, $reply, $body, $fragment) = @_;
    if ($v6) {
        my $more = $kind eq 'v6-options'
            ? pack('CC', $proto, 0) . "\1\4\0\0\0\0" : '';
        return pack('NnCC', 0x60000000, length($more . $body),
            $more ne '' ? 0 : $proto, 64)
            . ($reply ? $b6 . $a6 : $a6 . $b6) . $more . $body;
    }
    pack('CCnnnCCn', 0x45, 0, 20 + length $body, 1, $fragment // 0, 64, $proto,
        0) . ($reply ? $b4 . $a4 : $a4 . $b4) . $body;
}

my %link = (null => 0, raw => 101, loop => 108, sll => 113, sll2 => 276,
    'v6-raw' => 229, v4 => 228, unknown => 147);
my $link = $link{$kind} // 1;
sub frame {
    my $ip = shift;
    my $type = $v6 ? 0x86dd : 0x0800;
    return pack('V', $v6 ? 10 : 2) . $ip if $link == 0;
    return pack('N', 2) . $ip if $link == 108;
    return pack('nnnx8n', 0, 1, 6, $type) . $ip if $link == 113;
    return pack('nnNnCCx8', $type, 0, 1, 1, 0, 6) . $ip if $link == 276;
    return $ip if $link != 1;
    my $tags = $kind eq 'vlan' ? pack('nn', 0x8100, 5)
             : $kind eq 'qinq' ? pack('nnnn', 0x88a8, 5, 0x8100, 6) : '';
    my $frame = "\2\0\0\0\0\1\2\0\0\0\0\2" . $tags . pack('n', $type) . $ip;
    return $frame . "\0" x (60 - length $frame) if length $frame < 60;
    return $frame;
}

my @frames;
sub say_it {
    my ($reply, $isn, $bytes, $most) = @_;
    my @ports = $reply ? (443, 50000) : (50000, 443);
    my @out = $kind eq 'midstream' ? ()
        : frame(ip(6, $reply, tcp(@ports, $isn, $reply ? 18 : 2, '')));
    my $at = 1;
    for my $part ($bytes =~ /(.{1,$most})/sg) {
        push @out, frame(ip(6, $reply, tcp(@ports, $isn + $at, 24, $part)));
        $at += length $part;
    }
    return @out;
}

my $most = $kind eq 'bytes' ? 1 : $kind =~ /order|twice|overlap|lost/ ? 50 : 1400;
my $record = $kind eq 'split' ? 7 : 16384;
# near the end of the numbers, which begin anew
# what is said before TLS, by the client and by the server
my $login = "CONNECT app.test:443 HTTP/1.1\r\nHost: app.test:443\r\n\r\n";
my %before = (
    smtp => ["EHLO c.test\r\nSTARTTLS\r\n",
        "220 app.test\r\n250-app.test\r\n250 STARTTLS\r\n220 go\r\n"],
    ftp => ["AUTH TLS\r\n", "220 app.test\r\n234 AUTH TLS successful\r\n"],
    postgres => [pack('NN', 8, 80877103), 'S'],
    connect => [$login, "HTTP/1.1 200 OK\r\n\r\n"],
    socks => ["\5\1\0\5\1\0\3\x08app.test\1\xbb",
        "\5\0\5\0\0\1\x7f\0\0\1\x16\3"],
    # a server that says much, and what looks like TLS and is none
    wordy => ["\x16\3\1\0\5hello\r\n", "250-\x16\3\3 words\r\n" x 400]);
my ($first, $answer) = @{$before{$kind} // ['', '']};
my @c = say_it(0, 0xffffff80, $first . records($client, $record), $most);
my @s = say_it(1, 7, ($kind eq 'retry' ? records($retry, 16384)
    . "\x14\3\3\0\1\1" : '') . $answer . records($server, $record), $most);
@c = ($c[0], reverse @c[1 .. $#c]) if $kind eq 'order';
@c = map { ($_, $_) } @c if $kind eq 'twice';
@c = @c[0 .. 2, 4 .. $#c] if $kind eq 'lost';
if ($kind eq 'overlap') { # each again with what is behind it, and other bytes
    my $bytes = records($client, 16384);
    push @c, map { frame(ip(6, 0, tcp(50000, 443, 0xffffff80 + 1 + $_, 24,
        'x' x 20 . substr $bytes, $_ + 20, 60))) } map { 40 * $_ } 0 .. 3;
}
@frames = (@c, @s);
if ($kind eq 'quic') {
    my $udp = "\xc3\0\0\0\1" . "\5" x 40;
    @frames = (frame(ip(17, 0, pack('nnnn', 50000, 443, 8 + length $udp, 0)
        . $udp)), frame(ip(6, 0, 'x' x 24, 0x2001)));
}
if ($kind eq 'many') { # more streams than are kept, each begun and no more
    @frames = map { frame(ip(6, 0, tcp(1024 + $_, 443, 1, 24, "\x16\3\1\2"))) }
        0 .. 4999;
}
if ($kind eq 'http') {
    @frames = say_it(0, 1, "GET / HTTP/1.1\r\n\r\n", 1400);
}
if ($kind eq 'plain') { # a dialogue that leads to no TLS, and one that is long
    @frames = (say_it(0, 1, "EHLO c.test\r\nQUIT\r\n", 1400),
        say_it(1, 1, "250 words\r\n" x 2000, 1400));
}
if ($kind eq 'malformed') { # its list of ciphers is longer than all of it
    @frames = say_it(0, 1, records("\1" . vector(3, pack('n', 0x303) . "\7" x 32
        . "\0\xff\xff\1"), 16384), 1400);
}

if ($kind eq 'pcapng') {
    my $block = sub { my ($type, $body) = @_;
        my $len = 12 + length $body;
        pack('VV', $type, $len) . $body . pack('V', $len) };
    print $block->(0x0a0d0d0a, pack('VvvVV', 0x1a2b3c4d, 1, 0, 0xffffffff,
        0xffffffff)), $block->(1, pack('vvV', $link, 0, 0));
    print $block->(6, pack('VVVVV', 0, 0, 1000000, length $_, length $_) . $_
        . "\0" x (-length($_) % 4)) for @frames;
    exit;
}
my $file = pack('VvvVVVV', 0xa1b2c3d4, 2, 4, 0, 0, 262144, $link);
$file .= pack('VVVV', 1767225600, 0, length $_, length $_) . $_ for @frames;
print $kind eq 'cut' ? substr($file, 0, -40) : $file;
