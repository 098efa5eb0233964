#!/bin/sh
# intercept --har: what clients and servers said in HTTP/1.1 and HTTP/2 is in
# the file, body for body; what failed is there as well, and what is not HTTP is
# told; a kill loses no entry.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
make_pki || exit 1
mkdir data sent htdocs
own=$dir/data/tlsock/intercept/ca.pem

# intercept OPTION...: a proxy at $proxy, its lines in ilog
intercept() {
    interceptor ilog err.log --ca pki/root.pem "$@"
}
get() { # URL CURL-OPTION...
    url=$1
    shift
    timeout 30 curl "$url" -s -S -x "http://127.0.0.1:$proxy" --cacert "$own" \
        "$@" >out 2>err
}
# is each line of FILE in one, as JSON must be for the check?
har_is() { # FILE [EXPR]: $e{END} is the entry whose URL ends so
    tr -d '\n' <"$1" >one.json
    perl "$here/schema.pl" "$here/har.json" 'our @e = @{$o->{log}{entries}};
        our %e = map { $_->{request}{url} =~ m{(\w+(?:\?.*)?)$}
            ? ($1 => $_) : () } @e; '"${2:-1}" <one.json >err 2>&1
}
har_holds() { # NAME FILE EXPR
    har_is "$2" "$3"
    ok $? "$1"
}
same() { # NAME FILE-OF-HAR URL-END FILE [post]
    perl "$here/har_body.pl" "$2" "$3" ${5:-} >out 2>err && cmp -s out "$4"
    ok $? "$1"
}

# HTTP/1.1
serve --cert pki/good.pem --key pki/good.key --exec -- \
    perl "$here/har_server.pl" "$dir/sent"
site=https://localhost:$port
intercept --har one.har
[ "$(stat -c %a one.har)" = 600 ] && har_is one.har '!@e'
ok $? "the file is there at once, for nobody else, and a whole document"
head -c 100000 /dev/urandom >upload
get "$site/text?a=1&b=%C3%A4+c&d" -H 'Cookie: k=v; l="m n"' \
    --next "$site/gzip" -s -S -x "http://127.0.0.1:$proxy" --cacert "$own" \
    --next "$site/cookies" -s -S -x "http://127.0.0.1:$proxy" --cacert "$own"
for kind in binary latin1 empty br chunked redirect end; do
    get "$site/$kind" --http1.1
    [ "$kind" = gzip ] || [ "$kind" = br ] || [ "$kind" = end ] ||
        cmp -s out "sent/$kind.sent" || echo "# $kind did not arrive"
done
get "$site/echo" --http1.1 -H 'Expect: 100-continue' \
    -H 'Content-Type: image/png' --data-binary @upload
cmp -s out upload
ok $? "a long upload goes through as it is"
get "$site/short" --http1.1
get "$site/none" --http1.1
get "$site/upgrade" --http1.1
gone=$(free_port)
get "https://localhost:$gone/"
start 'ACCEPT .*:(\d+)' openssl s_server -www -accept 127.0.0.1:0 -naccept 1 \
    -cert pki/expired.pem -key pki/expired.key -cert_chain pki/expired.pem
get "https://localhost:$port/"
bad=$port
stop
har_holds "a whole document while it is in use" one.har '@e >= 10'
end
har_holds "it stays as it was when it ends" one.har '@e == 16'
for kind in text binary latin1 chunked gzip; do
    [ "$kind" = text ] && what='text?a=1&b=%C3%A4+c&d' || what=$kind
    same "$kind: the body, as sent" one.har "$what" "sent/$kind.sent"
done
same "what was uploaded" one.har /echo upload post
printf 'to the end' >end.sent
same "a body that the end of the connection ends" one.har /end end.sent
har_holds "text is text, bytes are base64" one.har '
    !grep({ exists $e{$_}{response}{content}{encoding} }
          "text?a=1&b=%C3%A4+c&d", "gzip", "chunked") &&
    !grep({ $e{$_}{response}{content}{encoding} ne "base64" }
          "binary", "latin1", "br")'
har_holds "sizes: packed, unpacked, without a body" one.har '
    my $c = sub { $e{$_[0]}{response}{content} };
    my $g = $e{gzip}{response};
    $c->("gzip")->{size} == 7000 && $g->{bodySize} < 200 &&
    $c->("gzip")->{compression} == 7000 - $g->{bodySize} &&
    $c->("empty")->{size} == 0 && !exists $c->("empty")->{text} &&
    $c->("br")->{_contentEncoding} eq "br" &&
    $e{echo}{request}{bodySize} == 100000'
har_holds "method, status, headers with their sizes, redirect, version" one.har '
    my $t = $e{"text?a=1&b=%C3%A4+c&d"};
    $t->{request}{method} eq "GET" && $e{echo}{request}{method} eq "POST" &&
    $t->{response}{statusText} eq "OK" && $e{redirect}{response}{status} == 302
    && $e{redirect}{response}{redirectURL} eq "/to" &&
    $e{chunked}{response}{statusText} eq "Fine" &&
    $e{chunked}{response}{_trailers}[0]{value} eq "9" &&
    $e{empty}{response}{headersSize} ==
        length("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
               . "Content-Length: 0\r\n\r\n") &&
    !grep({ $_->{name} eq "X" } @{$e{echo}{response}{headers}}) &&
    $e{end}{response}{httpVersion} eq "HTTP/1.0"'
har_holds "query and cookies, of both sides" one.har '
    my $r = $e{"text?a=1&b=%C3%A4+c&d"}{request};
    my ($a, $b) = @{$e{cookies}{response}{cookies}};
    join("|", map "$_->{name}=$_->{value}", @{$r->{queryString}}) eq
        "a=1|b=\xe4 c|d=" &&
    join("|", map "$_->{name}=$_->{value}", @{$r->{cookies}}) eq
        "k=v|l=\"m n\"" &&
    $a->{path} eq "/p" && $a->{httpOnly} && $a->{secure} &&
    $b->{value} eq "x=y" && $b->{domain} eq "d.test" && !$b->{httpOnly} &&
    $b->{expires} eq "2026-10-21T07:28:00.000Z"'
har_holds "times add up, and one follows the other" one.har '
    !grep { my $t = $_->{timings};
        abs($t->{send} + $t->{wait} + $t->{receive} - $_->{time}) > 0.01 } @e'
har_holds "server, connection, TLS of both sides, how it was verified" one.har '
    my $t = $e{gzip};
    $t->{serverIPAddress} eq "127.0.0.1" &&
    $t->{connection} eq $e{cookies}{connection} &&
    $t->{connection} ne $e{binary}{connection} &&
    $t->{_tls}{up}{version} eq "TLSv1.3" && $t->{_tls}{down}{cipher} =~ /^TLS_/
    && $t->{_tls}{up}{verified} =~ /^chain/ && $t->{_tls}{ja4} =~ /^t13/ &&
    $t->{_tls}{sni} eq "localhost"'
har_holds "cut off, unanswered, not HTTP any more: with the reason" one.har '
    $e{short}{response}{_error} =~ /ended before the response did/ &&
    $e{short}{response}{content}{text} eq "ab" &&
    $e{none}{response}{status} == 0 &&
    $e{none}{response}{_error} =~ /without a response/ &&
    $e{upgrade}{response}{status} == 101 &&
    $e{upgrade}{response}{_error} =~ /another protocol follows/ &&
    !exists $e{gzip}{response}{_error}'
har_holds "failed and refused connections are entries of status 0" one.har '
    my ($gone) = grep { $_->{request}{url} eq "https://localhost:'"$gone"'/" }
        @e;
    my ($bad) = grep { $_->{request}{url} eq "https://localhost:'"$bad"'/" } @e;
    $gone->{response}{status} == 0 && $gone->{response}{_error} =~ /refused/ &&
    $gone->{request}{method} eq "CONNECT" &&
    $bad->{response}{status} == 0 && $bad->{response}{_error} =~ /expired/'
grep -Eq '^[0-9:.]+ #[0-9]+ note  .*another protocol follows' ilog
ok $? "where the recording ends is told"
stop

# Another run, another file
serve --cert pki/good.pem --key pki/good.key --exec -- \
    perl "$here/har_server.pl" "$dir/sent"
intercept --har long.har
get "https://localhost:$port/long"
cmp -s out sent/long.sent
ok $? "a long body goes through as it is"
end
har_holds "its first 4 MiB are in the file, and what is missing is said" \
    long.har 'my $c = $e{long}{response}{content};
    $c->{size} == 4194320 && $c->{text} eq "0123456789abcde\n" x 262144 &&
    $c->{comment} eq "cut: the first 4194304 of 4194320 bytes"'
stop
run intercept --listen 127.0.0.1:0 --har one.har
refused "an old file is not replaced" 6 own-file 'one.har exists already' \
    '--force replaces it'
har_holds "and stays as it was" one.har '@e == 16'
chmod 644 one.har
intercept --har one.har --force && har_is one.har '!@e' &&
    [ "$(stat -c %a one.har)" = 600 ]
ok $? "but with --force, and is nobody else's then"
end
run intercept --har "$dir/none/x.har"
refused "a file that cannot be made" 6 own-file none/x.har "may write to"
mkfifo pipe.har
run intercept --har pipe.har --force
refused "what is no file" 6 own-file 'pipe.har: it is no regular file' "may write to"
run intercept --html pipe.har --force
refused "nor for a page" 6 own-file 'pipe.har: it is no regular file' "may write to"
[ -p pipe.har ] && [ "$(stat -c %a pipe.har)" = 644 ]
ok $? "which stays as it is"

# HTTP/2, and many at once
perl -e 'print "line $_\n" for 1 .. 20000' >htdocs/text.txt
head -c 70000 /dev/urandom >htdocs/bytes.bin
printf 'body{}\n' >htdocs/a.css
h2=$(free_port)
nghttpd -a 127.0.0.1 --htdocs "$dir/htdocs" -p /text.txt=/a.css --echo-upload \
    --trailer 'x-sum: 7' -b 30 "$h2" pki/good.key pki/good.pem >nghttpd.log \
    2>&1 &
pids="$pids $!"
perl -MIO::Socket::INET -e 'for (1 .. 300) { exit 0 if IO::Socket::INET->new(
    "127.0.0.1:'"$h2"'"); select undef, undef, undef, 0.1 } exit 1'
# led by SNI: https://localhost/ is there
site=https://localhost
intercept --har two.har --sni-port "$h2"
direct() { # URL CURL-OPTION...
    timeout 60 curl -s -S --http2 --cacert "$own" \
        --connect-to "localhost:443:127.0.0.1:$proxy" "$@" >out 2>err
}
direct "$site/text.txt" -H 'X-A: 1'
cmp -s out htdocs/text.txt
ok $? "HTTP/2 goes through"
direct "$site/up" --data-binary @upload
cmp -s out upload
ok $? "an upload by HTTP/2 goes through"
urls=
for n in 1 2 3 4 5 6 7 8 9 10; do
    urls="$urls $site/bytes.bin $site/missing$n"
done
direct -Z $urls
end
har_holds "all of HTTP/2 is recorded" two.har '
    @e >= 22 && !grep { $_->{request}{httpVersion} ne "HTTP/2" ||
        $_->{_tls}{up}{alpn} ne "h2" || $_->{_tls}{down}{alpn} ne "h2" ||
        !$_->{_stream} || $_->{response}{headersSize} != -1 } @e'
same "HTTP/2: the body, as sent" two.har /text.txt htdocs/text.txt
same "HTTP/2: bytes" two.har /bytes.bin htdocs/bytes.bin
same "HTTP/2: what was uploaded" two.har /up upload post
same "HTTP/2: and came back" two.har /up upload
har_holds "HTTP/2: streams at once, 404s, trailers, headers" two.har '
    my @m = grep { $_->{response}{status} == 404 } @e;
    my ($t) = grep { $_->{request}{url} =~ /text.txt$/ } @e;
    @m == 10 && !grep({ $_->{request}{url} !~ m{/missing\d+$} } @m) &&
    $t->{response}{_trailers}[0]{name} eq "x-sum" &&
    grep({ $_->{name} eq "x-a" && $_->{value} eq 1 } @{$t->{request}{headers}})
    && !grep { $_->{name} =~ /^:/ } @{$t->{request}{headers}}'

# What is not HTTP is not recorded, and that is said.
printf 'hello\n' >page
serve --cert pki/good.pem --key pki/good.key --reply page
intercept --har three.har --log three.log
printf '\001\002 no request\n' | timeout 30 openssl s_client -quiet \
    -proxy "127.0.0.1:$proxy" -connect "localhost:$port" -CAfile "$own" \
    >out 2>err
end
grep -q 'note  .*localhost.*HTTP' ilog &&
    grep -q '"event":"note".*"reason":"[^"]*HTTP' three.log &&
    har_is three.har '!@e'
ok $? "what is no HTTP is not recorded, which is said"
stop

# kill -9 while entries come
serve --cert pki/good.pem --key pki/good.key --exec -- \
    perl "$here/har_server.pl" "$dir/sent"
intercept --har four.har
urls=
for n in 1 2 3 4 5 6 7 8; do
    urls="$urls https://localhost:$port/text?$n https://localhost:$port/binary"
done
timeout 60 curl -s -S -x "http://127.0.0.1:$proxy" --cacert "$own" $urls >out 2>err
kill -9 "$middle"
wait "$middle" 2>/dev/null
har_holds "kill -9 loses no entry, and the document is whole" four.har '@e == 16'

# The same at each single call that changes a file, half done
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0"
head -c 20000 upload >some
web=$port
sweep() { # HOW NAME
    n=0
    fired=1
    ready=0
    : >bad
    while [ -n "$fired" ] && [ "$n" -lt 60 ]; do
        n=$((n + 1))
        rm -f fired crash.har
        start 'ready +127.0.0.1:(\d+)' env TLSOCK_SHIM="$1:$n" \
            TLSOCK_SHIM_MARK="$dir/fired" LD_PRELOAD="$TLSOCK_SHIM_LIB" \
            "$tlsock" intercept --listen 127.0.0.1:0 --threads 1 \
            --ca pki/root.pem --har crash.har
        if [ -n "$port" ]; then
            ready=1
            site=https://localhost:$web
            got=$(timeout 30 curl -s -x "http://127.0.0.1:$port" \
                --cacert "$own" -o out -o out -o out -w '%{http_code} %{exitcode}\n' \
                --data-binary @some "$site/echo" "$site/text" "$site/gzip" \
                2>/dev/null | grep -c '^200 0$')
            perl "$here/har_prefix.pl" crash.har "$got" 2>>bad >whole ||
                echo "$1:$n" >>bad
        fi
        stop 2>/dev/null
        fired=
        [ -e fired ] && fired=1
    done
    cat bad >err
    [ ! -s bad ] && [ "$n" -gt 8 ] && [ "$n" -lt 60 ] && [ "$ready" -eq 1 ]
    ok $? "$2"
}
sweep torn "a kill in the middle of any write leaves a whole document"

# without room for a file it does not begin: an old one stays, nothing is left
mkdir room
for flag in har html; do
    for kind in new old; do
        rm -rf room/*
        force=
        [ "$kind" = new ] || { echo old >room/f && force=--force; }
        (ulimit -f 0 && trap '' XFSZ && {
            timeout 60 "$tlsock" intercept --listen 127.0.0.1:0 \
                --ca pki/root.pem "--$flag" room/f $force </dev/null 2>&1
            echo "exit $?"
        }) | cat >err
        rc=$(sed -n 's/^exit //p' err)
        refused "no room: --$flag, $kind" 6 own-file 'room/f: File too large' .
        [ "$(ls -A room)" = "$([ "$kind" = new ] || echo f)" ] &&
            { [ "$kind" = new ] || [ "$(cat room/f)" = old ]; }
        ok $? "and all is as it was"
    done
done

# no room any more, as by a limit on the size of files: what was written stays a
# document, what has no room is told, once
if command -v prlimit >err; then
    trap '' XFSZ
    intercept --har full.har
    get "$site/text"
    size=$(wc -c <full.har)
    prlimit --pid "$middle" --fsize=$((size + 100))
    get "$site/text"
    get "$site/text"
    end
    trap - XFSZ
    [ "$(grep -c 'full.har: File too large' err.log)" -eq 1 ] &&
        har_is full.har '@e == 1' && [ "$(wc -c <full.har)" -eq "$size" ]
    ok $? "without room it is said, and what was there stays whole"
else
    skip "without room it is said" "there is no prlimit"
fi
finish
