# Small servers with one fault each; the port is printed when they are ready.
#   peer.pl smtp           answers with an SMTP greeting
#   peer.pl close          reads a ClientHello and closes
#   peer.pl alert N        reads a ClientHello and sends fatal alert N
#   peer.pl cut CERT KEY   TLS; sends "half" and vanishes without close_notify
#   peer.pl silent         accepts and says nothing
use strict;
use warnings;
use IO::Socket::INET;

my ($mode, @arg) = @ARGV;
$| = 1;
local $SIG{PIPE} = 'IGNORE';
my $l = IO::Socket::INET->new(Listen => 8, LocalAddr => '127.0.0.1:0')
    or die "listen: $!";
print 'port ', $l->sockport, "\n";
my @kept;
while (my $c = $l->accept) {
    my $buf;
    if ($mode eq 'smtp') {
        syswrite($c, "220 mx.app.test ESMTP ready\r\n");
        sysread($c, $buf, 4096);
    } elsif ($mode eq 'close') {
        sysread($c, $buf, 65536);
    } elsif ($mode eq 'alert') {
        sysread($c, $buf, 65536);
        syswrite($c, pack('C n n C C', 21, 0x0303, 2, 2, $arg[0]));
    } elsif ($mode eq 'cut') {
        require IO::Socket::SSL;
        my $s = IO::Socket::SSL->start_SSL($c, SSL_server => 1,
            SSL_cert_file => $arg[0], SSL_key_file => $arg[1]) or next;
        print $s "half";
        shutdown($s, 1); # what the client sends is read: else it would be
        sysread($s, $buf, 4096); # a reset
        $s->close(SSL_no_shutdown => 1);
    } else {
        push @kept, $c;
    }
    close($c) if $mode ne 'silent';
}
