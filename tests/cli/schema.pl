# schema.pl SCHEMA [EXPR [CODES]] <LINES - is each line of JSON what the schema
# says, and does EXPR hold of the last one, $o, with its findings by code in %f?
# Codes of what is not ok are appended to the file CODES. Knows the keywords
# that our schemas use, and dies of any other, so that none is passed over.
# Prints what is wrong.
use strict;
use warnings;
use JSON::PP;

open my $f, '<', $ARGV[0] or die "$ARGV[0]: $!\n";
my $schema = decode_json(do { local $/; <$f> });
my %known = map { $_ => 1 } qw($schema $id $defs $ref title description type
    properties required additionalProperties items enum const pattern minimum
    maximum anyOf);
our ($bad, $quiet) = (0, 0);

sub is_type {
    my ($v, $type) = @_;
    return !defined $v if $type eq 'null';
    return 0 unless defined $v;
    return JSON::PP::is_bool($v) if $type eq 'boolean';
    return 0 if JSON::PP::is_bool($v);
    return ref $v eq 'HASH' if $type eq 'object';
    return ref $v eq 'ARRAY' if $type eq 'array';
    return 0 if ref $v;
    my $number = encode_json([$v]) =~ /^\[-?\d/;
    return $number && $v == int $v if $type eq 'integer';
    return $number if $type eq 'number';
    return !$number if $type eq 'string';
    die "unknown type $type\n";
}

sub say_bad {
    print "$_[0]: $_[1]\n" unless $quiet;
    $bad = 1;
}

sub check {
    my ($v, $s, $at) = @_;
    return $s ? undef : say_bad($at, 'is not allowed') if JSON::PP::is_bool($s);
    $known{$_} or die "unknown keyword $_\n" for keys %$s;
    if (my $ref = $s->{'$ref'}) {
        $ref =~ m{^#/\$defs/(\w+)$} or die "unknown reference $ref\n";
        check($v, $schema->{'$defs'}{$1} // die("no $ref\n"), $at);
    }
    if (my $any = $s->{anyOf}) {
        my $fits = grep { local ($bad, $quiet) = (0, 1); check($v, $_, $at);
            !$bad } @$any;
        say_bad($at, 'is none of those') unless $fits;
    }
    if (my $type = $s->{type}) {
        my @types = ref $type ? @$type : ($type);
        grep { is_type($v, $_) } @types
            or return say_bad($at, "is no @types");
    }
    say_bad($at, 'is not ' . $s->{const})
        if exists $s->{const} && (!defined $v || $v ne $s->{const});
    say_bad($at, '"' . ($v // 'null') . '" is none of the values')
        if $s->{enum} && !grep { defined $_ ? defined $v && $_ eq $v : !defined $v }
            @{$s->{enum}};
    say_bad($at, "\"$v\" is not of the form")
        if defined $s->{pattern} && defined $v && $v !~ /$s->{pattern}/;
    say_bad($at, "$v is too small")
        if defined $s->{minimum} && defined $v && $v < $s->{minimum};
    say_bad($at, "$v is too large")
        if defined $s->{maximum} && defined $v && $v > $s->{maximum};
    if (ref $v eq 'HASH') {
        my $more = exists $s->{additionalProperties}
            ? $s->{additionalProperties} : JSON::PP::true;
        exists $v->{$_} or say_bad($at, "lacks $_") for @{$s->{required} // []};
        check($v->{$_}, $s->{properties}{$_} // $more, "$at.$_")
            for sort keys %$v;
    } elsif (ref $v eq 'ARRAY' && $s->{items}) {
        check($v->[$_], $s->{items}, "$at\[$_]") for 0 .. $#$v;
    }
}

my $lines = 0;
our ($o, %f);
while (my $line = <STDIN>) {
    $o = decode_json($line);
    check($o, $schema, 'line ' . ++$lines);
}
print "nothing\n" unless $lines;
push @{$f{$_->{code}}}, $_ for @{$o->{findings} // []};
if (defined $ARGV[1] && !eval $ARGV[1]) {
    print "does not hold: $ARGV[1] $@\n";
    $bad = 1;
}
if (defined $ARGV[2]) {
    open my $codes, '>>', $ARGV[2] or die "$ARGV[2]: $!\n";
    $_->{level} ne 'ok' && print $codes "$_->{code}\n" for @{$o->{findings} // []};
}
exit($bad || !$lines ? 1 : 0);
