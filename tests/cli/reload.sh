#!/bin/sh
# serve reads its files again on SIGHUP; several identities, as others see it.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir data
"$tlsock" ca init >/dev/null
ca=$dir/data/tlsock/ca/ca.pem

make() { # PREFIX KIND NAME...
    prefix=$1 kind=$2
    shift 2
    "$tlsock" cert new "$@" --key-type "$kind" --out "$prefix" --force \
        >make.log 2>&1 || cat make.log
}
serial() { openssl x509 -noout -serial; }
of_file() { serial <"$1"; }
others() { # NAME ARGS...: the serial that openssl gets
    name=$1
    shift
    openssl s_client -connect "127.0.0.1:$port" -servername "$name" "$@" \
        </dev/null 2>err | serial 2>>err
}
says() { # REGEX: the server does, sooner or later
    timeout 30 sh -c 'until grep -Eq "$1" "$2"; do :; done' - "$1" log
}

make one ec:P-256 one.test
make star ec:P-256 '*.shop.test'
make pay ec:P-256 pay.shop.test
make both-ec ec:P-256 both.test
make both-rsa rsa:2048 both.test
printf 'HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nfixed\n' >reply
serve --cert one.pem --key one.key --cert star.pem --key star.key \
    --cert pay.pem --key pay.key --cert both-rsa.pem --key both-rsa.key \
    --cert both-ec.pem --key both-ec.key --reply reply
while read -r name want args; do
    got=$(others "$name" $args)
    [ "$got" = "$(of_file "$want.pem")" ]
    ok $? "openssl asks for $name $args: $want"
done <<'END'
one.test one
www.shop.test star
PAY.shop.test pay
a.b.shop.test one
both.test both-ec
both.test both-ec -tls1_2
both.test both-ec -sigalgs RSA-PSS+SHA256:ECDSA+SHA256
both.test both-rsa -sigalgs RSA-PSS+SHA256
both.test both-rsa -tls1_2 -sigalgs RSA+SHA256
both.test both-rsa -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256
both.test both-ec -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256
END
if command -v curl >/dev/null; then
    for name in one.test www.shop.test both.test; do
        curl -s --max-time 20 --cacert "$ca" --resolve \
            "$name:$port:127.0.0.1" "https://$name:$port/" >out 2>err
        [ "$(cat out)" = fixed ]
        ok $? "curl verifies $name"
    done
else
    skip "curl verifies three names" "no curl"
fi
if command -v gnutls-cli >/dev/null; then
    while read -r name kind prio; do
        printf 'x' | timeout 30 gnutls-cli --x509cafile "$ca" \
            --sni-hostname "$name" --verify-hostname "$name" -p "$port" \
            --priority "$prio" 127.0.0.1 >out 2>err
        grep -q "Status: The certificate is trusted" out &&
            grep -q "signed using\|$kind" out && grep -q "$kind" out
        ok $? "gnutls-cli verifies $name, $kind"
    done <<'END'
pay.shop.test ECDSA NORMAL
both.test ECDSA NORMAL
both.test RSA NORMAL:-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-SHA256
END
else
    skip "gnutls-cli verifies three names" "no gnutls-cli"
fi
stop

# what is good is served, connections that are open go on
make one ec:P-256 one.test
serve --cert one.pem --key one.key
before=$(of_file one.pem)
mkfifo pipe
timeout 60 "$tlsock" connect --ca "$ca" --name one.test "127.0.0.1:$port" \
    <pipe >out 2>err &
client=$!
exec 3>pipe
printf 'first\n' >&3
timeout 30 sh -c 'until grep -q first out; do :; done'
make one ec:P-256 one.test
kill -HUP "$server"
says '^reloaded 127.0.0.1:'
ok $? "SIGHUP: it says that it read them"
after=$(others one.test)
[ "$after" = "$(of_file one.pem)" ] && [ "$after" != "$before" ]
ok $? "new clients get the new certificate"
printf 'second\n' >&3
exec 3>&-
wait "$client"
rc=$?
[ "$rc" -eq 0 ] && [ "$(cat out)" = "first
second" ]
ok $? "a connection that was open goes on"

# what is not is named, and what was read before is served
cp one.key good.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 >one.key \
    2>/dev/null
kill -HUP "$server"
says ': key-mismatch$' && says 'one.key' && says '^kept '
ok $? "a key that does not fit is named, and what was read stays"
head -c 60 good.key >one.key
kill -HUP "$server"
says ': own-file$' && says 'truncated'
ok $? "half a key is named"
[ "$(others one.test)" = "$after" ]
ok $? "the old certificate is served on"
mv good.key one.key
make one ec:P-256 one.test
: >log
kill -HUP "$server"
says '^reloaded' && [ "$(others one.test)" = "$(of_file one.pem)" ]
ok $? "mended, the next signal takes it"
stop
[ "$server_rc" -eq 0 ]
ok $? "SIGTERM still ends it"

# by itself
make one ec:P-256 one.test
serve --cert one.pem --key one.key -o reload=100ms
before=$(others one.test)
make one ec:P-256 one.test
want=$(of_file one.pem)
end=$(($(date +%s) + 30))
while got=$(others one.test) && [ "$got" = "$before" ] &&
    [ "$(date +%s)" -lt "$end" ]; do :; done
[ "$got" = "$want" ] && [ "$got" != "$before" ]
ok $? "reload = 100ms: what changed is served without a signal"
stop
finish
