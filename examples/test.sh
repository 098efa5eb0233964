#!/bin/sh
# test.sh BUILD SERVER CLIENT... - the examples do what their first lines say;
# each CLIENT talks to many at once, those of SERVER. TAP.
. "$(dirname "$0")/lib.sh"
server=$2
shift 2

serve() { # CERT KEY: sets $port
    rm -f pipe
    mkfifo pipe
    "$bin/example_serve" 127.0.0.1:0 "$1" "$2" >pipe 2>log &
    pids="$pids $!"
    port=
    read -r port <pipe
}

repeat() { # N TEXT: it, so often
    i=0
    while [ "$i" -lt "$1" ]; do
        echo "$2"
        i=$((i + 1))
    done
}

serve_many() { # sets $port and $pid
    rm -f pipe
    mkfifo pipe
    case $server in
    *tlsock)
        "$bin/$server" serve 127.0.0.1:0 --cert chain.pem --key leaf.key \
            --port-file pipe >log 2>&1 </dev/null & ;;
    *)
        "$bin/$server" 127.0.0.1:0 chain.pem leaf.key >pipe 2>log & ;;
    esac
    pid=$!
    pids="$pids $pid"
    port=
    read -r port <pipe
}

"$bin/example_make_chain" localhost >out 2>err
[ $? -eq 0 ] && [ -s root.pem ] && [ -s chain.pem ] && [ -s leaf.pem ] &&
    [ "$(stat -c %a leaf.key)" = 600 ]
ok $? "make_chain writes certificates, and a key that others cannot read"

serve chain.pem leaf.key
SSL_CERT_FILE=root.pem "$bin/example_connect" "localhost:$port" >out 2>err
[ $? -eq 0 ] && [ "$(cat out)" = hello ]
ok $? "connect says hello and prints the answer"

"$bin/example_connect" "localhost:$port" >out 2>err
[ $? -eq 1 ] && [ -s err ] && [ ! -s out ]
ok $? "connect refuses a root it does not know"

yes 'a line of text' | head -c 1000000 >in
SSL_CERT_FILE=root.pem "$bin/example_poll_client" "localhost:$port" \
    <in >out 2>err && cmp -s in out
ok $? "poll_client carries a megabyte both ways in one loop"

"$bin/example_poll_client" "localhost:$port" </dev/null >out 2>err
[ $? -eq 1 ] && [ -s err ]
ok $? "poll_client refuses a root it does not know"

serve leaf.pem leaf.key
SSL_CERT_FILE=root.pem "$bin/example_connect" "localhost:$port" >out 2>err
[ $? -eq 1 ] && grep -q Intermediate err
ok $? "a server that sends the leaf alone is refused, the intermediate named"

"$bin/example_serve" 127.0.0.1:0 chain.pem root.pem >out 2>err
[ $? -eq 1 ] && [ -s err ]
ok $? "serve does not begin without a key"

rm -f pipe
mkfifo pipe
"$bin/example_keyserver" 127.0.0.1:0 chain.pem leaf.key >pipe 2>log &
pids="$pids $!"
read -r port <pipe
SSL_CERT_FILE=root.pem "$bin/example_connect" "localhost:$port" >out 2>err
[ $? -eq 0 ] && [ "$(cat out)" = hello ]
ok $? "keyserver serves with a key that another process has"

serve chain.pem leaf.key
SSL_CERT_FILE=root.pem "$bin/example_verify_hook" "localhost:$port" \
    'CN=Example Intermediate' >out 2>err
ok $? "verify_hook lets a chain through the right CA pass"
SSL_CERT_FILE=root.pem "$bin/example_verify_hook" "localhost:$port" \
    'CN=Another' >out 2>err
[ $? -eq 1 ] && [ -s err ]
ok $? "and refuses any other"

serve chain.pem leaf.key
for want in full resumed; do
    SSL_CERT_FILE=root.pem "$bin/example_resume" "localhost:$port" sessions \
        >out 2>err
    [ $? -eq 0 ] && [ "$(head -1 out)" = hello ] && grep -q "^$want," out
    ok $? "resume: a process with the file of the one before is $want"
done
SSL_CERT_FILE=root.pem "$bin/example_resume" "localhost:$port" others >out 2>err
[ $? -eq 0 ] && grep -q '^full,' out
ok $? "resume: one with another file is not"

started "$bin/example_starttls" serve chain.pem leaf.key
SSL_CERT_FILE=root.pem "$bin/example_starttls" "localhost:$port" >out 2>err
[ $? -eq 0 ] && [ "$(cat out)" = hello ]
ok $? "starttls goes from plaintext to TLS on both sides"
started "$bin/example_starttls" serve chain.pem leaf.key
"$bin/example_starttls" "localhost:$port" >out 2>err
[ $? -eq 1 ] && [ -s err ] && [ ! -s out ]
ok $? "starttls refuses a root it does not know"
started "$bin/example_starttls" serve chain.pem leaf.key
SSL_CERT_FILE=root.pem "$bin/example_connect" "localhost:$port" >out 2>err
[ $? -eq 1 ] && grep -q '220 ready' err
ok $? "and a client that begins with TLS is told of the plaintext"
serve chain.pem leaf.key
upstream=$port
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout mint.key -out mint.pem -subj '/CN=Mint' -days 2 2>/dev/null \
    -addext keyUsage=critical,keyCertSign
export SSL_CERT_FILE=root.pem
started "$bin/example_intercept" 127.0.0.1:0 "localhost:$upstream" mint.pem \
    mint.key
SSL_CERT_FILE=mint.pem "$bin/example_connect" "localhost:$port" >out 2>err
[ $? -eq 0 ] && [ "$(cat out)" = hello ]
ok $? "intercept shows a copy of the server's certificate, and relays"
"$bin/example_connect" "localhost:$port" >out 2>err
[ $? -eq 1 ] && [ -s err ] && [ ! -s out ]
ok $? "whoever does not trust its CA does not fall for it"
export SSL_CERT_FILE=mint.pem
started "$bin/example_intercept" 127.0.0.1:0 "localhost:$upstream" mint.pem \
    mint.key
"$bin/example_connect" "localhost:$port" >out 2>err
[ $? -eq 1 ] && [ ! -s out ]
ok $? "intercept vouches for no server that it cannot verify"
unset SSL_CERT_FILE

openssl rand -hex 32 >psk
openssl rand -hex 32 >other
started "$bin/example_psk" serve box psk
"$bin/example_psk" "127.0.0.1:$port" box psk >out 2>err
[ $? -eq 0 ] && [ "$(cat out)" = hello ]
ok $? "psk: who has the key is served, without a certificate"
started "$bin/example_psk" serve box psk
"$bin/example_psk" "127.0.0.1:$port" box other >out 2>err
[ $? -eq 1 ] && [ -s err ] && [ ! -s out ]
ok $? "psk: another key of the same name is refused"

case $server in *tlsock)
    tool=$bin/$server
    export XDG_DATA_HOME="$dir/data" HOME="$dir"
    "$tool" ca init >out 2>err
    ca=$dir/data/tlsock/ca/ca.pem
    "$tool" cert new localhost --out srv >out 2>err
    "$tool" cert new --client alice.test >out 2>err
    "$tool" cert new --client bob.test >out 2>err
    started "$bin/example_mutual" srv.pem srv.key "$ca" 'dns:alice.test'
    for who in alice bob; do
        "$tool" connect --ca "$ca" --cert $who.test.pem --key $who.test.key \
            "localhost:$port" >$who.out 2>$who.err </dev/null
        echo $? >$who.rc
    done
    cp bob.err err
    cp alice.out out
    grep -q 'you are .*alice.test' out
    ok $? "mutual knows a client that a rule lets in"
    [ "$(cat bob.rc)" -ne 0 ] && [ ! -s bob.out ]
    ok $? "and refuses another one of the same CA"

    rm -f pipe
    mkfifo pipe
    "$tool" ca serve 127.0.0.1:0 --port-file pipe >log 2>&1 </dev/null &
    pids="$pids $!"
    read -r at <pipe
    "$tool" cert new localhost --out rev --crl-url \
        "http://127.0.0.1:$at/crl" >out 2>err
    serve rev.pem rev.key
    SSL_CERT_FILE=$ca "$bin/example_revocation" "localhost:$port" >out 2>err
    [ $? -eq 0 ] && grep -q '/crl: answered' out && grep -q '^not revoked' out
    ok $? "revocation asks by HTTP of its own"
    "$tool" ca revoke rev.pem >out 2>err
    SSL_CERT_FILE=$ca "$bin/example_revocation" "localhost:$port" >out 2>err
    [ $? -eq 1 ] && grep -q 'was revoked on' err
    ok $? "and tells of a certificate that is revoked" ;;
esac

serve_many
dead=$port
kill "$pid"
wait "$pid"
serve_many
repeat 20 hello >hellos
for client in "$@"; do
    SSL_CERT_FILE=root.pem "$bin/example_$client" \
        $(repeat 20 "localhost:$port") >out 2>err
    [ $? -eq 0 ] && cmp -s out hellos
    ok $? "$client talks to 20 at once"

    SSL_CERT_FILE=root.pem "$bin/example_$client" "localhost:$dead" \
        $(repeat 20 "localhost:$port") "localhost:$dead" >out 2>err
    [ $? -eq 1 ] && cmp -s out hellos && [ "$(grep -c "$dead" err)" -eq 2 ]
    ok $? "$client tells of 2 dead ones and talks to the other 20"

    "$bin/example_$client" "localhost:$port" >out 2>err
    [ $? -eq 1 ] && [ -s err ] && [ ! -s out ]
    ok $? "$client refuses a root it does not know"
done

server=example_epoll_server
serve_many
SSL_CERT_FILE=root.pem "$bin/example_epoll_client" \
    $(repeat 20 "localhost:$port") >out 2>err && cmp -s out hellos
ok $? "epoll_server echoes to 20 at once"

for i in 1 2 3; do
    SSL_CERT_FILE=root.pem "$bin/example_poll_client" "localhost:$port" \
        <in >"out$i" 2>"err$i" &
    eval "client$i=$!"
done
result=0
for i in 1 2 3; do
    eval "wait \$client$i" && cmp -s in "out$i" || result=1
done
ok $result "epoll_server echoes a megabyte to each of 3"

"$bin/example_epoll_server" 127.0.0.1:0 chain.pem root.pem >out 2>err
[ $? -eq 1 ] && [ -s err ]
ok $? "epoll_server does not begin without a key"

finish
