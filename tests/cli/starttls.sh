#!/bin/sh
# STARTTLS: connect and serve with each other and with openssl, by every
# protocol; servers that have none, refuse it or cheat; the way back out of TLS.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir data
"$tlsock" ca init >err 2>&1 && "$tlsock" cert new app.test >err 2>&1
ca=$dir/data/tlsock/ca/ca.pem
id="--cert app.test.pem --key app.test.key"
head -c 300000 /dev/urandom >big

talk() { # ARGS...: stdin to the server, its answer to out
    timeout 60 "$tlsock" connect --ca "$ca" --ip 127.0.0.1 "$@" >out 2>err
    rc=$?
}

for p in smtp lmtp imap pop3 ftp ldap nntp sieve xmpp irc postgres mysql \
    xmpp-server http mariadb; do
    serve $id --starttls $p --show-client
    talk --starttls $p "app.test:$port" <big
    [ "$rc" -eq 0 ] && cmp -s big out
    ok $? "$p: connect and serve"
    case $p in
    http | mariadb | xmpp-server) ;;
    *)
        talk "$p://app.test:$port" <big
        [ "$rc" -eq 0 ] && cmp -s big out
        ok $? "$p://"
        run connect --json --ca "$ca" --ip 127.0.0.1 "$p://app.test:$port"
        [ "$rc" -eq 0 ] && grep -q "\"starttls\":\"$p\"" out &&
            grep -q '"state":"tls"' out
        ok $? "$p in JSON"
        ;;
    esac
    run connect --ca "$ca" --ip 127.0.0.1 --name other.test --starttls $p \
        "app.test:$port"
    refused "$p: the name is checked" 5 name-mismatch 'other.test' .
    case $p in
    http | mariadb) ;;
    *)
        printf 'hello\n' | timeout 60 openssl s_client -starttls $p \
            -connect "127.0.0.1:$port" -servername app.test -xmpphost app.test \
            -CAfile "$ca" -verify_return_error -verify_hostname app.test \
            -quiet -no_ign_eof >out 2>err
        printf 'x' | timeout 60 openssl s_client -starttls $p \
            -connect "127.0.0.1:$port" -servername app.test -xmpphost app.test \
            -CAfile "$ca" -verify_return_error -verify_hostname app.test \
            >out 2>err
        grep -q 'Verify return code: 0' out
        ok $? "$p: openssl s_client"
        ;;
    esac
    grep -q 'client   #1 .*TLSv1.3 ' serve.out &&
        grep -q "; STARTTLS $p\$" serve.out
    ok $? "$p: --show-client"
    stop
done

serve $id --starttls smtp --exec -- tr a-z A-Z
printf 'shout\n' >in
talk <in -v "smtp://app.test:$port"
[ "$(cat out)" = SHOUT ]
ok $? "--exec behind STARTTLS"
grep -q '^way  *STARTTLS smtp$' err
ok $? "-v shows it"
talk --starttls smtp:my.name.test -v "https://app.test:$port" <big
ok "$rc" "an argument; --starttls goes before the URL's scheme"
run connect --ca "$ca" --ip 127.0.0.1 --repeat 3 -v "smtp://app.test:$port"
[ "$rc" -eq 0 ] && [ "$(grep -c 'resumed session' err)" -eq 2 ]
ok $? "--repeat 3: sessions are resumed"
run cert show --ip 127.0.0.1 "smtp://app.test:$port"
[ "$rc" -eq 0 ] && grep -q app.test out
ok $? "cert show"
stop
serve $id --starttls smtp
to=$port
start 'port (\d+)' perl "$here/proxy.pl" http
timeout 60 "$tlsock" connect --ca "$ca" --proxy "http://127.0.0.1:$port" \
    "smtp://app.test:$to" <big >out 2>err
[ "$?" -eq 0 ] && cmp -s big out
ok $? "through a proxy"
run connect --json --ca "$ca" --proxy "http://127.0.0.1:$port" \
    "smtp://app.test:$to"
grep -q '"starttls":"smtp","proxy":\["http:' out
ok $? "JSON has both"
stop
printf 'EHLO x\r\nQUIT\r\n' | perl "$here/talk.pl" "$to" >out
grep -q '^221' out
ok $? "a client may leave without TLS"

says() { # EXIT SLUG CAUSE-REGEX NAME TEXT...: what a server says to smtp://
    want=$1 slug=$2 cause=$3 name=$4
    shift 4
    start 'port (\d+)' perl "$here/peer_tls.pl" say "$@"
    run connect --ca "$ca" --timeout 20s --name app.test \
        "smtp://127.0.0.1:$port"
    refused "$name" "$want" "$slug" "$cause" .
    run connect --json --ca "$ca" --timeout 20s --name app.test \
        "smtp://127.0.0.1:$port"
    [ "$rc" -eq "$want" ] && grep -Eq "\"code\":\"($slug)\"" out &&
        grep -q '"phase":"starttls"' out
    ok $? "in JSON: $name"
    stop
}
says 4 starttls-unavailable . "STARTTLS is not offered" \
    '220 mx ESMTP\r\n' '250-mx\r\n250 SIZE\r\n' '221 bye\r\n'
says 4 starttls-refused '454' "STARTTLS is refused" \
    '220 mx ESMTP\r\n' '250-mx\r\n250 STARTTLS\r\n' '454 not now\r\n'
says 4 injection . "plaintext behind the server's go-ahead" \
    '220 mx ESMTP\r\n' '250-mx\r\n250 STARTTLS\r\n' '220 go\r\n250 injected\r\n'
says 4 '(protocol|starttls-[a-z]*)' . "another protocol" '+OK ready\r\n' '-ERR\r\n'
says 4 '(closed-in-handshake|starttls-[a-z]*)' '554' "the server wants nobody" \
    '554 go away\r\n'
start 'port (\d+)' perl "$here/peer.pl" silent
run connect --ca "$ca" --timeout 300ms --name app.test "smtp://127.0.0.1:$port"
refused "the server is silent" 7 timeout . .
stop
serve $id
run connect --ca "$ca" --timeout 500ms --ip 127.0.0.1 "smtp://app.test:$port"
[ "$rc" -eq 7 ] || [ "$rc" -eq 4 ]
ok $? "a server that begins with TLS"
stop

serve $id --starttls smtp --once
printf 'EHLO x\r\nSTARTTLS\r\nMAIL FROM:<x>\r\n' |
    perl "$here/talk.pl" "$port" >out
wait "$server"
[ "$?" -eq 4 ] && grep -q ': injection$' log
ok $? "serve: plaintext behind STARTTLS is refused"
serve $id --starttls smtp --once
printf 'EHLO x\r\n' | perl "$here/talk.pl" "$port" >out
wait "$server"
[ "$?" -eq 4 ]
ok $? "serve: a client that ends before it"

# opportunistic
start 'port (\d+)' perl "$here/peer_tls.pl" say '220 mx ESMTP\r\n' \
    '250-mx\r\n250 SIZE\r\n' '250 ok\r\n' '221 bye\r\n'
printf 'NOOP\r\nQUIT\r\n' | timeout 60 "$tlsock" connect -o \
    starttls=opportunistic --ca "$ca" --name app.test -q \
    "smtp://127.0.0.1:$port" >out 2>err
[ "$?" -eq 0 ] && grep -q '^221 bye' out
ok $? "starttls=opportunistic goes on without TLS"
grep -q 'WARNING: not encrypted' err
ok $? "and says so, even with -q"
run connect -o starttls=opportunistic --ca "$ca" --name app.test --json \
    "smtp://127.0.0.1:$port"
[ "$rc" -eq 0 ] && grep -q '"state":"plain"' out &&
    grep -q '"verified":false' out && grep -q 'WARNING: not encrypted' err
ok $? "in JSON: plain, not verified"
printf 'QUIT\r\n' | timeout 60 "$tlsock" connect -o starttls=opportunistic \
    -v --ca "$ca" --name app.test "smtp://127.0.0.1:$port" >out 2>err
grep -q '^security .*NOT ENCRYPTED' err
ok $? "-v: NOT ENCRYPTED"
stop
serve $id --starttls smtp
talk -o starttls=opportunistic "smtp://app.test:$port" <big
[ "$rc" -eq 0 ] && cmp -s big out && [ ! -s err ]
ok $? "with TLS there is nothing to warn of"
run connect -o starttls=opportunistic --ca "$ca" --ip 127.0.0.1 \
    --name other.test "smtp://app.test:$port"
refused "and the server is verified" 5 name-mismatch . .
stop

# out of TLS again
start 'port (\d+)' perl "$here/peer_tls.pl" ccc app.test.pem app.test.key
printf 'USER a\r\nLONG\r\nCCC\r\nNOOP\r\nQUIT\r\n' >in
talk <in --downgrade-after '200 CCC' "app.test:$port"
[ "$rc" -eq 0 ] && [ "$(wc -l <out)" -eq 7 ] && grep -q '^211 USER in TLS' out &&
    grep -q '^211 NOOP in plaintext' out && grep -q '^211 QUIT in plaintext' out
ok $? "--downgrade-after: what was typed ahead goes out after TLS has ended"
grep -q 'WARNING: not encrypted' err
ok $? "and the end of TLS is told"
printf 'USER a\r\nQUIT\r\n' >in
talk <in --downgrade-after '200 CCC' "app.test:$port"
[ "$rc" -eq 0 ] && grep -q '^211 QUIT in TLS' out && [ ! -s err ]
ok $? "without the word TLS stays"
printf 'CCC\r\n' >in
talk <in --downgrade-after '200 CCC' --tls 1.2 "app.test:$port"
[ "$rc" -eq 0 ] && grep -q '^200 CCC' out && grep -q WARNING err
ok $? "TLS 1.2, and the end of input right there"
for v in 1.2 1.3; do
    for i in 1 2 3 4 5; do
        printf 'QUIT\r\n' >in
        talk <in --tls $v "app.test:$port"
        [ "$rc" -eq 0 ] && grep -q '^211 QUIT in TLS' out || break
    done
    ok $? "TLS $v: a server that closes after its last word is heard out"
done
printf 'NOOP\r\nQUIT\r\n' >in
talk <in --half-close never "app.test:$port"
[ "$rc" -eq 0 ] && grep -q '^211 QUIT in TLS' out
ok $? "--half-close never"
stop
serve $id --exec -- sh -c 'cat >/dev/null; echo over'
for how in now quiet; do
    printf 'x' >in
    talk <in --half-close $how "app.test:$port"
    [ "$rc" -eq 0 ] && [ "$(cat out)" = over ]
    ok $? "--half-close $how: a server that waits for the end is told of it"
done
stop
start 'port (\d+)' perl "$here/peer_tls.pl" cut app.test.pem app.test.key
printf 'CCC\r\nQUIT\r\n' >in
talk <in --downgrade-after '200 CCC' "app.test:$port"
[ "$rc" -eq 4 ] && grep -q ': truncated$' err && grep -q '^200 CCC' out &&
    ! grep -q WARNING err
ok $? "a cut is no end of TLS"
stop

bad() { # CAUSE-REGEX FIX-REGEX ARGS...
    cause=$1
    valid=$2
    shift 2
    run "$@"
    [ "$rc" -eq 2 ] && grep -Eq "^  cause: .*($cause)" err &&
        grep -Eq -- "$valid" err
    ok $? "refused: tlsock $*"
}
t=127.0.0.1:9
bad 'gopher' 'smtp.*imap' connect --starttls gopher $t
bad 'gopher' 'smtp.*imap' serve $id --starttls gopher :0
bad 'after the colon' 'PROTO:ARG' connect --starttls smtp: $t
bad 'before the colon' 'PROTO:ARG' connect --starttls :x $t
bad . . connect --starttls "$(printf 'smtp:a\001b')" $t
bad 'maybe' 'opportunistic' connect -o starttls=maybe $t
bad 'whenever' 'quiet, now or never' connect --half-close whenever $t
bad 'data' 'leave one' connect --downgrade-after x --repeat 2 $t
bad 'empty' . connect --downgrade-after= $t
finish
