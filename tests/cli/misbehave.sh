#!/bin/sh
# serve --misbehave: each row of the table is what the table says that it is,
# to tlsock connect; beside each, the one that misbehaves in nothing is fine.
. "$(dirname "$0")/lib.sh"
make_pki || { cat "$dir/pki.log"; echo "Bail out! no PKI"; exit 1; }
cd "$dir" || exit 1

run serve --misbehave list --json
[ "$rc" -eq 0 ] && grep -q '"schema":"tlsock.misbehave/1"' out
ok $? "list --json"
perl -MJSON::PP -e 'print "$_->{name} $_->{code}\n"
    for @{decode_json(<STDIN>)->{rows}}' <out >rows
run serve --misbehave list
[ "$rc" -eq 0 ] && [ "$(wc -l <out)" -eq "$(wc -l <rows)" ] &&
    grep -q '^expired  *expired  *a certificate that expired' out
ok $? "list"

# One server has them all; the name says which.
serve --misbehave all --pki pki
"$MISBEHAVED" "$port" pki/root.pem <rows >results 2>err
[ $? -eq 0 ] && [ "$(wc -l <results)" -eq "$(wc -l <rows)" ]
ok $? "each row was tried"
while read -r name code got; do
    [ "$got" = "$code" ]
    ok $? "$name: $code$([ "$got" = "$code" ] || echo ", not $got")"
done <results
# the tool itself
connect() { # NAME
    run connect --ca pki/root.pem --ip 127.0.0.1 "$1.wild.test:$port"
}
connect expired
[ "$rc" -eq 5 ] && grep -q ': expired$' err
ok $? "connect says the same"
connect nothing-of-this
[ "$rc" -eq 0 ] && grep -q '^misbehaving$' out
ok $? "another name: good"
stop
[ "$server_rc" -eq 0 ]
ok $? "it ends by a signal"
[ "$(grep -c '^client ' serve.out)" -gt "$(wc -l <rows)" ] &&
    grep -q '^client .*  drip$' serve.out
ok $? "a line about each client"

# One alone does it to everybody, whatever the name.
serve --misbehave alert:42 --pki pki --count 1 --json
run connect --ca pki/root.pem --name app.test "127.0.0.1:$port"
[ "$rc" -ne 0 ] && grep -q 'bad.certificate' err
ok $? "an alert of choice"
wait "$server"
[ $? -eq 0 ] && grep -q '"event":"misbehave".*"name":"alert"' serve.out
ok $? "--count ends it, --json tells"
serve --misbehave truncation --pki pki --count 1
run connect --ca pki/root.pem --name app.test "127.0.0.1:$port"
[ "$rc" -ne 0 ] && grep -q '^misbehaving$' out && grep -q ': truncated' err
ok $? "data comes before what is wrong with its end"

# lines that mean nothing
usage() { # NAME ARGUMENT...
    name=$1
    shift
    run serve "$@"
    [ "$rc" -eq 2 ]
    ok $? "$name is a usage error"
}
usage "a row that is none" --misbehave no-such --pki pki :0
usage "an alert that is none" --misbehave alert:256 --pki pki :0
usage "--misbehave without --pki" --misbehave expired :0
usage "--pki without --misbehave" --pki pki :0
usage "--misbehave with --echo" --misbehave expired --pki pki --echo :0
usage "no target" --misbehave expired --pki pki
run serve --misbehave expired --pki no-such :0
refused "no directory" 6 own-file 'needs certificates' 'testpki'
finish
