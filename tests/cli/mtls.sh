#!/bin/sh
# Client certificates, with the programs of others on either side: whom the
# rules of serve let in, and what a refused client is told.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
make_pki || { cat "$dir/pki.log"; echo "Bail out! no PKI"; exit 1; }
p=$dir/pki
id="--cert $p/good.pem --key $p/good.key"

has() {
    command -v "$1" >/dev/null 2>&1
}

at() { # [ARGS]: our client, which carries no data
    run connect --ca "$p/root.pem" --name app.test --json "127.0.0.1:$port" "$@"
}

told() { # NAME SLUG REGEX...: in what is told as JSON
    [ "$rc" -eq 4 ] && grep -q "\"code\": *\"$2\"" out || {
        ok 1 "$1"
        return
    }
    what=$1
    shift 2
    for regex; do
        grep -Eq "$regex" out || { ok 1 "$what: $regex"; return; }
    done
    ok 0 "$what"
}

# rules
serve $id --client-auth require --ca "$p/root.pem" --allow 'cn:Nobody' \
    --allow 'dns:*.other.test, email:nobody@app.test' --show-client
for v in 1.2 1.3; do
    at --tls $v --cert "$p/client.pem" --key "$p/client.key"
    told "a client that no rule lets in, TLS $v" client-cert-denied \
        'our certificate' 'Alice' 'issued by' 'let it in'
    at --tls $v
    told "none sent, TLS $v" client-cert-required 'we sent none' '\-\-cert'
done
stop
grep -q 'client-cert-denied$' log && grep -q 'cause: .*Alice' log
ok $? "the server says whom it refused"
grep -Eq 'fix: .*add a rule' log
ok $? "and how to let it in"

serve $id --client-auth require --ca "$p/root.pem" --allow 'cn:Nobody' \
    --allow any --show-client
at --cert "$p/client.pem" --key "$p/client.key"
ok "$rc" "several --allow add up"
timeout 60 openssl s_client -connect "127.0.0.1:$port" -CAfile "$p/root.pem" \
    -cert "$p/client.pem" -key "$p/client.key" -cert_chain "$p/inter.pem" \
    </dev/null >out 2>err
grep -q 'Acceptable client certificate CA names' out
ok $? "the list of CAs is sent by itself"
if has gnutls-cli; then
    printf 'hi\n' | timeout 60 gnutls-cli --x509cafile "$p/root.pem" \
        --x509certfile "$p/client.pem" --x509keyfile "$p/client.key" \
        --verify-hostname app.test -p "$port" 127.0.0.1 >out 2>err
    grep -q '^hi' out
    ok $? "gnutls-cli with a certificate"
else
    skip "gnutls-cli with a certificate" "it is not there"
fi
stop

if has curl; then
    printf 'HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nfixed\n' >reply
    serve $id --client-auth require --ca "$p/root.pem" --allow 'cn:Alice' \
        --reply reply
    for who in client good; do
        timeout 60 curl -sS --cacert "$p/root.pem" --cert "$p/$who.pem" \
            --key "$p/$who.key" --resolve "app.test:$port:127.0.0.1" \
            "https://app.test:$port/" >"$who.got" 2>err
    done
    grep -q fixed client.got
    ok $? "curl with a certificate that a rule lets in"
    [ ! -s good.got ]
    ok $? "and with another one"
    stop
else
    skip "curl with a certificate that a rule lets in" "it is not there"
    skip "and with another one" "it is not there"
fi

# what cannot be meant
run serve $id --client-auth require --allow a.test :0
[ "$rc" -eq 2 ] || [ "$rc" -eq 6 ] && grep -q 'dns:NAME' err
ok $? "a rule of no kind is refused with the forms there are"
run serve $id --allow any :0
[ "$rc" -eq 2 ] && grep -q 'none is asked for' err
ok $? "--allow without --client-auth"
run serve $id --client-auth require :0
[ "$rc" -ne 0 ] && grep -q 'sign for anybody' err
ok $? "the system's CAs let nobody in without a rule"

# the servers of others refuse us
for v in 1_2 1_3; do
    start 'ACCEPT .*:(\d+)' openssl s_server -accept 127.0.0.1:0 -rev \
        -cert "$p/good-leaf.pem" -key "$p/good.key" \
        -cert_chain "$p/inter.pem" -Verify 3 -verify_return_error \
        -CAfile "$p/root.pem" -tls$v
    at
    told "openssl s_server, TLS $v: none sent" client-cert-required \
        'we sent none'
    run cert new --client --out stray -q stray@app.test
    at --cert stray.pem --key stray.key
    told "openssl s_server, TLS $v: of another CA" client-cert-required \
        'our certificate' 'issued by'
    stop
done
if has gnutls-serv; then
    free=$(free_port)
    start "port ($free)" gnutls-serv --echo --port "$free" \
        --x509certfile "$p/good.pem" --x509keyfile "$p/good.key" \
        --x509cafile "$p/root.pem" --require-client-cert \
        --verify-client-cert
    port=$free
    at
    told "gnutls-serv: none sent" client-cert-required 'we sent none'
    stop
else
    skip "gnutls-serv: none sent" "it is not there"
fi

# asked for after the handshake
mkfifo keys
exec 4<>keys
start 'ACCEPT .*:(\d+)' sh -c 'exec openssl s_server -accept 127.0.0.1:0 \
    -cert "$0/good-leaf.pem" -key "$0/good.key" -cert_chain "$0/inter.pem" \
    -verify 3 -CAfile "$0/root.pem" -tls1_3 <keys 2>&1' "$p"

at --cert "$p/client.pem" --key "$p/client.key"
ok "$rc" "openssl s_server takes our offer of post-handshake authentication"
stop
exec 4>&-
finish
