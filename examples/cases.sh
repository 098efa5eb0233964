#!/bin/sh
# cases.sh BUILD - the examples of the cases that are not everybody's do what
# their first lines say. TAP.
. "$(dirname "$0")/lib.sh"

chain() { # NAME: root.pem, chain.pem and leaf.key of a CA of its own, in NAME/
    mkdir "$1" && (cd "$1" && "$bin/example_make_chain" "$1" >/dev/null)
}

talk() { # CLIENT...: to whom all roots here are known
    SSL_CERT_FILE=roots.pem "$@" >out 2>err </dev/null
    rc=$?
}

chain localhost
chain a.test
chain b.test
cat localhost/root.pem a.test/root.pem b.test/root.pem >roots.pem
mine="localhost/chain.pem localhost/leaf.key"

started "$bin/example_forking" 127.0.0.1:0 $mine
for i in 1 2; do
    talk "$bin/example_connect" "localhost:$port"
    [ $rc -eq 0 ] && [ "$(cat out)" = hello ]
    ok $? "forking: a process of its own answers client $i"
done
# one that says nothing holds up nobody else
mkfifo silent
openssl s_client -connect "127.0.0.1:$port" <silent >quiet 2>&1 &
pids="$pids $!"
exec 3>silent
talk "$bin/example_connect" "localhost:$port"
[ $rc -eq 0 ] && [ "$(cat out)" = hello ]
ok $? "forking: a client beside a silent one is answered"
exec 3>&-
"$bin/example_connect" "localhost:$port" >out 2>err
[ $? -eq 1 ] && [ -s err ] && [ ! -s out ]
ok $? "forking: its certificate is refused by who does not know the root"

started "$bin/example_hosts" 127.0.0.1:0 a.test a.test/chain.pem \
    a.test/leaf.key b.test b.test/chain.pem b.test/leaf.key
for name in a.test b.test; do
    openssl s_client -connect "127.0.0.1:$port" -servername $name -quiet \
        -verify_return_error -CAfile $name/root.pem \
        -verify_hostname $name >out 2>err </dev/null
    [ $? -eq 0 ] && [ "$(cat out)" = "this is $name" ]
    ok $? "hosts: who asks for $name gets its certificate and its answer"
done
openssl s_client -connect "127.0.0.1:$port" -noservername -quiet \
    -verify_return_error -CAfile a.test/root.pem -verify_hostname a.test \
    >out 2>err </dev/null
[ $? -eq 0 ] && [ "$(cat out)" = "this is " ]
ok $? "hosts: who asks for none gets the first"
openssl s_client -connect "127.0.0.1:$port" -servername a.test -quiet \
    -verify_return_error -CAfile b.test/root.pem >out 2>err </dev/null
[ $? -ne 0 ] && [ ! -s out ]
ok $? "hosts: and no other"

started "$bin/example_both" 127.0.0.1:0 $mine
talk "$bin/example_connect" "localhost:$port"
[ $rc -eq 0 ] && [ "$(cat out)" = "hello by TLS" ]
ok $? "both: TLS is answered by TLS"
bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" && echo hello >&3 && cat <&3' \
    "$port" >out 2>err
[ "$(cat out)" = "hello by plaintext" ]
ok $? "both: plaintext on the same port by plaintext"

started "$bin/example_early" serve $mine
for want in 'in time' early; do
    talk "$bin/example_early" "localhost:$port" sessions
    [ $rc -eq 0 ] && [ "$(cat out)" = "$want: hello" ]
    ok $? "early: with the sessions of the run before, hello comes $want"
done
rm sessions
talk "$bin/example_early" "localhost:$port" sessions
[ $rc -eq 0 ] && [ "$(cat out)" = "in time: hello" ]
ok $? "early: without, it comes in time again"

print=$(openssl x509 -in localhost/leaf.pem -noout -fingerprint -sha256 |
    sed 's/.*=//; s/://g' | tr A-F a-f)
started "$bin/example_serve" 127.0.0.1:0 $mine
"$bin/example_pin" "127.0.0.1:$port" "sha256:$print" >out 2>err
[ $? -eq 0 ] && [ "$(cat out)" = hello ]
ok $? "pin: the fingerprint stands for CA and name"
other=$(echo "$print" | tr 0-9a-f 1-9a-f0)
"$bin/example_pin" "127.0.0.1:$port" "sha256:$other" >out 2>err
[ $? -eq 1 ] && [ ! -s out ] && grep -q "^expected.*$other" err &&
    grep -q "^found.*$print" err
ok $? "pin: another one is refused, and both are shown"

started "$bin/example_downgrade" serve $mine
talk "$bin/example_downgrade" "localhost:$port"
[ $rc -eq 0 ] && [ "$(cat out)" = "done" ]
ok $? "downgrade: from TLS back to plaintext"
started "$bin/example_downgrade" serve $mine
"$bin/example_downgrade" "localhost:$port" >out 2>err
[ $? -eq 1 ] && [ -s err ] && [ ! -s out ]
ok $? "downgrade: no password for whom nobody vouches"

started "$bin/example_over" serve $mine
talk "$bin/example_over" "localhost:$port" localhost
[ $rc -eq 0 ] && [ "$(cat out)" = hello ]
ok $? "over: TLS within TLS"
started "$bin/example_over" serve $mine
talk "$bin/example_over" "localhost:$port" other.test
[ $rc -eq 1 ] && [ ! -s out ] && grep -q other.test err
ok $? "over: the inner one has a name of its own"

finish
