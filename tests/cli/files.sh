#!/bin/sh
# serve --files: what is answered to good requests, to hostile ones, and what
# lies outside of the directory or is hidden in it.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir -p data site/sub/deep site/list site/.well-known site/.git outside
"$tlsock" ca init >err 2>&1 && "$tlsock" cert new app.test >err 2>&1
ca=$dir/data/tlsock/ca/ca.pem
printf 'hello\n' >site/a.txt
printf '<p>index\n' >site/sub/index.html
printf 'deep\n' >site/sub/deep/d.json
printf 'secret\n' >outside/secret
printf 'secret\n' >site/.git/config
printf 'token\n' >site/.well-known/token
printf 'odd\n' >"site/list/<b>&\"%41 x.txt"
ln -s ../outside site/out
ln -s ../outside/secret site/secret
ln -s a.txt site/inside
mkfifo site/fifo
: >site/empty
head -c 3000000 /dev/urandom >site/big.bin
serve --files site --cert app.test.pem --key app.test.key --show-client

talk() { # stdin to the server, its answer to out
    timeout 60 "$tlsock" connect --ca "$ca" --name app.test \
        "127.0.0.1:$port" >out 2>err
    rc=$?
}
# STATUS WHAT REQUEST (as printf takes it): one answer with this status
request() {
    printf "$3" >in
    talk <in
    [ "$rc" -eq 0 ] && head -1 out | grep -q "^HTTP/1.1 $1 " &&
        ! grep -q secret out
    ok $? "$1: $2"
}
get() { # STATUS PATH (as printf takes it)
    request "$1" "$(printf '%s' "$2" | tr -d '\n' | cut -c 1-60)" \
        "GET $2 HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n"
}
body() { # what follows the head of the answer
    perl -0777 -ne 's/^.*?\r\n\r\n//s; print' out
}

get 200 /a.txt
[ "$(body)" = hello ] && grep -q '^Content-Type: text/plain' out &&
    grep -q '^Content-Length: 6' out && grep -q '^Date: .* GMT' out &&
    grep -q '^Connection: close' out && grep -q '^Last-Modified: ' out
ok $? "with type, length and dates"
get 200 /big.bin
body >got
cmp -s got site/big.bin
ok $? "three megabytes, unchanged"
get 200 /empty
grep -q '^Content-Length: 0' out && [ -z "$(body)" ]
ok $? "an empty file is empty"
get 200 /sub/deep/d.json
grep -q '^Content-Type: application/json' out
ok $? "its type"
get 200 /sub/
[ "$(body)" = '<p>index' ]
ok $? "index.html stands for its directory"
get 301 /sub
grep -q '^Location: /sub/' out
ok $? "a directory ends with a slash"
get 301 //sub
grep -q '^Location: /sub/' out
ok $? "and never becomes another host"
get 200 /list/
grep -q 'href="./%%3Cb%%3E%%26%%22%%2541%%20x.txt"' out ||
    grep -q 'href="./%3Cb%3E%26%22%2541%20x.txt"' out
ok $? "a listing quotes names in links"
! grep -q '<b>' out && grep -q '&#60;b&#62;' out
ok $? "and in text"
get 200 '/list/%%3Cb%%3E%%26%%22%%2541%%20x.txt'
[ "$(body)" = odd ]
ok $? "percent-encoding is undone once"
get 200 '/a.txt?x=1/../..'
get 200 /.well-known/token
get 200 /
grep -q 'a.txt' out && ! grep -Eq '\.git|inside|"./out|fifo' out
ok $? "what is not served is not listed"
mkdir site/most && (cd site/most && seq 10000 | xargs touch)
for more in 0 1; do
    [ "$more" -eq 0 ] || : >site/most/10001
    get 200 /most/
    [ "$(grep -c '^<li>' out)" -eq 10001 ] &&
        [ "$(grep -c '^<p>and more' out)" -eq "$more" ]
    ok $? "of a huge directory as much as is shown, and whether there is more: $more"
done
rm -r site/most
request 200 "another name for it" \
    'GET https://app.test/a.txt HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n'
request 200 "HTTP/1.0" 'GET /a.txt HTTP/1.0\r\n\r\n'
request 200 "bare LF" 'GET /a.txt HTTP/1.0\n\n'
request 200 "empty lines first" '\r\n\r\nGET /a.txt HTTP/1.0\r\n\r\n'
request 200 "no content by its length" \
    'GET /a.txt HTTP/1.0\r\nContent-Length: 0\r\n\r\n'
request 200 "HEAD" 'HEAD /a.txt HTTP/1.0\r\n\r\n'
grep -q '^Content-Length: 6' out && [ -z "$(body)" ]
ok $? "HEAD has the length, and no content"
request 404 "HEAD" 'HEAD /none HTTP/1.0\r\n\r\n'
[ -z "$(body)" ]
ok $? "nor has a refused HEAD"

# one connection, several requests
printf 'GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\nGET /none HTTP/1.1\r\nHost: a\r\n\r\nHEAD /big.bin HTTP/1.1\r\nHost: a\r\n\r\nGET /sub/ HTTP/1.1\r\nHost: a\r\n\r\n' >in
talk <in
[ "$rc" -eq 0 ] && [ "$(grep -ac '^HTTP/1.1 200' out)" -eq 3 ] &&
    [ "$(grep -ac '^HTTP/1.1 404' out)" -eq 1 ] && tail -1 out | grep -q index
ok $? "keep-alive: four requests at once, four answers"
printf 'GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /a.txt HTTP/1.0\r\n\r\nGET /a.txt HTTP/1.0\r\n\r\n' >in
talk <in
[ "$(grep -c '^HTTP/1.1 200' out)" -eq 2 ] &&
    [ "$(grep -c '^Connection: keep-alive' out)" -eq 1 ]
ok $? "HTTP/1.0 goes on only if it asks to, and ends when it does not"
perl -e '$| = 1; for (split //, "GET /a.txt HTTP/1.0\r\n\r\n")
    { print; select(undef, undef, undef, 0.001) }' | talk
head -1 out | grep -q ' 200 '
ok $? "a request byte by byte"

for path in /none /a.txt/ /sub/none /.git/config /.git/ '/%%2egit/config' \
    /sub/.hidden "/$(perl -e 'print "n" x 300')"; do
    get 404 "$path"
done
for path in /../outside/secret /sub/../../outside/secret '/..' '/./a.txt' \
    '/%%2e%%2e/outside/secret' '/.%%2e/outside/secret' /out/secret /secret \
    /inside /fifo; do
    get 403 "$path"
done
for path in '/%%2foutside' '/..%%2foutside' '/a%%00.txt' '/%%zz' '/%%4' \
    '/a\001' '/a%%0d%%0aX:y' '/a#b' 'a.txt' '*' 'ftp://x/' '\\a.txt'; do
    get 400 "$path"
done
get 414 "/$(perl -e 'print "a" x 9000')"
get 414 "/$(perl -e 'print "a" x 3000')"
perl -e 'print "a" x 20000' | talk
head -1 out | grep -q ' 414 '
ok $? "414: no end of line"
request 431 "too many header fields" \
    "GET / HTTP/1.0\r\n$(perl -e 'print "X: y\\r\\n" x 5000')\r\n"
request 431 "a header field too long" \
    "GET / HTTP/1.0\r\nX: $(perl -e 'print "y" x 17000')\r\n\r\n"
for method in POST PUT DELETE OPTIONS get; do
    request 405 "$method" "$method / HTTP/1.0\r\n\r\n"
done
grep -q '^Allow: GET, HEAD' out
ok $? "405 says what is allowed"
request 405 "POST with content" 'POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc'
request 413 "content" 'GET / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc'
request 413 "chunked content" \
    'GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
request 505 "another version" 'GET / HTTP/2.0\r\n\r\n'
while IFS='|' read -r what text; do
    request 400 "$what" "$text"
done <<'END'
no version|GET /\r\n\r\n
no target|GET HTTP/1.1\r\n\r\n
two spaces|GET  / HTTP/1.0\r\n\r\n
words behind|GET / HTTP/1.0 x\r\n\r\n
a CR within|GET /\r HTTP/1.0\r\n\r\n
not HTTP|GET / HTTX/1.0\r\n\r\n
a letter as a version|GET / HTTP/1.x\r\n\r\n
no method| / HTTP/1.0\r\n\r\n
no host|GET / HTTP/1.1\r\n\r\n
two hosts|GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n
a folded field|GET / HTTP/1.0\r\nX: y\r\n z\r\n\r\n
a space before the colon|GET / HTTP/1.0\r\nContent-Length : 5\r\n\r\n
no colon|GET / HTTP/1.0\r\nX\r\n\r\n
no name|GET / HTTP/1.0\r\n: y\r\n\r\n
a CR in a field|GET / HTTP/1.0\r\nX: a\rb\r\n\r\n
a NUL in a field|GET / HTTP/1.0\r\nX: a\000b\r\n\r\n
two lengths|GET / HTTP/1.0\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n
a length that is none|GET / HTTP/1.0\r\nContent-Length: +0\r\n\r\n
an empty length|GET / HTTP/1.0\r\nContent-Length:\r\n\r\n
END
[ "$(grep -c '^HTTP/' out)" -eq 1 ]
ok $? "behind a broken request nothing is believed"
printf 'GET / HT' >in
talk <in
[ "$rc" -eq 0 ] && [ ! -s out ]
ok $? "half a request has no answer"
grep -q '^request  #1 200 /a.txt  6 bytes' serve.out
ok $? "--show-client tells of requests"

# a file that gets shorter while it is sent
perl -e 'open(F, ">", $ARGV[0]); truncate(F, 200000000)' site/huge
mkfifo answer
printf 'GET /huge HTTP/1.0\r\n\r\n' >in
timeout 60 "$tlsock" connect --ca "$ca" --name app.test "127.0.0.1:$port" \
    <in >answer 2>err &
client=$!
exec 4<answer
head -c 100 <&4 >got
: >site/huge
cat <&4 >rest
exec 4<&-
wait "$client"
[ "$(wc -c <rest)" -lt 200000000 ] && grep -q 'became shorter' log
ok $? "a file that gets shorter is not passed off as whole"

if command -v curl >err 2>&1; then
    [ "$(timeout 60 curl -sS --cacert "$ca" --resolve \
        "app.test:$port:127.0.0.1" "https://app.test:$port/a.txt" \
        "https://app.test:$port/sub/" -o got -o got -w '%{num_connects}' \
        2>err)" = 10 ]
    ok $? "curl keeps its connection"
else
    skip "curl keeps its connection" "it is not there"
fi
for i in $(seq 8); do
    curl -sS --cacert "$ca" --resolve "app.test:$port:127.0.0.1" \
        -o "many.$i" "https://app.test:$port/big.bin" 2>err &
    pids="$pids $!"
    many="${many:-} $!"
done
rc=0
wait $many
for i in $(seq 8); do
    cmp -s site/big.bin "many.$i" || rc=1
done
ok "$rc" "eight downloads at once"
stop
[ "$server_rc" -eq 0 ]
ok $? "and a clean end"

# clients that let us wait
serve --files site --cert app.test.pem --key app.test.key --timeout 300ms
mkfifo hold
idle() { # NAME BYTES: they are sent, and then nothing
    timeout 60 "$tlsock" connect --ca "$ca" --name app.test "127.0.0.1:$port" \
        <hold >out 2>err &
    client=$!
    exec 4>hold
    printf "$2" >&4
    wait "$client"
    ok $? "$1: is let go"
    exec 4>&-
}
idle "a client that asks for nothing" ''
idle "one that has had its answer" 'GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n'
grep -q '^hello' out && [ ! -s log ]
ok $? "and neither is a failure"
idle "one with half a request" 'GET /a.t'
grep -q ': timeout$' log
ok $? "which is one"
: >log
perl -e 'open(F, ">", $ARGV[0]); truncate(F, 200000000)' site/huge
rm -f answer
mkfifo answer
printf 'GET /huge HTTP/1.0\r\n\r\n' >in
timeout 60 "$tlsock" connect --ca "$ca" --name app.test "127.0.0.1:$port" \
    <in >answer 2>err &
client=$!
exec 4<answer
timeout 60 sh -c 'until grep -q ": timeout$" "$1"; do :; done' sh log
ok $? "one that does not read: is let go"
cat <&4 >rest
exec 4<&-
wait "$client"
[ "$(wc -c <rest)" -lt 200000000 ]
ok $? "without the whole of it"
stop
finish
