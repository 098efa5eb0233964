#!/bin/sh
# serve --misbehave: each row of the table is what the table says that it is,
# to tlsock connect; beside each, the one that misbehaves in nothing is fine.
. "$(dirname "$0")/lib.sh"
man=${SERVE_MAN:?set SERVE_MAN to the page of serve}
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
sed -n '/^\.Ss What a misbehaving server/,/^\.El/s/^\.It Li //p' "$man" >paged
cut -d' ' -f1 rows | cmp -s - paged
ok $? "the manual has the same rows"

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

command -v curl >/dev/null
has_curl=$?
# A signature by somebody else is to a curl of old an error of TLS (35), to a
# newer one a certificate that is not authenticated (60); known are these two.
curl_release=$(curl --version 2>/dev/null | sed -n '1s/^curl \([0-9.]*\).*/\1/p')
is_at_least() { # VERSION
    [ "$(printf '%s\n' "$1" "$curl_release" | sort -V | head -n 1)" = "$1" ]
}
forged=35/60
is_at_least 8.14.2 || forged=35
! is_at_least 8.23.0 || forged=60

# What other clients make of each: exit codes of openssl s_client, of curl, and
# of curl --cert-status, which wants a good staple.
sed "s,FORGED,$forged,g" >others <<'END'
good 0 0 0
wrong-name 1 60 60
expired 1 60 60
not-yet-valid 1 60 60
self-signed 1 60 60
untrusted-root 1 60 60
no-intermediate 1 60 60
wrong-order 0 0 91
expired-intermediate 1 60 60
weak-key 1 60 60
sha1 1 60 60
forged 1 FORGED FORGED
wrong-purpose 1 60 60
ca-as-leaf 1 60 60
no-san 1 60 60
oversize-chain 1 35 35
revoked 0 0 91
staple-expired 0 0 91
staple-other 0 0 91
staple-future 0 0 91
staple-unknown 0 0 91
staple-forged 0 0 91
staple-signer 0 0 91
staple-later 0 0 91
staple-empty 0 0 35
staple-garbage 0 0 91
must-staple 0 0 91
tls10 1 35 35
tls11 1 35 35
tls12 0 0 91
tls13 0 0 91
no-common-cipher 1 35 35
alert 1 35 35
client-cert 1 56 91
client-cert12 1 35 35
bad-signature 1 35 35
bad-signature13 1 35 35
bad-finished 1 35 35
bad-finished12 1 35 35
ticket-garbage 1 56 91
ticket-garbage12 1 0 91
ticket-unknown 0 0 91
bad-record 1 35 35
oversize-record 1 35 35
oversize-message 1 35 35
garbage 1 35 35
plaintext 1 35 35
close 1 35 35
reset 1 35 35
close-in-handshake 1 35 35
silent 124 28 28
drip 124 28 28
truncation 1 0/56 91
END
cut -d' ' -f1 rows >names
cut -d' ' -f1 others | cmp -s - names
ok $? "others are held against each row"
curl_it() { # NAME SECONDS ARGUMENT...
    name=$1 patience=$2
    shift 2
    curl -sS -m "$patience" --http0.9 --cacert pki/root.pem "$@" \
        -x "http://127.0.0.1:$port" "https://$name.wild.test/" >>out 2>>err
}
one_of() { # CODE CODES: of two releases, one says 0 and the other 56: "0/56"
    case "/$2/" in
    */$1/*) echo "$2" ;;
    *) echo "$1" ;;
    esac
}
others() { # NAME S_CLIENT CURL STATUS
    patience=60
    [ "$2" = 124 ] && patience=0.3
    timeout $patience openssl s_client -connect "127.0.0.1:$port" \
        -CAfile pki/root.pem -verify_return_error -servername "$1.wild.test" \
        -verify_hostname "$1.wild.test" -ign_eof </dev/null >out 2>err
    got=$?
    if [ "$has_curl" -eq 0 ]; then
        curl_it "$1" $patience
        got="$got $(one_of $? "$3")"
        curl_it "$1" $patience --cert-status
        got="$got $(one_of $? "$4")"
    else
        got="$got $3 $4"
    fi
    [ "$got" = "$2 $3 $4" ]
    ok $? "$1: $2 $3 $4 to others$([ "$got" = "$2 $3 $4" ] || echo ", not $got")"
}
while read -r name s_client curl status; do
    others "$name" "$s_client" "$curl" "$status"
done <others

# It is a proxy for those who take it for one.
run connect --ca pki/root.pem --proxy "http://127.0.0.1:$port" expired.wild.test:443
[ "$rc" -eq 5 ] && grep -q ': expired$' err
ok $? "a tunnel: expired"
run connect --ca pki/root.pem --proxy "http://127.0.0.1:$port" good.wild.test:443
[ "$rc" -eq 0 ] && grep -q '^misbehaving$' out
ok $? "a tunnel: good"
printf 'GET / HTTP/1.0\r\n\r\n' | perl "$here/talk.pl" "$port" >out 2>err
grep -q '^HTTP/1.1 405 ' out
ok $? "a request that is none for a tunnel is refused"

# A session is offered in vain to who forgets its tickets, and else taken.
again() { # NAME
    run connect --ca pki/root.pem --ip 127.0.0.1 --session "$1.sess" "$1.wild.test:$port"
    run connect --ca pki/root.pem --ip 127.0.0.1 --session "$1.sess" --json "$1.wild.test:$port"
}
again good
[ "$rc" -eq 0 ] && grep -q '"resumed":true' out
ok $? "good: its ticket is taken again"
again ticket-unknown
[ "$rc" -eq 0 ] && grep -q '"resumed":false' out
ok $? "ticket-unknown: its ticket is not"
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
usage "--misbehave with --trace" --misbehave expired --pki pki --trace :0
usage "--misbehave with --pcap" --misbehave expired --pki pki --pcap f :0
usage "no target" --misbehave expired --pki pki
run serve --misbehave expired --pki no-such :0
refused "no directory" 6 own-file 'needs certificates' 'testpki'
finish
