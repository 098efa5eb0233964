#!/bin/sh
# --json on every command: one object a line, with its schema, good or bad.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir data

# Every line of out is an object with schema tlsock.$2/1 and EXPR holds.
json() { # NAME SCHEMA [EXPR]
    perl -MJSON::PP -e '
        my ($schema, $expr) = @ARGV;
        my $n = 0;
        while (my $line = <STDIN>) {
            our $o = decode_json($line);
            $o->{schema} eq "tlsock.$schema/1" or exit 1;
            if (defined $expr) { eval($expr) or exit 1 }
            $n++;
        }
        exit($n ? 0 : 1);' "$2" ${3+"$3"} <out
    ok $? "$1"
}

run version --json
json "version" version '$o->{features}{"tls1.3"} && $o->{trust_store}'
run ca init --json
json "ca init" ca-init '$o->{key} =~ /ca.key$/'
run ca init --json
json "an error of ca init" error '$o->{exit} == 6 && $o->{cause} && $o->{fix}'
run cert new --json app.test
json "cert new" cert-new '$o->{names}[0] eq "app.test" && !$o->{self_signed}'
run cert new --json --client "$(printf 'b\303\244d\033[31m\377')"
[ "$rc" -ne 0 ]
ok $? "a name with control characters is refused"
json "in valid JSON" error '$o->{cause}'
run cert show --json app.test.pem
json "cert show" cert-show '@{$o->{certificates}} == 1'
run connect --json --frob
json "a usage error" error '$o->{exit} == 2'
run frob --json
json "an unknown command" error '$o->{exit} == 2'
run connect --json --proxy nonsense 127.0.0.1:9
json "a proxy that is none" error '$o->{exit} == 2 && $o->{fix}'
run connect --json --starttls gopher 127.0.0.1:9
json "a protocol without STARTTLS" error '$o->{exit} == 2 && $o->{fix}'

serve --json --count 4 --cert app.test.pem --key app.test.key
ca=data/tlsock/ca/ca.pem
run connect --json --name app.test --ca $ca "127.0.0.1:$port"
json "connect" connect '$o->{verified} && $o->{connection} &&
    $o->{state} eq "tls" && !defined $o->{starttls} && !@{$o->{proxy}} &&
    @{$o->{certificates}} && $o->{target} =~ /^127/'
run connect --json --name wrong.test --ca $ca "127.0.0.1:$port"
json "an error of connect" error '$o->{code} eq "name-mismatch" &&
    $o->{exit} == 5 && $o->{expected} eq "wrong.test" &&
    $o->{presented} =~ /app.test/ && $o->{fix}'
run connect --json --repeat 2 --name app.test --ca $ca "127.0.0.1:$port"
[ "$(wc -l <out)" -eq 2 ]
ok $? "--repeat 2: two lines"
json "each an object" connect '$o->{verified}'
wait "$server"
cp serve.out out
json "serve" serve '$o->{event} eq "ready" ? $o->{port} : exists $o->{received}'
[ "$(wc -l <out)" -eq 5 ]
ok $? "one line when ready, and one a connection"
finish
