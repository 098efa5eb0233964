#!/usr/bin/perl
# The same conversations as run.c's, by IO::Socket::SSL with the options that
# its synopsis shows; see struct bench_lib for the arguments.
use strict;
use warnings;
use IO::Handle;
use IO::Socket::INET;
use IO::Socket::SSL;
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID);

my ($mode, $side, $where, $count, $tls12, $chain, $key, $trust, $out) = @ARGV;
my $WARM = 4;
my $version = $tls12 ? 'TLSv1_2' : 'SSLv23:!TLSv1:!TLSv1_1:!SSLv3:!SSLv2';
my ($t0, $c0);
my %r = map { $_ => 0 } qw(wall cpu kib p50 p99 first);
$r{text} = '-';
my $listener;
my $cache = $mode eq 'resumed' ? IO::Socket::SSL::Session_Cache->new(4) : undef;

sub meter_start {
    $t0 = clock_gettime(CLOCK_MONOTONIC);
    $c0 = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
}

sub meter_stop {
    $r{wall} = clock_gettime(CLOCK_MONOTONIC) - $t0;
    $r{cpu} = clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $c0;
}

sub take {
    my $tcp = $listener->accept or die "accept: $!";
    $tcp->setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
    return IO::Socket::SSL->start_SSL(
        $tcp,
        SSL_server => 1,
        SSL_version => $version,
        SSL_cert_file => $chain,
        SSL_key_file => $key
    ) || die "accept: $SSL_ERROR";
}

sub dial {
    my $s = IO::Socket::SSL->new(
        PeerAddr => '127.0.0.1',
        PeerPort => $where,
        SSL_hostname => 'localhost',
        SSL_verifycn_name => 'localhost',
        SSL_version => $version,
        ($trust ne '' ? (SSL_ca_file => $trust) : ()),
        ($cache ? (SSL_session_cache => $cache) : ())
    ) or die "connect: $SSL_ERROR";
    $s->setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
    return $s;
}

sub read_whole {
    my ($s, $len) = @_;
    my $got = 0;
    while ($got < $len) {
        my $n = $s->sysread(my $buf, $len - $got) or die "the peer stopped";
        $got += $n;
    }
}

sub write_all {
    my ($s, $data) = @_;
    my $done = 0;
    while ($done < length $data) {
        $done += $s->syswrite($data, length($data) - $done, $done)
            // die "write: $SSL_ERROR";
    }
}

sub one_byte {
    my ($s) = @_;
    write_all($s, 'x') if $side eq 'client';
    read_whole($s, 1);
    write_all($s, 'x') if $side eq 'server';
}

sub describe {
    my ($s) = @_;
    $r{text} = join ' ', $s->get_sslversion, $s->get_cipher,
        $s->get_session_reused ? 'resumed' : ();
}

sub finish {
    my ($s) = @_;
    $s->close(SSL_fast_shutdown => 0);
}

sub at_end {
    my ($s) = @_;
    my $n = $s->sysread(my $buf, 1);
    die 'no close_notify came' if $n;
    finish($s);
}

sub kib {
    open my $f, '<', '/proc/self/statm' or die $!;
    return (split ' ', <$f>)[1] * 4;
}

sub percentiles {
    my @t = sort { $a <=> $b } @_;
    $r{p50} = $t[@t / 2] * 1e6;
    $r{p99} = $t[@t * 99 / 100] * 1e6;
}

my %serve = (
    idle => sub {
        my (@all, $before);
        for my $i (0 .. $count - 1) {
            $before = kib() if $i == int($count / 10);
            push @all, take();
            one_byte($all[-1]);
        }
        $r{kib} = (kib() - $before) / ($count - int($count / 10));
        at_end($_) for @all;
    },
    bulk => sub {
        my $s = take();
        my $left = $count << 20;
        one_byte($s);
        meter_start();
        while ($left > 0) {
            my $n = $s->sysread(my $buf, 65536) or die 'the bulk stopped';
            $left -= $n;
        }
        write_all($s, 'k');
        meter_stop();
        at_end($s);
    },
    ping => sub {
        my $s = take();
        one_byte($s);
        for (1 .. $count + $WARM) {
            read_whole($s, 1024);
            write_all($s, 'x' x 1024);
        }
        at_end($s);
    },
    full => sub {
        for my $i (-$WARM .. $count - 1) {
            meter_start() if $i == 0;
            my $s = take();
            one_byte($s);
            at_end($s);
        }
        meter_stop();
    }
);
my %ask = (
    idle => sub {
        my (@all, $before);
        for my $i (0 .. $count - 1) {
            $before = kib() if $i == int($count / 10);
            push @all, dial();
            one_byte($all[-1]);
        }
        $r{kib} = (kib() - $before) / ($count - int($count / 10));
        describe($all[0]);
        finish($_) for @all;
    },
    bulk => sub {
        my $s = dial();
        my $left = $count << 20;
        my $piece = 'x' x ($mode eq 'bulk' ? 16384 : 100);
        one_byte($s);
        meter_start();
        while ($left > 0) {
            my $n = $left < length $piece ? $left : length $piece;
            write_all($s, substr $piece, 0, $n);
            $left -= $n;
        }
        read_whole($s, 1);
        meter_stop();
        describe($s);
        finish($s);
    },
    ping => sub {
        my $s = dial();
        my @took;
        one_byte($s);
        for my $i (-$WARM .. $count - 1) {
            my $t = clock_gettime(CLOCK_MONOTONIC);
            write_all($s, 'x' x 1024);
            read_whole($s, 1024);
            push @took, clock_gettime(CLOCK_MONOTONIC) - $t if $i >= 0;
        }
        percentiles(@took);
        describe($s);
        finish($s);
    },
    first => sub {
        my ($first, $later);
        for my $i (-$WARM .. $count - 1) {
            my $t = clock_gettime(CLOCK_MONOTONIC);
            my $s = dial();
            one_byte($s);
            $t = clock_gettime(CLOCK_MONOTONIC) - $t;
            $first //= $t;
            $later = $t if $i > -$WARM && (!defined $later || $t < $later);
            describe($s) if $i == $count - 1;
            finish($s);
        }
        $r{wall} = $r{cpu} = $first;
        $r{first} = ($first - $later) * 1e3;
    },
    full => sub {
        for my $i (-$WARM .. $count - 1) {
            meter_start() if $i == 0;
            my $s = dial();
            one_byte($s);
            describe($s) if $i == $count - 1;
            finish($s);
        }
        meter_stop();
    }
);
my %as = (resumed => 'full', loop => 'full', small => 'bulk');
my $table = $side eq 'server' ? \%serve : \%ask;

if ($side eq 'server') {
    $listener = IO::Socket::INET->new_from_fd($where, 'r+') or die "fd: $!";
}
$mode eq 'first' && $side eq 'server' ? $serve{full}->()
    : ($table->{$mode} // $table->{ $as{$mode} })->();
open my $to, '>&=', $out or die "result: $!";
printf $to "%.6f %.6f %.3f %.3f %.3f %.3f %s\n",
    @r{qw(wall cpu kib p50 p99 first text)};
close $to;
