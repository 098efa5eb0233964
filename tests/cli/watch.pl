# Copy stdin to a log; at the first line that matches, write $1 to a fifo.
use strict;
use warnings;

my ($regex, $log, $fifo) = @ARGV;
my $found = 0;
open(my $out, '>>', $log) or die "$log: $!";
select((select($out), $| = 1)[0]);
sub tell_port {
    open(my $to, '>', $fifo) or die "$fifo: $!";
    print $to "$_[0]\n";
    close($to);
    $found = 1;
}
while (my $line = <STDIN>) {
    print $out $line;
    tell_port($1) if !$found && $line =~ /$regex/;
}
tell_port('') if !$found;
