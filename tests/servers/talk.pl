# talk.pl OUT [EXPECT SEND]... -- COMMAND...: run the command; for each pair
# wait until what it printed since the last match matches EXPECT, then send
# SEND (\r, \n, \0 and \xHH are understood). In the end stdin is closed, and all
# that comes is read. Everything printed is in OUT; the exit code is the
# command's, or 99 if it ended before it said what was expected.
use strict;
use warnings;
use IPC::Open2;

my $file = shift;
my @turns;
while (@ARGV && $ARGV[0] ne '--') {
    my ($expect, $send) = (shift, shift);
    $send =~ s/\\x([0-9a-f]{2})/chr(hex($1))/gei;
    $send =~ s/\\([rn0])/{r => "\r", n => "\n", 0 => "\0"}->{$1}/ge;
    push @turns, [$expect, $send];
}
shift;
$SIG{PIPE} = 'IGNORE';
open(my $out, '>', $file) or die "$file: $!";
my $pid = open2(my $from, my $to, @ARGV);
binmode $_ for $from, $to, $out;
my $text = '';

sub more {
    my $n = sysread($from, my $part, 65536);
    return 0 if !$n;
    syswrite($out, $part);
    $text .= $part;
    return 1;
}

my $missed = 0;
for my $turn (@turns) {
    my ($expect, $send) = @$turn;
    while ($text !~ /$expect/s) {
        if (!more()) {
            print STDERR "ended without /$expect/\n";
            $missed = 1;
            last;
        }
    }
    last if $missed;
    $text = $text =~ /$expect/s ? substr($text, $+[0]) : '';
    syswrite($to, $send) if length($send);
}
close($to);
1 while more();
waitpid($pid, 0);
exit($missed ? 99 : $? >> 8 || ($? ? 98 : 0));
