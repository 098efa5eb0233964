# ftpget.pl TLSOCK CA PORT FILE: an anonymous FTP download whose control and
# data connections are both made by the tool; prints data, then the last reply.
use strict;
use warnings;
use IPC::Open2;

my ($tlsock, $ca, $port, $file) = @ARGV;
my @tool = ($tlsock, 'connect', '--ca', $ca, '--name', 'localhost',
    '-o', 'truncation=allow');
my $control = open2(my $from, my $to, @tool, '--starttls', 'ftp:P',
    "localhost:$port");
alarm 60;

sub reply {
    while (my $line = <$from>) {
        return $line if $line =~ /^\d{3} /;
    }
    die "the control connection ended\n";
}

sub command {
    my ($line, $expected) = @_;
    print $to "$line\r\n";
    $to->flush;
    my $reply = reply();
    die "$line: $reply" if $reply !~ /^$expected/;
    return $reply;
}

command('USER anonymous', 331);
command('PASS me@me.test', 230);
my $pasv = command('PASV', 227);
my ($high, $low) = $pasv =~ /,(\d+),(\d+)\)/ or die $pasv;
my $pid = open2(my $data, my $nothing, @tool,
    '127.0.0.1:' . ($high * 256 + $low));
command("RETR $file", 150);
close($nothing); # the server ends with us
print while <$data>;
waitpid($pid, 0);
die "the data connection failed\n" if $?;
print reply();
command('QUIT', 221);
close($to);
waitpid($control, 0);
exit($? >> 8);
