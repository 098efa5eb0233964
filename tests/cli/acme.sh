#!/bin/sh
# ca serve --acme: real clients get certificates, others are refused.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
run ca init
home=$dir/data/tlsock/ca
ca=$home/ca.pem
if ! "$tlsock" version | grep -q '+acme'; then
    run ca serve 127.0.0.1:0 --acme
    refused "a build without libjose says so" 2 unsupported libjose libjose-dev
    skip "all of ACME" "this build has none"
    finish
fi

www=$(free_port)
tls=$(free_port)
acme_serve() {
    rm -f port
    mkfifo port
    "$tlsock" ca serve 127.0.0.1:0 --acme --port-file port \
        --validate-port "$www" --validate-tls-port "$tls" --resolve app.test=127.0.0.1 \
        --resolve closed.test=127.0.0.2 "$@" >serve.out 2>log </dev/null &
    server=$!
    pids="$pids $server"
    port=$(timeout 30 cat port)
    url=https://localhost:$port/acme/directory
    [ -n "$port" ]
}
in_index() { # FILE: it is there, and valid
    s=$(openssl x509 -in "$1" -noout -serial | sed 's/.*=//' | tr A-F a-f)
    grep -q "^V 0*$s .*DNS:app.test" "$home/index"
}
acme_serve
ok $? "it starts"
grep -q "^acme     https://localhost:$port/acme/directory" serve.out
ok $? "and says where clients find it"
[ "$(stat -c %a "$home/acme.pem")" = 600 ] && grep -q KEY "$home/acme.pem"
ok $? "its own certificate is kept with its key, for nobody else to read"
curl -s --cacert "$ca" "$url" >out 2>err && grep -q newOrder out
ok $? "https, with a certificate of the CA"
[ "$(curl -s -o out -w '%{http_code}' "http://localhost:$port/acme/directory")" \
    = 403 ] && grep -q 'https alone' out
ok $? "no ACME in plaintext"
curl -s "http://localhost:$port/crl" | openssl crl -inform DER -noout
ok $? "the CRL in plaintext, on the same port"
curl -s --cacert "$ca" "https://localhost:$port/crl.pem" |
    openssl crl -noout 2>err
ok $? "and by https"

if command -v certbot >/dev/null 2>&1; then
    bot() {
        REQUESTS_CA_BUNDLE=$ca timeout 120 certbot "$@" --server "$url" \
            --non-interactive --config-dir "$dir/bot" --work-dir "$dir/bot" \
            --logs-dir "$dir/bot" >out 2>err </dev/null
    }
    bot certonly --standalone --http-01-port "$www" --agree-tos -m a@app.test \
        --http-01-address 127.0.0.1 -d app.test
    got=$dir/bot/live/app.test
    openssl verify -CAfile "$ca" "$got/cert.pem" >text 2>&1 &&
        in_index "$got/cert.pem"
    ok $? "certbot gets a certificate that verifies and is in the index"
    bot revoke --cert-path "$got/cert.pem" --reason keycompromise \
        --no-delete-after-revoke
    openssl ocsp -issuer "$ca" -cert "$got/cert.pem" -CAfile "$ca" \
        -url "http://127.0.0.1:$port/ocsp" >text 2>&1
    grep -q 'cert.pem: revoked' text && grep -q keyCompromise text
    ok $? "and has it revoked: OCSP says so"
    bot certonly --standalone --http-01-port "$www" --agree-tos -m a@app.test \
        --http-01-address 127.0.0.1 -d example.com
    grep -q 'may not sign for' err out bot/letsencrypt.log
    ok $? "but none outside what the CA may sign, and is told why"
else
    skip certbot "not here"
fi
if command -v lego >/dev/null 2>&1; then
    LEGO_CA_CERTIFICATES=$ca timeout 120 lego --path "$dir/lego" \
        --server "$url" --email a@app.test --accept-tos --http \
        --http.port "127.0.0.1:$www" -d app.test run >out 2>err
    openssl verify -CAfile "$ca" lego/certificates/app.test.crt >text 2>&1 &&
        in_index lego/certificates/app.test.crt
    ok $? "lego"
    rm -rf lego
    LEGO_CA_CERTIFICATES=$ca timeout 120 lego --path "$dir/lego" \
        --server "$url" --email a@app.test --accept-tos --tls \
        --tls.port "127.0.0.1:$tls" -d app.test run >out 2>err
    openssl verify -CAfile "$ca" lego/certificates/app.test.crt >text 2>&1 &&
        in_index lego/certificates/app.test.crt
    ok $? "lego, by tls-alpn-01"
else
    skip lego "not here"
fi
if command -v dehydrated >/dev/null 2>&1; then
    mkdir -p tokens/.well-known/acme-challenge hydra
    cat >hydra.conf <<CONF
CA="$url"
BASEDIR=$dir/hydra
WELLKNOWN=$dir/tokens/.well-known/acme-challenge
CURL_OPTS="--cacert $ca"
CONF
    at=$server acme_port=$port
    start 'port (\d+)' python3 -u -c '
import http.server, functools, sys
h = functools.partial(http.server.SimpleHTTPRequestHandler, directory="tokens")
s = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), h)
print("port", sys.argv[1]); s.serve_forever()' "$www"
    web=$server server=$at port=$acme_port
    timeout 60 dehydrated --config "$dir/hydra.conf" --register \
        --accept-terms >out 2>err
    timeout 120 dehydrated --config "$dir/hydra.conf" -c -d app.test \
        >>out 2>>err
    openssl verify -CAfile "$ca" hydra/certs/app.test/cert.pem >text 2>&1 &&
        in_index hydra/certs/app.test/cert.pem
    ok $? "dehydrated"
    kill "$web"
    wait "$web" 2>/dev/null
else
    skip dehydrated "not here"
fi

# the client that does what it should not
cp "$ca" known.pem
timeout 300 perl "$here/acme.pl" "$port" "$ca" "$www" "$tls" >claims 2>claims.err
rc=$?
while read -r bad claim; do
    ok "$bad" "$claim"
done <claims
[ "$rc" -eq 0 ]
ok $? "the hostile client went through all of it"
if [ "$rc" -ne 0 ]; then
    sed 's/^/# /' claims.err
    finish # what follows stands on what it left
fi
openssl ocsp -issuer "$ca" -cert acme.crt -CAfile "$ca" \
    -url "http://127.0.0.1:$port/ocsp" >text 2>&1
grep -q 'acme.crt: revoked' text
ok $? "what was revoked by its own key is revoked"
read -r kid cert <state
[ "$(stat -c %a "$home/acme-accounts.json")" = 600 ]
ok $? "accounts are kept for nobody else to read"
run ca serve 127.0.0.1:0 --acme
refused "two servers of one CA would lose accounts" 6 own-file \
    'another ca serve' 'end the other'
was=$(sha256sum <"$home/acme.pem")
stop
[ "$server_rc" -eq 0 ]
ok $? "SIGTERM ends it cleanly"

acme_serve
[ "$(sha256sum <"$home/acme.pem")" = "$was" ]
ok $? "started again, it is the same server: its certificate stays"
again() { # with the new key, which the account has by now
    perl -e '
        my ($kid, $cert, $port) = @ARGV;
        s{localhost:\d+}{localhost:$port} for $kid, $cert;
        print "$kid $cert\n"' "$kid" "$cert" "$port"
}
again >state
cat >again.pl <<'PL'
use strict; use warnings;
use MIME::Base64 qw(encode_base64url);
my ($kid, $url, $ca, $port) = @ARGV;
my ($nonce) = `curl -sI --cacert $ca https://localhost:$port/acme/new-nonce`
    =~ /^replay-nonce: *(\S+)/im;
my $p = encode_base64url(
    qq({"alg":"RS256","nonce":"$nonce","url":"$url","kid":"$kid"}));
open(my $f, '>', 'to-sign'); print $f "$p."; close($f);
my $s = encode_base64url(scalar `openssl dgst -sha256 -sign new.key to-sign`);
open($f, '>', 'body');
print $f qq({"protected":"$p","payload":"","signature":"$s"}); close($f);
exec('curl', '-s', '--cacert', $ca, '-H',
    'Content-Type: application/jose+json', '--data-binary', '@body', $url);
PL
read -r kid cert <state
perl again.pl "$kid" "$cert" "$ca" "$port" >out 2>err
cmp -s out acme.crt
ok $? "accounts and what they were given outlive the server"
stop
acme_serve --host ca.test
[ "$(sha256sum <"$home/acme.pem")" != "$was" ] &&
    curl -s --cacert "$ca" --resolve "ca.test:$port:127.0.0.1" \
        "https://ca.test:$port/acme/directory" >out 2>err &&
    grep -q "https://ca.test:$port/acme/new-order" out
ok $? "--host: another name, and a certificate for it"
stop
cp "$home/acme-accounts.json" kept
printf '{"accounts":[{"id":7}]}\n' >"$home/acme-accounts.json"
run ca serve 127.0.0.1:0 --acme
refused "accounts that are damaged" 6 own-file 'acme-accounts.json: line 1' \
    'repair it'
printf '{\n"accounts":\n' >"$home/acme-accounts.json"
run ca serve 127.0.0.1:0 --acme
refused "or cut off" 6 own-file 'acme-accounts.json: line' 'repair it'
perl -MJSON::PP -0ne '$j = decode_json($_); $j->{accounts} =
    [($j->{accounts}[0]) x 1001]; print encode_json($j)' kept \
    >"$home/acme-accounts.json"
run ca serve 127.0.0.1:0 --acme
refused "or more than there may be" 6 own-file \
    'acme-accounts.json: line 1: there are too many' 'repair it'
cp kept "$home/acme-accounts.json"
run ca serve :0 --acme --resolve app.test
refused "--resolve without an address" 2 usage 'no NAME=ADDRESS' \
    'app.test=127.0.0.1'
run ca serve :0 --acme --resolve app.test=localhost
refused "--resolve with a name" 2 usage 'no NAME=ADDRESS' 'app.test=127.0.0.1'
run ca serve :0 --acme --validate-port 0
[ "$rc" -eq 2 ]
ok $? "--validate-port 0"
run ca init --dir "$dir/narrow" --permitted .example
run ca serve 127.0.0.1:0 --dir "$dir/narrow" --acme
[ "$rc" -ne 0 ] && grep -q 'may not sign for' "$dir/err"
ok $? "a CA that may not sign for localhost says so at once"
finish
