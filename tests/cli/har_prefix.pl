# har_prefix.pl HAR GOT - does the file begin with a document that has an entry
# for each of so many answers? Prints it in one line.
use strict;
use warnings;
use JSON::PP;

my ($file, $got) = @ARGV;
open my $f, '<:raw', $file or die "$file: $!\n";
my $text = do { local $/; <$f> };
my ($har) = JSON::PP->new->utf8->decode_prefix($text);
my $n = @{$har->{log}{entries}};
die "$n entries, $got answers\n" if $n < $got;
print encode_json($har), "\n";
