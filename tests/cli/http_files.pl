# http_files.pl DIR - files of a directory by HTTP, for as long as it lives.
# /moved/NAME is a redirect to /NAME, /away one to file:///etc/passwd,
# /endless/ more than anybody should read.
use strict;
use warnings;
use IO::Socket::INET;

my $dir = shift;
my $listener = IO::Socket::INET->new(
    Listen => 8, LocalAddr => '127.0.0.1:0', ReuseAddr => 1) or die "$!\n";
$| = 1;
$SIG{PIPE} = 'IGNORE';
print "ready ", $listener->sockport, "\n";
while (my $c = $listener->accept) {
    my $line = <$c> // '';
    my ($path) = $line =~ m{^GET (/\S*)};
    while (my $header = <$c>) { last if $header =~ /^\r?\n$/ }
    $path //= '';
    print STDERR "asked $path\n";
    if ($path =~ m{^/moved/([\w.-]+)$}) {
        print $c "HTTP/1.1 302 Found\r\nLocation: /$1\r\n",
            "Content-Length: 0\r\nConnection: close\r\n\r\n";
    } elsif ($path eq '/away') {
        print $c "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n",
            "Content-Length: 0\r\nConnection: close\r\n\r\n";
    } elsif ($path eq '/endless/') {
        print $c "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
        for (1 .. 100) { print $c 'x' x 65536 or last }
    } elsif ($path =~ m{^/([\w.-]+)$} && open(my $f, '<', "$dir/$1")) {
        binmode $f;
        local $/;
        my $data = <$f>;
        print $c "HTTP/1.1 200 OK\r\nContent-Length: ", length $data,
            "\r\nConnection: close\r\n\r\n", $data;
    } else {
        print $c "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n",
            "Connection: close\r\n\r\n";
    }
    close $c;
}
