# har_body.pl HAR URL-END [post] - the body of the last entry whose URL ends so:
# the response's, or the request's.
use strict;
use warnings;
use JSON::PP;
use MIME::Base64;

my ($file, $end, $post) = @ARGV;
open my $f, '<:raw', $file or die "$file: $!\n";
my $har = decode_json(do { local $/; <$f> });
my ($e) = grep { $_->{request}{url} =~ /\Q$end\E$/ }
    reverse @{$har->{log}{entries}};
die "no entry for $end\n" unless $e;
my $from = $post ? $e->{request}{postData} : $e->{response}{content};
my $text = $from->{text} // '';
binmode STDOUT;
if (($from->{encoding} // $from->{_encoding} // '') eq 'base64') {
    print decode_base64($text);
} else {
    utf8::encode($text);
    print $text;
}
