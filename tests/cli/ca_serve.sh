#!/bin/sh
# ca serve: certificate, CRL and OCSP by HTTP, as openssl, ocsptool and curl
# see them; hostile requests; what changes while it runs.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
run ca init
ca=$dir/data/tlsock/ca/ca.pem
index=$dir/data/tlsock/ca/index
for n in good bad later; do
    run cert new $n.test
done
run cert new outside.test --self-signed
run ca revoke bad.test.pem --reason keyCompromise
[ "$rc" -eq 0 ]
ok $? "a CA with certificates, one of them revoked"

ca_serve() {
    rm -f port
    mkfifo port
    "$tlsock" ca serve 127.0.0.1:0 --port-file port "$@" >serve.out 2>log \
        </dev/null &
    server=$!
    pids="$pids $server"
    port=$(timeout 30 cat port)
    url=http://127.0.0.1:$port
    [ -n "$port" ]
}
get() { # PATH [curl options]: out, headers, code
    p=$1
    shift
    code=$(timeout 60 curl -s -o out -D headers -w '%{http_code}' "$@" \
        "$url$p" 2>err)
}
says() { # STATUS FILE.pem [options]: what openssl makes of the answer
    s=$1 f=$2
    shift 2
    timeout 60 openssl ocsp -issuer "$ca" -cert "$f" -url "$url/ocsp" \
        -CAfile "$ca" "$@" >out 2>err &&
        grep -q '^Response verify OK' err && grep -q "^$f: $s" out
}
# bytes as they are to the server, what it says to out
raw() {
    perl -MIO::Socket::INET -e '
        my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die;
        binmode(STDIN); local $/; print $s <STDIN>; $s->flush;
        shutdown($s, 1) if $ARGV[1]; print <$s>;' "$port" "${1:-0}" >out 2>err
}

ca_serve
ok $? "it says when it is ready, and on which port"
grep -q "^ready    http://127.0.0.1:$port  CN=tlsock local CA" serve.out
ok $? "and where, and for whom"

get /ca.pem
[ "$code" = 200 ] && cmp -s out "$ca"
ok $? "/ca.pem is the CA's certificate"
get /ca.der
openssl x509 -in "$ca" -outform DER -out der
cmp -s out der && grep -qi '^content-type: application/pkix-cert' headers
ok $? "/ca.der is the same in DER"
get /crl
openssl crl -inform DER -in out -CAfile "$ca" -noout -text >text 2>err
grep -q 'verify OK' err && grep -qi 'Serial Number' text &&
    grep -q 'Key Compromise' text &&
    grep -qi '^content-type: application/pkix-crl' headers &&
    grep -qi '^cache-control: .*max-age=3600' headers
ok $? "/crl is a CRL signed by the CA that holds what was revoked"
get /crl.pem
openssl crl -in out -CAfile "$ca" -noout 2>err && grep -q 'verify OK' err
ok $? "/crl.pem too"
printf 'HEAD /ca.pem HTTP/1.0\r\n\r\n' | raw
grep -aqi '^content-length: [1-9]' out && ! grep -aq BEGIN out
ok $? "HEAD"
get /
[ "$code" = 200 ] && grep -q '/crl.pem' out && grep -q 'tlsock local CA' out
ok $? "/ is a page that says what is here"
get /nothing
[ "$code" = 404 ]
ok $? "what is not there is not found"
get /acme/directory
[ "$code" = 404 ]
ok $? "no ACME unless asked for"
get /ca.pem -d x
[ "$code" = 405 ] && grep -qi '^allow: GET, HEAD' headers
ok $? "nothing is posted to a file"

says good good.test.pem
ok $? "OCSP, by POST: good"
says revoked bad.test.pem && grep -q 'Reason: keyCompromise' out
ok $? "OCSP: revoked, since when and why"
timeout 60 openssl ocsp -issuer "$ca" -serial 0x1234 -url "$url/ocsp" \
    -CAfile "$ca" >out 2>err
grep -q '^Response verify OK' err && grep -q '^0x1234: unknown' out
ok $? "OCSP: a serial that was never issued is unknown"
openssl ocsp -issuer "$ca" -cert good.test.pem -cert bad.test.pem \
    -url "$url/ocsp" -CAfile "$ca" >out 2>err
grep -q '^good.test.pem: good' out && grep -q '^bad.test.pem: revoked' out
ok $? "OCSP: two in one request"
timeout 60 openssl ocsp -sha256 -issuer "$ca" -cert good.test.pem -no_nonce \
    -url "$url/ocsp" -CAfile "$ca" >out 2>err
grep -q '^Response verify OK' err && grep -q '^good.test.pem: good' out
ok $? "OCSP: SHA-256, no nonce"
if command -v ocsptool >/dev/null 2>&1; then
    for n in good bad; do
        timeout 60 ocsptool --ask="$url/ocsp" --load-issuer="$ca" \
            --load-cert=$n.test.pem >out 2>err
        want=$n
        [ $n = bad ] && want=revoked
        grep -q "Certificate Status: $want" out &&
            grep -q 'Verifying OCSP Response: Success' out
        ok $? "GnuTLS agrees: $want"
    done
else
    skip "GnuTLS agrees" "no ocsptool"
fi
openssl ocsp -issuer "$ca" -cert bad.test.pem -no_nonce -reqout req 2>err
text=$(openssl base64 -A -in req | sed 's|+|%2B|g; s|/|%2F|g; s|=|%3D|g')
get "/ocsp/$text"
openssl ocsp -issuer "$ca" -cert bad.test.pem -respin out -CAfile "$ca" \
    >text 2>err
grep -q '^bad.test.pem: revoked' text &&
    grep -qi '^cache-control: max-age=300' headers
ok $? "OCSP by GET, which may be kept for a while"
get "/ocsp/$(openssl base64 -A -in req | tr -d =)"
openssl ocsp -issuer "$ca" -cert bad.test.pem -respin out -CAfile "$ca" \
    >text 2>err
grep -q '^bad.test.pem: revoked' text
ok $? "OCSP by GET, written plainly and without padding"
for bad in '%' '%4' '%zz' '@@@@' 'AAAAA' 'A===' '='; do
    get "/ocsp/$bad"
    [ "$code" = 400 ]
    ok $? "OCSP by GET: $bad is no base64"
done
get /ocsp/AAAA
openssl ocsp -respin out >text 2>&1
grep -q 'malformedrequest' text
ok $? "what is no request gets an OCSP answer that says so"
printf junk >in
get /ocsp -H 'Content-Type: application/ocsp-request' --data-binary @in
openssl ocsp -respin out >text 2>&1
grep -q 'malformedrequest' text
ok $? "by POST, too"
get /ocsp --data-binary @in
[ "$code" = 415 ]
ok $? "a POST of another media type is refused"
openssl ocsp -issuer outside.test.pem -cert outside.test.pem -no_nonce \
    -reqout other 2>err
get /ocsp -H 'Content-Type: application/ocsp-request' --data-binary @other
openssl ocsp -respin out >text 2>&1
grep -q 'unauthorized' text
ok $? "about another CA's certificate: unauthorized"

# what changes while it runs
says good later.test.pem
ok $? "not revoked yet"
run ca revoke later.test.pem --reason superseded
says revoked later.test.pem && grep -q 'Reason: superseded' out
ok $? "revoked by another process: OCSP says so at once"
get /crl
openssl crl -inform DER -in out -noout -text >text
[ "$(grep -c 'Serial Number' text)" -eq 2 ]
ok $? "and the CRL"
rm -f "$dir/data/tlsock/ca/crl.der"
get /crl
[ "$code" = 200 ] && openssl crl -inform DER -in out -noout
ok $? "a CRL that somebody removed is made again"
number() {
    get /crl
    openssl crl -inform DER -in out -noout -crlnumber | sed 's/.*=0*x*//'
}
was=$(number)
[ "$(number)" = "$was" ]
ok $? "one that is good stays"
sed -i 's/^crl-due = .*/crl-due = 2026-01-01T00:00:00Z/' "$index"
[ "$(number)" != "$was" ]
ok $? "one that is due is made anew before it is served"
cp "$index" saved
sed -i 's/^V /X /' "$index"
openssl ocsp -issuer "$ca" -cert good.test.pem -url "$url/ocsp" >text 2>&1
grep -q 'internalerror' text && grep -q "$index" log
ok $? "an index that is damaged: no state is made up, and the log says where"
get /crl
[ "$code" = 503 ] && grep -q "server's log" out
ok $? "and no CRL of a state that nobody knows"
cp saved "$index"
says good good.test.pem
ok $? "once it is repaired, answers go on"

# hostile and clumsy clients
printf 'GET /ca.pem HTTP/1.1\r\nHost: a\r\n\r\nGET /ca.der HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' | raw
[ "$(grep -ac '^HTTP/1.1 200' out)" -eq 2 ]
ok $? "two requests behind each other are answered in turn"
printf 'GET / HTTP/1.0\r\n\r\n' | raw
grep -aq '^HTTP/1.1 200' out && grep -aqi '^connection: close' out
ok $? "HTTP/1.0"
while IFS='|' read -r name want request; do
    printf "$request" | raw 1
    head -1 out | grep -q "^HTTP/1.1 $want"
    ok $? "$name: $want"
done <<'LIST'
no host|400|GET / HTTP/1.1\r\n\r\n
two hosts|400|GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n
a host that is none|400|GET / HTTP/1.1\r\nHost: a"b\r\n\r\n
another method|405|PUT / HTTP/1.1\r\nHost: a\r\n\r\n
another version|505|GET / HTTP/2.0\r\nHost: a\r\n\r\n
no HTTP|400|hello\r\n\r\n
a POST without a length|411|POST /ocsp HTTP/1.1\r\nHost: a\r\n\r\n
chunks|411|POST /ocsp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n
chunks and a length|400|POST /ocsp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc
two lengths|400|POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab
a length that is none|400|POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n
a body too long|413|POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n
another expectation|417|GET / HTTP/1.1\r\nHost: a\r\nExpect: cake\r\n\r\n
a folded field|400|GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n
a field without a name|400|GET / HTTP/1.1\r\n: a\r\n\r\n
a path from elsewhere|404|GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n
LIST
perl -e 'print "GET /", "a" x 20000, " HTTP/1.1\r\nHost: a\r\n\r\n"' | raw 1
head -1 out | grep -q '^HTTP/1.1 414'
ok $? "an address without end: 414"
perl -e 'print "GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n" x 5000, "\r\n"' |
    raw 1
head -1 out | grep -q '^HTTP/1.1 431'
ok $? "fields without end: 431"
perl -e 'print "x" x 3000' >in
get /ocsp -H 'Content-Type: application/ocsp-request' -H 'Expect: 100-continue' \
    --data-binary @in -v
[ "$code" = 200 ] && grep -q '100 Continue' err
ok $? "who waits for 100 Continue gets it"
start 'holding (\d+)' perl -MIO::Socket::INET -e '
    $| = 1;
    my @s = map { IO::Socket::INET->new("127.0.0.1:'"$port"'") } 1 .. 200;
    syswrite($_, "GET / HT") for @s[0 .. 99];
    print "holding '"$port"'\n"; sleep 100;'
holder=$server
server=$(echo $pids | awk '{ print $1 }')
url=http://127.0.0.1:$port
get /ca.pem
[ "$code" = 200 ]
ok $? "200 silent clients delay nobody"
perl -e 'my @k; for my $i (1 .. 20) {
    my $k = fork // die; if (!$k) { open(STDOUT, ">", "many.$i");
        open(STDERR, ">", "/dev/null"); exec(@ARGV); exit 1 } push @k, $k }
    my $bad = 0; for (@k) { waitpid($_, 0); $bad++ if $? } exit $bad' \
    openssl ocsp -issuer "$ca" -cert good.test.pem -url "$url/ocsp" \
    -CAfile "$ca"
rc=$?
[ "$rc" -eq 0 ] && [ "$(cat many.* | grep -c 'good.test.pem: good')" -eq 20 ]
ok $? "20 clients at once"
kill "$holder" 2>/dev/null
stop
[ "$server_rc" -eq 0 ]
ok $? "SIGTERM ends it cleanly"

ca_serve --timeout 100ms
printf 'GET / HTTP/1.1\r\n' | raw
[ ! -s out ]
ok $? "--timeout: who does not finish a request is let go"
stop
ca_serve -v --json
get /ca.pem
stop
perl -MJSON::PP -ne 'my $o = decode_json($_);
    die unless $o->{schema} eq "tlsock.ca-serve/1"; print "$o->{event} ";
    print "$o->{path} $o->{status}" if $o->{event} eq "request"' \
    serve.out >out 2>err
grep -q '^ready request /ca.pem 200' out
ok $? "--json: what happens, an object each"

# what cannot be served
run ca serve --dir "$dir/nowhere"
refused "no CA there" 6 own-file nowhere 'ca init'
run ca serve 0.0.0.0:0
refused "plaintext for other machines has to be allowed" 2 usage \
    'lets other machines in' allow-plain-remote
run ca serve 127.0.0.1:0 --port-file "$dir/no/port"
refused "a port file that cannot be written" 6 own-file no/port port-file
run ca serve :0 --validate-port 5
refused "options of ACME without it" 2 usage 'for --acme' 'add --acme'
run ca serve a b
[ "$rc" -eq 2 ]
ok $? "two addresses are one too many"
mkdir sealed
printf 'sesame\n' >password
run ca init --dir "$dir/sealed" --pass "file:$dir/password"
if [ "$rc" -eq 0 ]; then
    ca=$dir/sealed/ca.pem
    ca_serve --dir "$dir/sealed" --pass fd:7 7<password
    rm -f sealed/crl.der
    get /crl
    openssl crl -inform DER -in out -CAfile "$ca" -noout 2>err &&
        grep -q 'verify OK' err
    ok $? "a CA whose key has a password, read once from a descriptor"
    stop
    run ca serve 127.0.0.1:0 --dir "$dir/sealed" </dev/null
    [ "$rc" -eq 6 ] && grep -q ': password' "$dir/err"
    ok $? "without the password it does not start"
else
    skip "a CA whose key has a password" "ca init cannot make one yet"
fi
finish
