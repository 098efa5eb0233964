#!/bin/sh
# Pre-shared keys between the tool and openssl, both ways and both versions.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir data
key=00112233445566778899aabbccddeeff
other=ff112233445566778899aabbccddeeff
echo "$key" >key
echo "$other" >other

serve --psk dev1 --psk-key file:key
c="connect --repeat 1 127.0.0.1:$port --psk dev1"
for v in 1.2 1.3; do
    run $c --psk-key file:key --tls $v --json
    [ "$rc" -eq 0 ] && grep -q 'psk dev1' out
    ok $? "the tool with itself, TLS $v"
    run $c --psk-key file:other --tls $v
    refused "another key, TLS $v" 5 psk 'dev1' 'same key'
    for suite in DHE-PSK-AES256-GCM-SHA384 ECDHE-PSK-CHACHA20-POLY1305; do
        echo Q | timeout 60 openssl s_client -connect "127.0.0.1:$port" \
            -psk_identity dev1 -psk $key -cipher "$suite" \
            -"tls1_${v#1.}" >out 2>&1
        # a key counts as a session there, which is told at once or not
        grep -Eq "(Protocol.*|New, |Reused, )TLSv$v" out
        ok $? "openssl s_client comes in by its key, TLS $v, $suite"
        ! grep -q 'BEGIN CERTIFICATE' out
        ok $? "and is shown no certificate"
    done
done
KEY=$key
export KEY
run $c --psk-key env:KEY
[ "$rc" -eq 0 ]
ok $? "a key in the environment"
run $c
[ "$rc" -eq 2 ] && grep -q -e '--psk-key' err
ok $? "an identity needs a key"
echo 0011 >short
run $c --psk-key file:short
grep -q '2 bytes' err && [ "$rc" -eq 2 ]
ok $? "a short key is refused"
stop

for v in 1.2 1.3; do
    start 'ACCEPT .*:([0-9]+)' openssl s_server -accept 127.0.0.1:0 -www -nocert \
        -psk_identity dev1 -psk $key -"tls1_${v#1.}"
    c="connect --repeat 1 127.0.0.1:$port --psk"
    run $c dev1 --psk-key file:key --json
    [ "$rc" -eq 0 ] && grep -q 'psk dev1' out
    ok $? "the tool at openssl s_server, TLS $v"
    run $c dev1 --psk-key file:other
    [ "$rc" -eq 5 ] && grep -q ': psk$' err
    ok $? "another key, openssl s_server, TLS $v"
    stop
done
finish
