#!/bin/sh
# connect: data both ways, half-close, summary, resumption, keys.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir data
"$tlsock" ca init >/dev/null && "$tlsock" cert new app.test >/dev/null
ca=$dir/data/tlsock/ca/ca.pem
serve --cert app.test.pem --key app.test.key -o alpn=h2,http/1.1
c="connect --name app.test --ca $ca 127.0.0.1:$port"

printf 'data\n' | timeout 60 "$tlsock" $c -v >out 2>err
[ "$?" -eq 0 ] && [ "$(cat out)" = data ]
ok $? "stdout carries the peer's data alone"
for label in connected security server chain ready; do
    grep -q "^$label " err
    ok $? "-v: the line $label"
done
grep -q 'app.test: name matches, expires 20' err && grep -q 'TLSv1.3' err
ok $? "they name server, expiry and protocol"
if "$tlsock" version | grep -q ' +pq '; then
    group='X25519MLKEM768 (post-quantum)'
else
    group='X25519 (not post-quantum)'
fi
grep '^security ' err | grep -qF " $group "
ok $? "-v: the group, and whether it is post-quantum"
printf 'data\n' | timeout 60 "$tlsock" $c >out 2>err
[ ! -s err ]
ok $? "silent when stderr is no terminal"
run $c -v -q
[ ! -s err ]
ok $? "-q is silent"
run $c --repeat 3 -v
[ "$rc" -eq 0 ] && [ "$(grep -c 'new session' err)" -eq 1 ] &&
    [ "$(grep -c 'resumed session' err)" -eq 2 ]
ok $? "--repeat 3: one new session, two resumed"
run $c --repeat 2 -v --tls 1.2
[ "$rc" -eq 0 ] && [ "$(grep -c 'TLSv1.2' err)" -eq 2 ] &&
    [ "$(grep -c 'resumed session' err)" -eq 1 ]
ok $? "the same with TLS 1.2"
for v in 1.2 1.3; do
    rm -f sessions
    run $c --repeat 1 -v --tls $v --session sessions
    [ "$rc" -eq 0 ] && grep -q 'new session' err
    ok $? "--session, TLS $v: the first is new"
    printf 'data\n' | timeout 60 "$tlsock" $c -v --tls $v \
        --session sessions >out 2>err
    [ "$(cat out)" = data ] && grep -q 'resumed session' err &&
        grep -q 'app.test: name matches, expires 20' err
    ok $? "--session, TLS $v: the next call resumes it, and carries data"
    run $c --repeat 1 -v --tls $v --session sessions --name other.test
    [ "$rc" -eq 5 ] && grep -q 'name-mismatch' err
    ok $? "--session, TLS $v: not as another name"
    run $c --repeat 1 -v --tls $v --session sessions --alpn h2
    [ "$rc" -eq 0 ] && grep -q 'new session' err
    ok $? "--session, TLS $v: not with other settings"
    run $c --json --tls $v --session sessions
    [ "$rc" -eq 0 ] && grep -Eq '"resumed": ?true' out &&
        grep -Eq '"session": ?"(kept until 20|none yet)' out
    ok $? "--session, TLS $v: as JSON"
done
[ "$(stat -c %a sessions)" = 600 ]
ok $? "--session: mode 0600"
chmod 644 sessions
run $c --repeat 1 --session sessions
[ "$rc" -eq 6 ] && grep -q 'chmod 600' err
ok $? "--session: a file that others can read is refused"
echo 'not ours' >notes
chmod 600 notes
run $c --repeat 2 -v --session notes
[ "$rc" -eq 0 ] && [ "$(cat notes)" = 'not ours' ] &&
    [ "$(grep -c 'new session' err)" -eq 2 ]
ok $? "--session: a file of another kind is left alone"
run $c --repeat 1 -v --alpn http/1.1
grep -q 'alpn http/1.1' err
ok $? "--alpn"
run $c --repeat 1 -v --groups P-384 --ciphers TLS_AES_128_GCM_SHA256
grep -q 'TLS_AES_128_GCM_SHA256' err && grep -Eiq 'P-384|secp384r1' err
ok $? "--groups and --ciphers"
run $c --repeat 1 -v --tls -1.2 --ciphers ECDHE-ECDSA-AES128-GCM-SHA256
grep -q 'ECDHE-ECDSA-AES128-GCM-SHA256' err
ok $? "--tls -1.2 with its ciphers"
run $c --repeat 1 --keylog keys
grep -q 'CLIENT_TRAFFIC_SECRET_0' keys && [ "$(stat -c %a keys)" = 600 ]
ok $? "--keylog, mode 0600"
printf '[lab]\ntls.max = 1.2\n' >lab.conf
run $c --repeat 1 -v --config lab.conf:lab
grep -q 'TLSv1.2' err
ok $? "--config FILE:SECTION"
run $c --repeat 1 -v --color always
grep -q "$(printf '\033\\[32mconnected')" err
ok $? "--color always"
run $c --repeat 1 -- extra
[ "$rc" -eq 2 ]
ok $? "-- ends the options"
timeout 60 "$tlsock" $c </dev/zero 2>err | head -c 100000 >out
[ "$(wc -c <out)" -eq 100000 ]
ok $? "a reader that leaves ends the session"
stop

# this server's tickets allow early data, which it does not read
serve --cert app.test.pem --key app.test.key -o early-data=1000
c="connect --name app.test --ca $ca 127.0.0.1:$port"
for i in 1 2; do
    printf 'data\n' | timeout 60 "$tlsock" $c -v --session early \
        --early-data >out 2>err
    [ "$?" -eq 0 ] && [ "$(cat out)" = data ]
    ok $? "--early-data: what is not sent or not taken is sent once more, $i"
done
grep -q 'resumed session, early data rejected' err
ok $? "--early-data: the summary says so"
printf 'data\n' | timeout 60 "$tlsock" $c -v --session early >out 2>err
[ "$(cat out)" = data ] && grep -q 'resumed session$' err
ok $? "--early-data: none is sent unless it is asked for"
run $c --repeat 2 --early-data
refused "--early-data without data" 2 usage 'stdin' 'leave one'
stop

serve --once --exec -- sh -c 'cat >/dev/null; echo done'
mkfifo in
(printf first; printf second) | timeout 60 "$tlsock" connect --name localhost \
    --ca "$ca" "127.0.0.1:$port" >out 2>err
[ "$(cat out)" = 'done' ]
ok $? "the answer to our end of input is read to its end"
wait "$server"
ok $? "and the server is content"
finish
