#!/usr/bin/perl
# type.pl COMMAND ANSWER... - run a shell command at a terminal of its own, and
# type an answer whenever what it prints ends like a question, ": ". Everything
# it prints is on stdout; the exit code is the command's, 99 if not all answers
# were asked for.
use strict;
use warnings;
use Fcntl;
use POSIX ();

my ($command, @answers) = @ARGV;
sysopen my $end, '/dev/ptmx', O_RDWR | O_NOCTTY or die "ptmx: $!";
my $number = pack 'I', 0;
ioctl $end, 0x80045430, $number or die "TIOCGPTN: $!";
my $unlocked = pack 'i', 0;
ioctl $end, 0x40045431, $unlocked or die "TIOCSPTLCK: $!";
my $terminal = '/dev/pts/' . unpack 'I', $number;

my $pid = fork;
die "fork: $!" if !defined $pid;
if ($pid == 0) {
    POSIX::setsid();
    # the first terminal that a leader opens is its session's
    sysopen my $tty, $terminal, O_RDWR or die "$terminal: $!";
    POSIX::dup2(fileno $tty, $_) for 0 .. 2;
    close $end;
    exec 'bash', '-c', $command or die "bash: $!";
}
my $last = '';
while (sysread $end, my $bytes, 4096) {
    print $bytes;
    $last = substr $last . $bytes, -80;
    if (@answers && $last =~ /: $/) {
        my $answer = shift @answers;
        # a key that interrupts is no line
        syswrite $end, $answer . ($answer =~ /[\x03\x1a]$/ ? '' : "\n");
        $last = '';
    }
}
waitpid $pid, 0;
exit(@answers ? 99 : $? & 127 ? 128 + ($? & 127) : $? >> 8);
