#!/bin/sh
# connect --proxy: HTTP and SOCKS5, with and without a password, one behind the
# other, in TLS; --ip and --local; and what the failures say.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir data
"$tlsock" ca init >err 2>&1 && "$tlsock" cert new app.test localhost --out app.test >err 2>&1
ca=$dir/data/tlsock/ca/ca.pem
id="--cert app.test.pem --key app.test.key"
head -c 1000000 /dev/urandom >big
serve $id --show-client
to=$port
proxy() { # ARGS...: starts it; its port goes to $port, its log to log
    start 'port (\d+)' perl "$here/proxy.pl" "$@"
}
talk() { # ARGS...: stdin through to the server, its answer to out
    timeout 60 "$tlsock" connect --ca "$ca" "$@" >out 2>err
    rc=$?
}
through() { # NAME PROXY
    talk --proxy "$2" "app.test:$to" <big
    [ "$rc" -eq 0 ] && cmp -s big out
    ok $? "$1"
}

proxy http
http=$port
through "HTTP" "http://127.0.0.1:$http"
grep -q "asked for app.test:$to" log
ok $? "which resolves the name"
printf 'x' | talk --proxy "http://127.0.0.1:$http" -v "app.test:$to"
grep -q "^way  *through http://127.0.0.1:$http\$" err
ok $? "-v shows the way"
proxy socks5
socks=$port
through "SOCKS5, names resolved there" "socks5h://127.0.0.1:$socks"
grep -q "asked for app.test:$to" log
ok $? "which resolves the name"
talk --name app.test --proxy "socks5://127.0.0.1:$socks" "localhost:$to" <big
[ "$rc" -eq 0 ] && cmp -s big out
ok $? "SOCKS5, names resolved here"
grep -q "asked for 127.0.0.1:$to" log
ok $? "which gets an address"
through "SOCKS5 behind HTTP" "http://127.0.0.1:$http,socks5h://127.0.0.1:$socks"
through "HTTP behind SOCKS5" \
    "socks5h://127.0.0.1:$socks, http://127.0.0.1:$http"
printf 'x' | talk --proxy "http://127.0.0.1:$http,socks5h://127.0.0.1:$socks" \
    -v "app.test:$to"
grep -q "^way .*http://127.0.0.1:$http > socks5h://127.0.0.1:$socks" err
ok $? "-v shows the whole way"
run connect --ca "$ca" --json --proxy "http://127.0.0.1:$http" "app.test:$to"
[ "$rc" -eq 0 ] && grep -q "\"proxy\":\[\"http://127.0.0.1:$http\"\]" out
ok $? "--json too"
run connect --ca "$ca" --repeat 3 -v --proxy "http://127.0.0.1:$http" \
    "app.test:$to"
[ "$rc" -eq 0 ] && [ "$(grep -c 'resumed session' err)" -eq 2 ]
ok $? "--repeat 3: sessions are resumed through a proxy"
run connect --ca "$ca" --name other.test --proxy "http://127.0.0.1:$http" \
    "app.test:$to"
refused "the target is verified as ever" 5 name-mismatch 'other.test' .
run cert show --proxy "http://127.0.0.1:$http" "app.test:$to"
[ "$rc" -eq 0 ] && grep -q 'app.test' out
ok $? "cert show"

proxy http user:s3cr3t
auth=$port
through "HTTP with a password" "http://user:s3cr3t@127.0.0.1:$auth"
proxy socks5 user:s3cr3t
sauth=$port
through "SOCKS5 with a password" "socks5h://user:s3cr3t@127.0.0.1:$sauth"
export PROXY_URL="http://user:s3cr3t@127.0.0.1:$auth"
through "from the environment" env:PROXY_URL
printf '%s\r\nsecond line\n' "$PROXY_URL" >url
through "from a file" file:url
printf 'x' | talk --proxy env:PROXY_URL -v "app.test:$to"
! grep -q s3cr3t err && grep -q "through http://127.0.0.1:$auth\$" err
ok $? "-v keeps the password to itself"
run connect --ca "$ca" --json --proxy env:PROXY_URL "app.test:$to"
[ "$rc" -eq 0 ] && ! grep -q s3cr3t out
ok $? "so does --json"
for kind in http socks5h; do
    [ $kind = http ] && at=$auth || at=$sauth
    run connect --ca "$ca" --proxy "$kind://127.0.0.1:$at" "app.test:$to"
    refused "$kind: no password" 3 proxy-auth "127.0.0.1:$at" .
    run connect --ca "$ca" -v --proxy "$kind://user:wr0ng@127.0.0.1:$at" \
        "app.test:$to"
    refused "$kind: a wrong one" 3 proxy-auth "127.0.0.1:$at" .
    ! grep -q wr0ng err
    ok $? "which is not repeated"
    run connect --ca "$ca" --json --proxy "$kind://user:wr0ng@127.0.0.1:$at" \
        "app.test:$to"
    [ "$rc" -eq 3 ] && grep -q '"code":"proxy-auth"' out && ! grep -q wr0ng out
    ok $? "in JSON neither"
done

# TLS to the proxy: our own server, with the proxy as its program
serve $id --exec -- perl "$here/proxy.pl" stdio http user:s3cr3t
tlsproxy=$port
through "HTTP in TLS" "https://user:s3cr3t@localhost:$tlsproxy"
run connect --proxy "https://user:s3cr3t@localhost:$tlsproxy" "app.test:$to"
refused "whose certificate is verified" 5 '[a-z-]*' "localhost:$tlsproxy|proxy" .
through "SOCKS5 behind HTTP in TLS" \
    "https://user:s3cr3t@localhost:$tlsproxy,socks5h://127.0.0.1:$socks"
run connect --ca "$ca" --pin sha256:$(printf '0%.0s' $(seq 64)) \
    -o pin.mode=require --proxy "https://user:s3cr3t@localhost:$tlsproxy" \
    "app.test:$to"
refused "pins are for the target, not for the proxy" 5 pin 'app.test|pin' .
stop

proxy refuse http
run connect --ca "$ca" --proxy "http://127.0.0.1:$port" "app.test:$to"
refused "HTTP: refused" 3 proxy "127.0.0.1:$port.*403|403.*127.0.0.1:$port" .
stop
proxy refuse socks5
run connect --ca "$ca" --proxy "socks5h://127.0.0.1:$port" "app.test:$to"
refused "SOCKS5: refused" 3 proxy "127.0.0.1:$port" .
stop
run connect --ca "$ca" --proxy "http://127.0.0.1:$socks" "app.test:$to"
refused "HTTP to a SOCKS5 proxy" 3 proxy "127.0.0.1:$socks" .
run connect --ca "$ca" --proxy "socks5h://127.0.0.1:$http" --timeout 10s \
    "app.test:$to"
[ "$rc" -eq 3 ] || [ "$rc" -eq 7 ]
ok $? "SOCKS5 to an HTTP proxy"
run connect --ca "$ca" --proxy "http://127.0.0.1:$to" "app.test:$to"
refused "HTTP to a server of TLS" 3 proxy . .
dead=$(free_port)
run connect --ca "$ca" --proxy "http://127.0.0.1:$dead" "app.test:$to"
refused "a dead proxy" 3 '(connect|proxy)' "127.0.0.1:$dead" .
run connect --ca "$ca" --proxy \
    "http://127.0.0.1:$http,http://127.0.0.1:$dead" "app.test:$to"
refused "a dead one behind it" 3 proxy "127.0.0.1:$dead" .
start 'port (\d+)' perl "$here/peer.pl" silent
run connect --ca "$ca" --timeout 300ms --proxy "http://127.0.0.1:$port" \
    "app.test:$to"
refused "a silent one" 7 timeout . .
stop

bad() { # CAUSE-REGEX FIX-REGEX ARGS...
    cause=$1
    valid=$2
    shift 2
    run connect "$@"
    [ "$rc" -eq 2 ] && grep -Eq "^  cause: .*($cause)" err &&
        grep -Eq -- "$valid" err && ! grep -q s3cr3t err
    ok $? "refused: connect $(printf '%s ' "$@" | sed 's/s3cr3t/PASSWORD/')"
}
for url in nonsense ftp://host:1 socks4://host:1 http:// 'http://h:70000' \
    http://user:s3cr3t@ 'http://us%zzer:s3cr3t@h:1' \
    'http://h:1,,http://h:2' 'http://user:s3cr3t@h:1,nonsense'; do
    bad . 'http|socks5' --proxy "$url" "app.test:$to"
done
bad 'twice' 'URL,URL' --proxy http://h:1 --proxy http://h:2 "app.test:$to"
bad 'environment' 'env:NAME' --proxy env:NO_SUCH_PROXY "app.test:$to"
bad 'longer' . --proxy "http://$(perl -e 'print "h" x 9000')" "app.test:$to"
bad . . --name app.test --proxy http://127.0.0.1:1 "unix:$dir/sock"
run connect --proxy file:missing "app.test:$to"
refused "a file that is not there" 6 own-file missing 'file:FILE'
: >empty
run connect --proxy file:empty "app.test:$to"
refused "a file with nothing in it" 6 own-file empty 'file:FILE'

# --ip, --local
talk --ip 127.0.0.1 "app.test:$to" <big
[ "$rc" -eq 0 ] && cmp -s big out
ok $? "--ip: name and port stay those of the target"
talk --ip 127.0.0.1 "https://app.test:$to/path" <big
[ "$rc" -eq 0 ] && cmp -s big out
ok $? "--ip with a URL"
run connect --ca "$ca" --ip 127.0.0.1 "other.test:$to"
refused "--ip does not change who is asked for" 5 name-mismatch 'other.test' .
talk --ip 127.0.0.1 --name app.test "[2001:db8::1]:$to" <big
[ "$rc" -eq 0 ]
ok $? "--ip instead of an address, --name instead of it"
talk --ip 127.0.0.1 --proxy "http://127.0.0.1:$http" "app.test:$to" <big
[ "$rc" -eq 0 ]
ok $? "--ip through a proxy"
talk --local 127.0.0.1 --ip 127.0.0.1 "app.test:$to" <big
[ "$rc" -eq 0 ]
ok $? "--local"
run connect --ca "$ca" --local 192.0.2.77 --ip 127.0.0.1 "app.test:$to"
[ "$rc" -eq 3 ] || [ "$rc" -eq 6 ]
ok $? "--local with an address that is not ours"
for a in host 1.2.3 ::g 127.0.0.1:80 '[::1]'; do
    bad 'not a numeric address' '192.0.2.1' --ip "$a" "app.test:$to"
    bad 'not a numeric address' '192.0.2.1' --local "$a" "app.test:$to"
done
bad 'has none' 'HOST:PORT' --ip 127.0.0.1 "unix:$dir/sock"
bad 'has none' 'HOST:PORT' --ip 127.0.0.1 ":$to"
finish
