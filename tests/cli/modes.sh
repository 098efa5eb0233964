#!/bin/sh
# modes: with the loosest umask what holds a secret is closed to others, from
# its first moment on, under a temporary name as well.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
shim=${TLSOCK_SHIM_LIB:?set TLSOCK_SHIM_LIB to the library}
umask 0
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0"
made=$dir/made
real=$tlsock
cat >tool <<END
#!/bin/sh
TLSOCK_SHIM=modes TLSOCK_SHIM_MARK='$made' LD_PRELOAD='$shim' exec '$real' "\$@"
END
chmod 700 tool
tlsock=$dir/tool

mode() { stat -c %a "$1"; }
# What may be open to others from its first moment on, by name.
public='(\.pem|\.der|\.crt|/index|(^|/)i?port)$'
none_is_open() { # NAME: of what was made since the last time
    [ -s "$made" ] && awk -v public="$public" '
        $1 !~ /^[0-7]?[0-7]00$/ &&
            ($2 !~ public || $2 ~ /acme/) { print; bad = 1 }
        END { exit bad }' "$made" >log
    ok $? "$1: nothing is made open to others"
    rm -f "$made"
}
are() { # MODE FILE...
    want=$1
    shift
    for f; do
        [ "$(mode "$f")" = "$want" ]
        ok $? "$f has mode $want"
    done
}

run ca init --dir ca
none_is_open "ca init"
are 700 ca
are 600 ca/ca.key
are 644 ca/ca.pem ca/index
run cert new app.test
none_is_open "cert new"
are 600 app.test.key
are 644 app.test.pem
echo secret >pw
run cert convert app.test.pem --key app.test.key --to p12 --out-pass file:pw \
    --out app.p12
[ "$rc" -eq 0 ] && are 600 app.p12
rm -f "$made"
run cert csr other.test
none_is_open "cert csr"
are 600 other.test.key
run ca crl --dir ca
none_is_open "ca crl"
are 644 ca/crl.pem
if "$tlsock" version | grep -q '+acme'; then
    rm -f "$made"
    start '^ready +http://127.0.0.1:(\d+)' "$tlsock" ca serve 127.0.0.1:0 \
        --dir ca --acme
    stop
    wait "$watcher"
    none_is_open "ca serve --acme"
    are 600 ca/acme.pem
fi
run testpki pki
rm -f "$made" # a directory of its own, 0700
are 700 pki
are 600 pki/good.key

# what connections leave
serve --cert pki/good.pem --key pki/good.key --pcap serve.pcapng \
    --keylog serve.keys
echo hello | TLSOCK_TRACE="$dir/trace" timeout 60 "$tlsock" connect \
    --ca pki/root.pem --name app.test --session sessions --pcap c.pcapng \
    --keylog c.keys "127.0.0.1:$port" >out 2>err
ok $? "a connection that leaves all there is"
stop
none_is_open "serve and connect"
are 600 serve.pcapng serve.keys sessions c.pcapng c.keys trace

serve --cert pki/good.pem --key pki/good.key
export XDG_CACHE_HOME="$dir/cache"
interceptor icept.out icept.err --log log.ndjson --har all.har \
    --html page.html --bodies bodies --pcap i.pcapng --keylog i.keys \
    --ca pki/root.pem --to "127.0.0.1:$port" --name app.test
printf 'GET / HTTP/1.0\r\n\r\n' | timeout 60 "$tlsock" connect \
    --ca "$XDG_DATA_HOME/tlsock/intercept/ca.pem" --name app.test \
    "127.0.0.1:$proxy" >out 2>err
ok $? "an interceptor that keeps all there is"
end
stop
none_is_open "intercept"
are 600 log.ndjson all.har page.html i.pcapng i.keys \
    "$XDG_DATA_HOME/tlsock/intercept/ca.key"
are 700 bodies "$XDG_DATA_HOME/tlsock/intercept" cache/tlsock/intercept
find bodies cache -type f ! -perm 600 >log
[ ! -s log ] && find cache -type f | grep -q .
ok $? "what went through, and copies of certificates with their keys, too"
finish
