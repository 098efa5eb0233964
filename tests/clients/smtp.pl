# Behind a STARTTLS that is over: a mail is taken, and kept in a file.
use strict;
use warnings;
$| = 1;
my ($file, $data) = ($ARGV[0], 0);
while (defined(my $line = <STDIN>)) {
    $line =~ s/\r?\n$//;
    if ($data) {
        $data = 0 if $line eq '.';
        print "250 taken\r\n" if !$data;
        open(my $mail, '>>', $file) or die "$file: $!";
        print $mail "$line\n" if $data;
        next;
    }
    if    ($line =~ /^(EHLO|HELO|MAIL|RCPT|NOOP|RSET)\b/i) { print "250 ok\r\n" }
    elsif ($line =~ /^DATA\b/i) { $data = 1; print "354 go on\r\n" }
    elsif ($line =~ /^QUIT\b/i) { print "221 bye\r\n"; last }
    else                        { print "500 what?\r\n" }
}
