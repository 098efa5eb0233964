# Servers that go up to TLS, and down from it; the port is printed when ready.
#   peer_tls.pl ccc CERT KEY      TLS; after CCC and "200" it goes on in
#                                 plaintext (RFC 4217)
#   peer_tls.pl cut CERT KEY      the same, but vanishes instead
#   peer_tls.pl say TEXT...       plaintext: TEXT, and the next one for each
#                                 line of the client's, then the end
use strict;
use warnings;
use IO::Socket::INET;

my ($mode, @arg) = @ARGV;
$| = 1;
$SIG{PIPE} = 'IGNORE';
my $l = IO::Socket::INET->new(Listen => 8, LocalAddr => '127.0.0.1:0')
    or die "listen: $!";
print 'port ', $l->sockport, "\n";

sub say_on {
    my ($c) = @_;
    for my $text (@arg) {
        (my $bytes = $text) =~ s/\\r\\n/\r\n/g;
        syswrite($c, $bytes);
        my $line = '';
        while ($line !~ /\n$/) {
            sysread($c, $line, 1, length($line)) or return;
        }
    }
}

sub dialogue { # one command after the other, until CCC or QUIT
    my ($c, $name) = @_;
    my $line = '';
    while (sysread($c, $line, 1, length($line))) {
        next if $line !~ /\n$/;
        my ($word) = $line =~ /^(\w*)/;
        if ($word eq 'LONG') {
            syswrite($c, "230-a reply\r\n200 is not the code\r\n");
            syswrite($c, "230 of three lines, $name\r\n");
        } elsif ($word eq 'CCC') {
            syswrite($c, "200 CCC, now $name\r\n");
            return 'down';
        } else {
            syswrite($c, "211 $word in $name\r\n");
        }
        return 'quit' if $word eq 'QUIT';
        $line = '';
    }
    return 'end';
}

while (my $c = $l->accept) {
    if ($mode eq 'say') {
        say_on($c);
        next;
    }
    require IO::Socket::SSL;
    my $s = IO::Socket::SSL->start_SSL($c, SSL_server => 1,
        SSL_cert_file => $arg[0], SSL_key_file => $arg[1]) or next;
    my $how = dialogue($s, 'TLS');
    if ($how eq 'down' && $mode eq 'cut') {
        $s->close(SSL_no_shutdown => 1);
    } elsif ($how eq 'down') {
        $s->stop_SSL() or next;
        bless($s, 'IO::Socket::INET');
        dialogue($s, 'plaintext');
        close($s);
    } else {
        $s->close;
    }
}
