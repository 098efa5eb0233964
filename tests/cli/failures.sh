#!/bin/sh
# The failures users meet: each with its exit code, cause and fix.
. "$(dirname "$0")/lib.sh"
make_pki || { cat "$dir/pki.log"; echo "Bail out! no PKI"; exit 1; }
p=$dir/pki
name="--name app.test --timeout 20s"

s_server() {
    start 'ACCEPT .*:(\d+)' openssl s_server -accept 127.0.0.1:0 -rev "$@"
}
at() { # more arguments: connect to the server that was started
    run connect $name "127.0.0.1:$port" "$@"
}

s_server -cert "$p/good-leaf.pem" -key "$p/good.key" -cert_chain "$p/inter.pem"
at --ca "$p/root.pem"
ok "$rc" "a complete chain to a trusted root is accepted"
run connect --timeout 20s "127.0.0.1:$port" --ca "$p/root.pem"
ok "$rc" "an address is checked against the addresses of the certificate"
at --ca "$p/root2.pem"
refused "chain-incomplete or untrusted-root: another root" 5 \
    '(chain-incomplete|untrusted-root)' 'Intermediate|Root' '--ca'
run connect --name shop.test --timeout 20s "127.0.0.1:$port" --ca "$p/root.pem"
refused "name-mismatch names both sides" 5 name-mismatch 'shop.test.*app\.test' '--name'
at --ca "$p/root.pem" --pin sha256:$(printf '0%.0s' $(seq 64)) -o pin.mode=require
refused "a pin that does not fit" 5 pin . .
run connect --name shop.test --accept name --ca "$p/root.pem" "127.0.0.1:$port"
ok "$rc" "--accept name forgives the name"
run connect --name shop.test --accept name --ca "$p/root2.pem" "127.0.0.1:$port"
[ "$rc" -eq 5 ]
ok $? "--accept name does not forgive the chain"
run connect --insecure --json "127.0.0.1:$port"
[ "$rc" -eq 0 ] && grep -q WARNING "$dir/err" &&
    perl -MJSON::PP -0ne 'exit(decode_json($_)->{verified} ? 1 : 0)' "$dir/out"
ok $? "--insecure is loud and says verified: false"
stop

s_server -cert "$p/good-leaf.pem" -key "$p/good.key"
at --ca "$p/root.pem"
refused "chain-incomplete" 5 chain-incomplete Intermediate '--ca|append'
at --ca "$p/root.pem" --ca "$p/inter.pem"
ok "$rc" "the fix works: the intermediate given with --ca"
stop

s_server -cert "$p/self-signed.pem" -key "$p/self-signed.key"
at --ca "$p/root.pem"
refused "untrusted-root: self-signed" 5 untrusted-root 'self' '--ca|--pin'
pin=$(sed -n 's/.*\(sha256:[0-9a-f:pub]*\).*/\1/p' "$dir/err" | head -1)
at --ca "$p/root.pem" --pin "${pin:-none}"
ok "$rc" "the fix works: the pin that was shown"
at --accept self-signed --ca "$p/root.pem"
ok "$rc" "--accept self-signed forgives it"
stop

s_server -cert "$p/expired.pem" -key "$p/expired.key" -cert_chain "$p/inter.pem"
at --ca "$p/root.pem"
refused "expired" 5 expired 'expired' 'renew'
at --ca "$p/root.pem" --accept expired
ok "$rc" "--accept expired forgives it"
stop

s_server -cert "$p/future.pem" -key "$p/future.key" -cert_chain "$p/inter.pem"
at --ca "$p/root.pem"
begins=$(date -u +%Y-%m-%d -d \
    "$(openssl x509 -in "$p/future.pem" -noout -startdate | cut -d= -f2)")
refused "not-yet-valid" 5 not-yet-valid "valid from $begins" 'clock'
stop

start 'port (\d+)' perl "$here/peer.pl" smtp
at
refused "not-tls: plaintext first" 4 not-tls '220 mx' 'smtp|465|STARTTLS|port'
stop

start 'port (\d+)' perl "$here/peer.pl" alert 70
at
refused "version-unsupported" 4 version-unsupported . .
stop

start 'port (\d+)' perl "$here/peer.pl" alert 40
at
refused "no-common-parameters: alert 40" 4 no-common-parameters . .
stop

s_server -cert "$p/good-leaf.pem" -key "$p/good.key" -tls1_2 \
    -cipher ECDHE-ECDSA-AES128-SHA
at --ca "$p/root.pem"
refused "no-common-parameters: only CBC" 4 no-common-parameters . .
stop

s_server -cert "$p/rsa1024.pem" -key "$p/rsa1024.key" -cert_chain "$p/inter.pem" \
    -cipher DEFAULT@SECLEVEL=0
at --ca "$p/root.pem"
[ "$rc" -eq 4 ] || [ "$rc" -eq 5 ]
ok $? "a key of 1024 bits is refused"
stop

start 'port (\d+)' perl "$here/peer.pl" close
at
refused "closed-in-handshake" 4 closed-in-handshake . .
stop

start 'port (\d+)' perl "$here/peer.pl" silent
run connect --name app.test --timeout 300ms "127.0.0.1:$port"
[ "$rc" -eq 7 ] && grep -q ': timeout$' "$dir/err"
ok $? "a silent peer costs no more than --timeout"
stop

for v in 1_2 1_3; do
    s_server -cert "$p/good-leaf.pem" -key "$p/good.key" \
        -cert_chain "$p/inter.pem" -Verify 3 -verify_return_error \
        -CAfile "$p/root.pem" -tls$v
    at --ca "$p/root.pem" -v
    refused "client-cert-required, TLS $v: none sent" 4 client-cert-required \
        . '--cert'
    at --ca "$p/root.pem" --json
    [ "$rc" -eq 4 ] && grep -q client-cert-required "$dir/out"
    ok $? "client-cert-required, TLS $v: in JSON"
    at --ca "$p/root.pem" --cert "$p/client.pem" --key "$p/client.key"
    ok "$rc" "the fix works, TLS $v: --cert and --key"
    stop
done

at --cert "$p/client.pem" --key "$p/stray.key"
refused "key-mismatch" 6 key-mismatch 'stray' '--key|key'

start 'port (\d+)' perl "$here/peer.pl" cut "$p/good.pem" "$p/good.key"
at --ca "$p/root.pem"
refused "truncated" 4 truncated '4 bytes|close_notify' 'complete|truncation'
[ "$(cat "$dir/out")" = half ]
ok $? "what came before the cut is on stdout"
at --ca "$p/root.pem" -o truncation=allow
ok "$rc" "truncation = allow takes such peers"
stop

port=$(free_port)
at
refused "nobody listens" 3 connect . .
run connect no-such-host.invalid:443
refused "a host without address" 3 resolve no-such-host .

serve --cert "$p/good.pem" --key "$p/good.key" --client-auth require \
    --ca "$p/root.pem"
at --ca "$p/root.pem" -v
refused "our own server asks for a certificate" 4 client-cert-required . --cert
stop
grep -q client-cert-missing "$dir/log"
ok $? "and says so itself"
[ "$server_rc" -eq 0 ]
ok $? "SIGTERM ends a server cleanly"
finish
