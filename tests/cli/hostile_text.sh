#!/bin/sh
# hostile_text: escapes, line ends, other directions, C1 controls and malformed
# UTF-8 come in by every name there is; none reaches text, JSON, HTML or a log.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
make_pki
p=$dir/pki
evil=$(printf 'e\033[31m\033]0;x\007\r\nFAKE\302\233\342\200\256\330\234\300\257\377z')

# Of all files together: none of it raw, and an escape that shows it was there.
perl_raw='[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xd8\x9c|\xc0\xaf|\xff|^FAKE'
is_raw() {
    perl -0777 -ne "exit 3 if /$perl_raw/m" "$@"
    [ $? -eq 3 ]
}
clean() { # NAME FILE...
    name=$1
    shift
    cat "$@" >all
    grep -qi 'x1b\|u001b' all && ! is_raw all
    ok $? "$name"
}
printf '%s' "$evil" >raw
is_raw raw
ok $? "what is looked for is found"
printf 'x\342\200\256' >raw
is_raw raw
ok $? "another direction, too"
printf 'l\303\266we\n' >raw
! is_raw raw
ok $? "a letter is none of it"

# names that a client sends
hello() { # PORT: by another program, whatever the name
    timeout 30 openssl s_client -connect "127.0.0.1:$1" -servername "$evil" \
        -alpn "$evil" >/dev/null 2>&1 </dev/null
}
serve --cert "$p/good.pem" --key "$p/good.key" --show-client -v --trace
hello "$port"
stop
clean "serve: SNI, in lines about clients and messages" serve.out log
serve --cert "$p/good.pem" --key "$p/good.key" --json
hello "$port"
stop
clean "serve --json: SNI" serve.out log
start 'ready +127.0.0.1:(\d+)' "$tlsock" fingerprint --listen 127.0.0.1:0
hello "$port"
stop
wait "$watcher"
clean "fingerprint --listen: SNI and ALPN" log
interceptor icept.out icept.err --log log.ndjson --html page.html \
    --har all.har --ca "$p/root.pem" -v
hello "$proxy"
printf 'GET http://127.0.0.1:9/%s HTTP/1.1\r\nHost: a\r\n\r\n' "$(
    printf 'a\342\200\256\033[31m\377')" >request
timeout 30 perl -MIO::Socket::INET -e 'local $/;
    my $s = IO::Socket::INET->new("127.0.0.1:'"$proxy"'") or exit 1;
    print $s <STDIN>; $s->flush; <$s>' <request >out
end
clean "intercept: SNI and ALPN, in lines" icept.out icept.err
clean "intercept --log" log.ndjson
clean "intercept --html" page.html
python3 -c 'import json; json.load(open("all.har"))' 2>log &&
    ! perl -0777 -ne 'exit 3 if /[\x00-\x08\x0b-\x1f\x7f]/' all.har
[ $? -ne 0 ] && python3 -c 'import json; json.load(open("all.har"))'
ok $? "intercept --har is JSON"

# request lines
serve --cert "$p/good.pem" --key "$p/good.key" --files "$p" --show-client
for path in "/%1b[31m" "/$(printf 'a\342\200\256\377\302\233')" \
    "/%0d%0aFAKE" "/$(printf '\033')"; do
    printf 'GET %s HTTP/1.0\r\n\r\n' "$path" | timeout 30 "$tlsock" connect \
        --ca "$p/root.pem" --name app.test "127.0.0.1:$port" >>got 2>err
done
stop
! is_raw serve.out && grep -q '^request .*xe2.x80.xae' serve.out &&
    ! grep -q '^FAKE' got
ok $? "serve --files: paths of requests"
"$tlsock" ca init --dir ca >/dev/null 2>err
start '^ready +http://127.0.0.1:(\d+)' "$tlsock" ca serve 127.0.0.1:0 --dir ca -v
timeout 30 perl -MIO::Socket::INET -e 'local $/;
    my $s = IO::Socket::INET->new("127.0.0.1:'"$port"'") or exit 1;
    print $s "GET /a\xe2\x80\xae\xff HTTP/1.0\r\n\r\n"; $s->flush; <$s>' >out
stop
wait "$watcher"
grep -q '^request .*xe2.x80.xae' log && ! is_raw log
ok $? "ca serve -v: paths of requests"

# names in a certificate
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout evil.key -out evil.pem -days 5 -utf8 \
    -subj "/CN=$(printf 'e\033[31m\342\200\256z')/O=$(printf 'a\033]0;x\007')" \
    -addext "subjectAltName=DNS:$(printf 'a\033[1m.test')" >log 2>&1
start 'ACCEPT.*:(\d+)' openssl s_server -accept 0 -naccept 500 \
    -cert evil.pem -key evil.key -www
run connect --insecure -v "127.0.0.1:$port"
clean "connect: names of a certificate" out err
run connect --json "127.0.0.1:$port"
! is_raw out err && python3 -c 'import json, sys
for l in open("out"): json.loads(l)'
ok $? "connect --json"
run check --html page.html "127.0.0.1:$port"
clean "check: in text and HTML" out err page.html
run check --json "127.0.0.1:$port"
clean "check --json" out
stop
run cert show evil.pem
clean "cert show" out err
run cert lint evil.pem
clean "cert lint" out err

# what a server says before TLS
start '^at (\d+)' perl -MIO::Socket::INET -e '$| = 1;
    my $l = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1:0");
    print "at " . $l->sockport . "\n";
    while (my $s = $l->accept) { my $b = "\e[31m\xe2\x80\xae\xff\x07";
        print $s "220 $b\r\n"; <$s>; print $s "250-$b\r\n250 STARTTLS\r\n"; <$s>;
        print $s "454 $b\r\n"; }'
run connect --starttls smtp --trace "127.0.0.1:$port"
clean "connect: a greeting and a refusal" out err
run connect --json --starttls smtp "127.0.0.1:$port"
clean "connect --json" out err
run check --starttls smtp "127.0.0.1:$port"
! is_raw out err
ok $? "check: what it says of them"
run connect "127.0.0.1:$port"
! is_raw out err
ok $? "connect: no TLS at all"
stop

# names on the line
for args in "connect|$evil:443" "serve|:0|--cert|$evil" "cert|show|$evil" \
    "check|$evil" "connect|127.0.0.1:1|-o|$evil=1" "serve|:0|--user|$evil" \
    "intercept|--rules|$evil" "connect|a.test:1|--starttls|$evil"; do
    (
        IFS='|'
        # shellcheck disable=SC2086
        timeout 30 "$tlsock" $args >out 2>err </dev/null
    )
    ! is_raw out err && [ -s err ]
    ok $? "on the line: $(echo "$args" | cut -d'|' -f1-2 | cut -c1-12 | tr -cd 'a-z|')"
done
finish
