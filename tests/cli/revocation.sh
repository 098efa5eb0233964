#!/bin/sh
# The life of a certificate with this tool alone: issued, served with a staple,
# checked in every way, revoked, refused; what holds while the responder is
# away; clients' certificates; through a proxy; issuers that nobody sent.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
run ca init
root=$dir/data/tlsock/ca/ca.pem

ca_up() { # ADDRESS [ARGS]: ca serve; $url is where, $ca_pid who
    rm -f port
    mkfifo port
    "$tlsock" ca serve "$1" --port-file port >ca.out 2>ca.log </dev/null &
    ca_pid=$!
    pids="$pids $ca_pid"
    at=$(timeout 30 cat port)
    url=http://127.0.0.1:$at
    [ -n "$at" ]
}
ca_down() {
    kill "$ca_pid" && wait "$ca_pid"
}
new() { # NAME [ARGS]: with the URLs of ca serve
    n=$1
    shift
    run cert new "$n" --crl-url "$url/crl" --ocsp-url "$url/ocsp" \
        --aia-url "$url/ca.der" "$@"
}
serve_as() { # NAME [ARGS]
    n=$1
    shift
    serve --cert "$n.pem" --key "$n.key" "$@"
}
ask() { # NAME [ARGS]: a session, described in err
    n=$1
    shift
    run connect --ca "$root" --name "$n" -v "127.0.0.1:$port" "$@"
}
told() { # NAME [ARGS]: what JSON says about revocation
    n=$1
    shift
    run connect --ca "$root" --name "$n" --json "127.0.0.1:$port" "$@"
    perl -MJSON::PP -0777 -ne '
        print decode_json($_)->{connection}{revocation} // ""' out
}
stapled() { # NAME: within 200 sessions the server has got its staple
    for _ in $(seq 200); do
        case $(told "$1") in 'good by staple'*) return 0 ;; esac
    done
    return 1
}
accepted() { # NAME REGEX-OF-THE-SERVER-LINE
    [ "$rc" -eq 0 ] && grep -Eq "^server .*($2)" err
    ok $? "$1"
}

ca_up 127.0.0.1:0
ok $? "ca serve: responder and CRL"
new app.test
[ "$rc" -eq 0 ]
ok $? "a certificate that says where they are"

# without a staple
serve_as app.test -o staple=off
ask app.test --revocation off
accepted "off" 'revocation not checked: revocation = off'
ask app.test
accepted "staple: there is none" 'not checked: no staple was sent'
ask app.test --revocation crl
accepted "crl" 'not revoked \(CRL, [0-9]+ (s|min) old\)'
ask app.test --revocation ocsp
accepted "ocsp" 'not revoked \(OCSP, [0-9]+ s old\)'
for how in hard soft; do
    ask app.test --revocation $how
    accepted "$how: lists first" 'not revoked \(CRL, [0-9]+ (s|min) old\)'
done
told app.test --revocation hard >said
grep -Eq '^good by CRL, as of 20[0-9-]+T[0-9:]+Z$' said
ok $? "JSON tells who said so, and as of when"
ask app.test --revocation must-staple
refused "must-staple: there is none" 5 must-staple 'no OCSP staple' 'stapling'
stop

# with a staple of its own accord, though nobody gave the server the root
serve_as app.test
stapled app.test
ok $? "serve staples by itself"
ask app.test
accepted "the staple is shown" 'not revoked \(staple, [0-9]+ (s|min) old\)'
ask app.test --revocation must-staple
accepted "must-staple has it" 'not revoked \(staple'
for v in 1.2 1.3; do
    timeout 60 openssl s_client -connect "127.0.0.1:$port" -status \
        -CAfile "$root" -servername app.test -tls"$(echo $v | tr . _)" \
        </dev/null >out 2>err
    grep -q 'OCSP Response Status: successful' out &&
        grep -q 'Cert Status: good' out
    ok $? "openssl s_client -status sees it, TLS $v"
done
stop

# a directory for what was learned
mkdir cache
cached() { # ARGS
    ask app.test --revocation hard -o revocation.cache="$dir/cache" "$@"
}
serve_as app.test -o staple=off
cached
accepted "revocation.cache: the first process asks" 'not revoked \(CRL'
ca_down
cached
accepted "the second one asks nobody" 'not revoked \(CRL'
cached --revocation ocsp
refused "but what is not there has to be asked for" 5 revocation-unknown \
    "$url/ocsp" 'revocation.fail = soft'
run cert verify --ca "$root" --name app.test --revocation crl app.test.pem
refused "cert verify --revocation crl, nobody there" 5 revocation-unknown \
    "$url/crl" 'revocation.fail = soft'
for how in hard crl ocsp; do
    ask app.test --revocation $how
    refused "$how: nobody there" 5 revocation-unknown "GET $url/" \
        'nobody listens there.*revocation.fail = soft'
done
ask app.test --revocation soft
accepted "soft: accepted, and shown as not checked" \
    'revocation not checked: .*app.test'
[ -n "$(told app.test --revocation soft | grep '^not checked: ')" ]
ok $? "in JSON, too"
run cert verify --ca "$root" --name app.test --revocation soft app.test.pem
[ "$rc" -eq 0 ] && grep -q '^revoked *not known: soft accepts' out
ok $? "cert verify --revocation soft does not say that it was checked"
stop

# a server keeps its staple over a restart
ca_up "127.0.0.1:$at"
mkdir staples
serve_as app.test -o revocation.cache="$dir/staples"
stapled app.test
ok $? "a server with revocation.cache staples"
stop
ca_down
serve_as app.test -o revocation.cache="$dir/staples"
stapled app.test
ok $? "and again after its restart, while the responder is down"
ask app.test --revocation ocsp
accepted "which spares its clients the responder" 'not revoked \(staple'
stop
serve_as app.test
ask app.test
accepted "without it there is none" 'no staple was sent'
stop
ca_up "127.0.0.1:$at"

# must-staple in the certificate
new must.test --must-staple
serve_as must.test -o staple=off
ask must.test
refused "a certificate that promises a staple" 5 must-staple \
    'promises one \(RFC 7633\)' 'stapling'
ask must.test --revocation off
accepted "is let through by off" 'not checked: revocation = off'
stop
serve_as must.test
for _ in $(seq 200); do
    ask must.test
    [ "$rc" -eq 0 ] && break
done
accepted "and kept by a server that staples" 'not revoked \(staple'
stop

# an issuer that the server does not send
run ca init --dir "$dir/top" --name Top --pathlen 1 --any-name
run ca init --dir "$dir/sub" --name Sub --issuer "$dir/top" --any-name \
    --aia-url "$url/ca.der"
mkdir www
openssl x509 -in sub/ca.pem -outform DER -out www/sub.der
start 'ready (\d+)' perl "$here/http_files.pl" www
run cert new bare.test --ca "$dir/sub" \
    --aia-url "http://127.0.0.1:$port/sub.der"
openssl x509 -in bare.test.pem -out leaf.pem
serve --cert leaf.pem --key bare.test.key -o staple=off
run connect --ca top/ca.pem --name bare.test -v "127.0.0.1:$port"
refused "an intermediate is missing" 5 chain-incomplete 'Sub' .
run connect --ca top/ca.pem --name bare.test -v -o aia=on "127.0.0.1:$port"
[ "$rc" -eq 0 ] && grep -q '^chain .*bare.test < Sub (top/ca.pem)' err
ok $? "aia = on fetches it"
run connect --ca "+top/ca.pem" --name bare.test -v -o aia=on "127.0.0.1:$port"
[ "$rc" -eq 0 ] && grep -q '^chain .*system store.*; top/ca.pem' err
ok $? "what was added to the system's store is named beside it"
run connect --ca "$root" --name bare.test -v -o aia=on "127.0.0.1:$port"
[ "$rc" -eq 5 ]
ok $? "which makes nobody trusted"
stop

# through a proxy
serve_as app.test -o staple=off
to=$port
start 'port (\d+)' perl "$here/proxy.pl" http
proxy=$port port=$to
ask app.test --revocation ocsp --proxy "http://127.0.0.1:$proxy"
accepted "--proxy: the responder is asked" 'not revoked \(OCSP'
grep -q "^a page of 127.0.0.1:$at" log && grep -q "asked for 127.0.0.1:$to" log
ok $? "through the proxy, as the server is"
ask app.test --revocation crl -o revocation.proxy="http://127.0.0.1:$proxy"
accepted "revocation.proxy: only the list" 'not revoked \(CRL'
[ "$(grep -c "^a page of" log)" -eq 2 ] &&
    [ "$(grep -c "asked for 127.0.0.1:$to" log)" -eq 1 ]
ok $? "goes through it"

# revoked
run ca revoke app.test.pem --reason keyCompromise
today=$(date -u +%Y-%m-%d)
for how in crl ocsp soft hard; do
    ask app.test --revocation $how
    case $how in ocsp) who="OCSP responder|OCSP response" ;; *) who=CRL ;; esac
    refused "revoked: $how" 5 revoked \
        "app.test.*revoked on $today.*key ?Compromise.*($who)" 'new certificate'
done
ask app.test
accepted "who asks nobody is told so" 'not checked: no staple was sent'
run connect --ca "$root" --name app.test --revocation hard --json \
    "127.0.0.1:$port"
[ "$rc" -eq 5 ] && perl -MJSON::PP -0777 -ne 'my $o = decode_json($_);
    die unless $o->{code} eq "revoked" && $o->{exit} == 5 &&
    $o->{x509_code} == 23 && $o->{subject} =~ /app\.test/' out
ok $? "as JSON: code, exit, subject"
for how in hard crl ocsp soft; do
    run cert verify --ca "$root" --name app.test --revocation $how app.test.pem
    refused "cert verify --revocation $how" 5 revoked 'revoked on' \
        'new certificate'
done
new other.test
for how in 'hard|lists or responders' 'crl|lists' 'ocsp|responder'; do
    run cert verify --ca "$root" --name other.test \
        --revocation "${how%|*}" other.test.pem
    [ "$rc" -eq 0 ] && grep -Eq "^revoked *no, says? the ${how#*|}\$" out
    ok $? "cert verify --revocation ${how%|*} of a good one"
done
run cert verify --ca "$root" --name other.test other.test.pem
[ "$rc" -eq 0 ] && grep -q '^revoked *not checked: .*--revocation' out
ok $? "without it nothing is asked"
cached
accepted "a cache does not know it yet" 'not revoked \(CRL'
stop
serve_as app.test
for _ in $(seq 200); do
    ask app.test
    [ "$rc" -eq 0 ] || break
done
refused "its server staples that, and every client knows" 5 revoked \
    "revoked on $today" 'new certificate'
stop

# clients
new alice.test --client
new bob.test --client
run ca revoke bob.test.pem --reason affiliationChanged
new srv.test
serve_as srv.test --client-auth require --ca "$root" -o revocation=full \
    --show-client
for v in 1.2 1.3; do
    ask srv.test --json --tls $v --cert alice.test.pem --key alice.test.key
    ok "$rc" "a client that is not revoked, TLS $v"
    ask srv.test --json --tls $v --cert bob.test.pem --key bob.test.key
    [ "$rc" -ne 0 ]
    ok $? "a client that is, TLS $v"
done
stop
grep -q ': revoked$' log && grep -Eq 'cause: .*bob.test.*revoked on' log
ok $? "the server says whom it refused, and why"

# wrong words
run connect -o revocation=maybe "127.0.0.1:1"
refused "a long explanation ends between words" 2 option '"maybe" is not valid' \
    ' \.\.\. \(tlsock.conf\(5\) has it all\)$'
run connect --revocation maybe "127.0.0.1:1"
[ "$rc" -eq 2 ] && grep -q 'hard' err && grep -q 'soft' err
ok $? "another word: the right ones are listed, hard and soft too"
run connect -o revocation.cache=/nowhere/at/all --revocation hard "127.0.0.1:1"
refused "a cache that is no directory" 2 option '/nowhere/at/all' .
ca_down
finish
