#!/bin/sh
# intercept: clients that go, or say too much, before it is known what becomes of
# them; targets that cannot be; rules that decide late. Each line says why.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
make_pki || exit 1
mkdir www
printf 'the page\n' >www/page
own=$dir/data/tlsock/intercept/ca.pem

intercept() {
    interceptor lines lines --ca pki/root.pem "$@"
}
# talk SCRIPT: Perl that has $port, to() for a socket to the proxy, asks() for
# one that may go on to there, resets($s)
talk() {
    timeout 60 perl -MIO::Socket::INET -MSocket -e '
        our ($proxy, $port) = (shift, shift);
        $SIG{PIPE} = "IGNORE";
        sub to { IO::Socket::INET->new("127.0.0.1:$proxy") or die }
        sub asks { my $s = to(); print $s "CONNECT localhost:$port HTTP/1.1\r\n\r\n";
            my $l = <$s>; $l = <$s>; $s }
        sub resets { setsockopt $_[0], SOL_SOCKET, SO_LINGER, pack("ii", 1, 0);
            close $_[0] }
        '"$1" "$proxy" "$port" >out 2>err
}
# The line comes when the proxy has seen it, which the client cannot know.
logged() {
    for _ in $(seq 600); do
        grep -Eq "$1" lines && return 0
        perl -e 'select undef, undef, undef, 0.05'
    done
    return 1
}

# No memory holds such a stack (where addresses have 64 bits).
if [ "$(getconf LONG_BIT)" = 64 ]; then
    (ulimit -s 214748364800 && exec timeout 60 "$tlsock" intercept \
        --listen 127.0.0.1:0 --threads 2 --port-file early) >out 2>err
    [ $? = 6 ] && grep -q 'event loop does not work' err &&
        ! grep -q ready out err && [ ! -s early ]
    ok $? "a thread that cannot be: nothing is announced"
fi

serve --cert pki/good.pem --key pki/good.key --files www --plain-too
intercept
talk 'my $s = to(); print $s "GET http://localhost:$port/page HTT";
    shutdown $s, 1; print <$s>'
[ ! -s out ] && logged 'fail .*it ended before it said where it wants to go'
ok $? "an end within a request"
talk 'resets(asks())'
logged 'fail .*the client is gone'
ok $? "a reset once it may go on"
talk 'my $s = to(); print $s "GET http://a..b/page HTTP/1.1\r\n\r\n"; print <$s>'
cat lines >err
grep -q '^HTTP/1.1 502' out && logged 'fail .*> a\.\.b:80 '
ok $? "a name that cannot be: 502, and why"
talk 'my $s = to(); print $s "GET http://", "a" x 300, "/ HTTP/1.1\r\n\r\n";
    print <$s>'
grep -q '^HTTP/1.1 400' out
ok $? "a name that is too long: 400"
talk 'my $s = to(); print $s "GET http://a.test/ HTTP/1.1\r\nA: ", "b" x 16384;
    print <$s>'
grep -q '^HTTP/1.1 400' out && logged "fail .*the request's head is too long"
ok $? "a head without end: 400"
talk 'my $s = to(); my $big = "b" x 15000;
    print $s "GET http://localhost:$port/page HTTP/1.1\r\nHost: localhost\r\n" .
        "A: $big\r\n\r\n", "c" x 15000; print <$s>'
grep -q '^HTTP/1.1' out && logged "plain .*> localhost:$port "
ok $? "a long head with as much behind it goes on"
# a ClientHello of 60,000 bytes, in records of 16,000
talk 'my $s = to(); my $body = "\1\0\xea\x60" . "x" x 60000;
    print $s "\x16\3\1", pack("n/a*", $_) for $body =~ /(.{1,16000})/gs;
    local $/; print <$s>'
cat lines >err
logged 'fail .*hello is longer than 32,000 bytes'
ok $? "a hello without end"
end
[ "$middle_rc" -eq 0 ]
ok $? "and it serves on"

intercept --deny 127.0.0.1 --deny ::1
talk 'my $s = to(); print $s "GET http://localhost:$port/page HTTP/1.1\r\n\r\n";
    print <$s>'
grep -q '^HTTP/1.1 403' out && logged 'deny .*by the rule'
ok $? "a rule of an address that its name has: 403"
end
intercept --deny 127.0.0.2
talk 'my $s = to(); print $s "GET http://localhost:$port/page HTTP/1.1\r\nHost: " .
    "localhost\r\n\r\n"; print <$s>'
grep -q '^HTTP/1.1 200' out && logged "plain "
ok $? "another address is none of its business"
end

intercept --pass '*' --sni-port "$port"
timeout 30 openssl s_client -quiet -connect "127.0.0.1:$proxy" -noservername \
    -CAfile pki/root.pem >out 2>err </dev/null
logged 'fail .*names no server'
ok $? "passed on without a name: there is nowhere to go"
printf 'GET /page HTTP/1.0\r\n\r\n' | timeout 30 openssl s_client -quiet \
    -verify_return_error -connect "127.0.0.1:$proxy" -servername localhost \
    -CAfile pki/root.pem >out 2>err
grep -q 'the page' out && logged 'pass .*by the rule'
ok $? "with one it gets there"
end

printf '#!/bin/sh\nexit 1\n' >gone
chmod +x gone
intercept --exec -- ./gone
rm gone
talk 'my $s = asks(); print $s "GET /page HTTP/1.0\r\n\r\n"; print <$s>'
[ ! -s out ] && logged 'fail .*\./gone: No such file or directory'
ok $? "a program that is gone lets nothing through in plaintext"
talk 'my $s = asks();
    for (my $seen = 0; !$seen;) {
        open(my $f, "<", "lines") or die;
        $seen = grep { /#2 plain / } <$f>;
        select(undef, undef, undef, 0.02);
    }
    print $s "GET /page HTTP/1.0\r\n\r\n"; print <$s>'
[ ! -s out ] && logged '#2 fail .*\./gone: No such file or directory'
ok $? "nor once it was waited for STARTTLS"
printf 'x\n' | timeout 30 openssl s_client -quiet -proxy "127.0.0.1:$proxy" \
    -connect "localhost:$port" -servername localhost -CAfile "$own" >out 2>err
[ ! -s out ] && logged '#3 fail .*\./gone: '
ok $? "and nothing behind TLS"
end

intercept
for alpn in 'a b' '"q"' ' x' '#;=' none h2; do
    printf 'GET /page HTTP/1.0\r\n\r\n' | timeout 30 openssl s_client -quiet \
        -verify_return_error -proxy "127.0.0.1:$proxy" -connect \
        "localhost:$port" -servername localhost -CAfile "$own" -alpn "$alpn" \
        >out 2>err
    grep -q 'the page' out
    ok $? "a client that offers the protocol \"$alpn\""
done
end
finish
