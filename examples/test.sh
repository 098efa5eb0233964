#!/bin/sh
# test.sh BUILD - the examples do what their first lines say. TAP.
set -u
bin=$(cd "$1" && pwd)
dir=$(mktemp -d) || exit 1
pids=
n=0
failed=0

clean_up() {
    for p in $pids; do
        kill "$p" 2>/dev/null
    done
    wait
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

ok() { # RESULT CLAIM
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $n - $2"
        return
    fi
    echo "not ok $n - $2"
    sed 's/^/# /' out err
    failed=1
}

serve() { # CERT KEY: sets $port
    rm -f pipe
    mkfifo pipe
    "$bin/example_serve" 127.0.0.1:0 "$1" "$2" >pipe 2>log &
    pids="$pids $!"
    port=
    read -r port <pipe
}

cd "$dir" || exit 1
unset SSL_CERT_FILE SSL_CERT_DIR

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

echo "1..$n"
exit $failed
