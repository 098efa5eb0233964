#!/bin/sh
# intercept: each way in, each rule and its twin, what fails upstream, pinned
# clients, STARTTLS, a program in the middle, and what is kept.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
make_pki || exit 1
mkdir data
printf 'the page\n' >page
own=$dir/data/tlsock/intercept/ca.pem

# intercept OPTION...: a proxy at $proxy, its lines in log
intercept() {
    interceptor log log --ca pki/root.pem -v "$@"
}
# a server in the background, at $name_port; the last one started is $port
server() { # NAME SERVE-OPTION...
    s=$1
    shift
    rm -f "port.$s"
    mkfifo "port.$s"
    "$tlsock" serve 127.0.0.1:0 --port-file "port.$s" "$@" >"serve.$s" 2>&1 \
        </dev/null &
    pids="$pids $!"
    eval "${s}_port=\$(timeout 30 cat port.$s)"
}
# s_client through the proxy: HOST:PORT OPTION...; what it got is in out
via() {
    to=$1
    shift
    printf 'x\n' | timeout 30 openssl s_client -quiet -verify_return_error \
        -proxy "127.0.0.1:$proxy" -connect "$to" "$@" >out 2>err
    rc=$?
}
got() {
    [ "$(cat out)" = "the page" ]
}
logged() {
    grep -Eq "$1" log
}
# the page, decrypted on its way: only our CA is trusted, not the server's
decrypted() { # NAME HOST:PORT OPTION...
    n=$1
    shift
    via "$@" -CAfile "$own"
    got
    ok $? "$n"
}
untouched() { # NAME HOST:PORT OPTION...
    n=$1
    shift
    via "$@" -CAfile pki/root.pem
    got
    ok $? "$n"
}

server good --cert pki/good.pem --key pki/good.key --reply page
intercept
[ "$(stat -c %a "$own" data/tlsock/intercept/ca.key | tr '\n' ' ')" = \
    "644 600 " ] && logged '^created .*ca.pem' &&
    logged "^ready    127.0.0.1:$proxy as HTTP and SOCKS5 proxy.*CA sha256:"
ok $? "a CA is made, its key for nobody else, and told with its fingerprint"
first=$(grep -o 'sha256:[0-9a-f]*' log)
decrypted "HTTP CONNECT" "localhost:$good_port" -servername localhost
logged "#1 open .* > localhost:$good_port  up TLSv1.3 trusted  down TLSv1.3 .* t13d"
ok $? "a line: who, where to, both sides' TLS, the client's JA4"
timeout 30 "$tlsock" connect --proxy "socks5h://127.0.0.1:$proxy" --ca "$own" \
    "localhost:$good_port" <page >out 2>err
got
ok $? "SOCKS5, by name"
timeout 30 "$tlsock" connect --proxy "socks5://127.0.0.1:$proxy" --ca "$own" \
    --name localhost "127.0.0.1:$good_port" <page >out 2>err
got && logged "> 127.0.0.1:$good_port"
ok $? "SOCKS5, by address"
via "localhost:$good_port" -servername localhost -CAfile pki/root.pem
! got && logged 'fail .*client refused our certificate \(unknown_ca\)'
ok $? "a client that does not trust the CA gets nothing"
printf 'GARBAGE\r\n\r\n' | perl -MIO::Socket::INET -e '
    my $s = IO::Socket::INET->new("127.0.0.1:'"$proxy"'"); print $s <STDIN>;
    print <$s>' >out
grep -q '^HTTP/1.1 400' out && logged 'fail .*no HTTP request'
ok $? "what is no request is refused"
end
[ "$middle_rc" -eq 0 ]
ok $? "SIGTERM is a good end"

# Rules, each beside what it does not fit (tests/unit/engine: all kinds)
printf '# mine\ndeny a.wild.test\npass b.wild.test\nintercept app.test\n' >rules
intercept --rules rules --deny from:10.0.0.0/8 --deny 127.0.0.1 --deny ::1
for name in a.wild.test localhost; do
    via "127.0.0.1:$good_port" -servername $name -CAfile "$own"
    ! got && logged "deny .*by the rule" && grep -q 'access denied' err
    ok $? "deny: $name"
done
decrypted "what a rule before it intercepts" "127.0.0.1:$good_port" \
    -servername app.test
end
intercept --pass localhost
untouched "pass: the server's own certificate arrives" "localhost:$good_port" \
    -servername localhost
decrypted "and only there" "127.0.0.1:$good_port" -servername app.test
end

# Servers that are not to be trusted: no byte of theirs arrives, and the alert
# says why.
intercept --log deny.log
mv log deny.out
upstream() { # FILE CODE-IN-LOG ALERT
    start 'ACCEPT .*:(\d+)' openssl s_server -www -accept 127.0.0.1:0 -naccept 1 \
        -cert "pki/$1.pem" -key "pki/$1.key" -cert_chain "pki/$1.pem"
    via "127.0.0.1:$port" -servername app.test -CAfile "$own"
    ! got && grep -Eq "alert ($3)" err &&
        grep "\"event\":\"deny\".*127.0.0.1:$port\"" deny.log | grep -q "$2"
    ok $? "upstream: $2 is an alert for the client: $3"
    stop
}
upstream expired '"code":"expired"' "certificate expired"
upstream self-signed '"code":"untrusted-root"' "unknown ca"
upstream wrong-name '"code":"name-mismatch"' "number 112|unrecognized name"
upstream wrong-purpose '"code":"purpose"' "unsupported certificate"
gone=$(free_port)
via "127.0.0.1:$gone" -servername app.test -CAfile "$own"
! got && grep -q "alert internal error" err &&
    grep "\"event\":\"fail\".*:$gone\"" deny.log | grep -q '"code":"connect"'
ok $? "upstream: nobody there"
end

# Pinned clients: refused twice, then passed, and that is told.
intercept --log pin.log
pinned() {
    via "127.0.0.1:$good_port" -servername app.test -CAfile pki/root.pem
}
pinned
! got
ok $? "a client that pins is refused once"
pinned
! got && logged "pass .*client refused our certificate twice \(unknown_ca\): not decrypted until [0-9:]*$"
ok $? "and twice, which is told with the time"
pinned
got && [ "$(grep -c '"event":"pass".*"until":"2' pin.log)" -eq 2 ]
ok $? "then it is passed"
decrypted "another name is still decrypted" "127.0.0.1:$good_port" \
    -servername localhost
end
# one that looks at the certificate when the handshake is over
looks() {
    timeout 30 openssl s_client -proxy "127.0.0.1:$proxy" -connect \
        "127.0.0.1:$good_port" -servername app.test -CAfile "$own" \
        </dev/null >out 2>err
}
intercept --log late.log
looks
via "127.0.0.1:$good_port" -servername app.test -CAfile "$own"
got
ok $? "a client that goes without a word once is no such one"
looks
via "127.0.0.1:$good_port" -servername app.test -CAfile "$own"
got && ! logged 'pass '
ok $? "nor if it has said one in between"
looks
looks
logged 'pass .*client refused our certificate twice \(it closed the connection\)'
ok $? "a client that looks at the certificate later, twice, is told of"
pinned
got
ok $? "and is passed"
[ "$(grep -c '"event":"note".*client refused our certificate (' late.log)" -eq 3 ]
ok $? "the first time is a note"
end
intercept --pass-for 0
pinned
pinned
pinned
! got && ! logged 'pass '
ok $? "--pass-for 0: never"
end

# What the server chooses is what the client gets, and who the client is not
# passes for nobody.
server two --cert pki/good.pem --key pki/good.key --reply page --tls 1.2 \
    --alpn http/1.1,h2
intercept
via "127.0.0.1:$two_port" -servername app.test -CAfile "$own" -alpn h2,x
got && logged "up TLSv1.2 trusted  down TLSv1.2  alpn h2"
ok $? "version and ALPN of the server are those of the client"
via "127.0.0.1:$two_port" -servername app.test -CAfile "$own" -tls1_3
! got && grep -q 'protocol version' err
ok $? "no version in common is no version in common"
end
server asks --cert pki/good.pem --key pki/good.key --reply page --ca \
    pki/root.pem --client-auth require
intercept --cert pki/client.pem --key pki/client.key
decrypted "our own client certificate opens the server" \
    "127.0.0.1:$asks_port" -servername app.test
end
intercept
via "127.0.0.1:$asks_port" -servername app.test -CAfile "$own"
! got
ok $? "without one it stays closed"
end

# Other ways in.
intercept --to "localhost:$good_port"
printf 'x\n' | timeout 30 openssl s_client -quiet -verify_return_error -connect \
    "127.0.0.1:$proxy" -servername app.test -CAfile "$own" >out 2>err
got && logged "> localhost:$good_port  up"
ok $? "--to: one server for all"
end
intercept --sni-port "$good_port"
printf 'x\n' | timeout 30 openssl s_client -quiet -verify_return_error -connect \
    "127.0.0.1:$proxy" -servername localhost -CAfile "$own" >out 2>err
got && logged "> localhost:$good_port  up"
ok $? "TLS at once: SNI says where"
printf 'x\n' | timeout 30 openssl s_client -quiet -connect \
    "127.0.0.1:$proxy" -noservername -CAfile "$own" >out 2>err
! got && logged 'fail .*names no server'
ok $? "without SNI there is nowhere to go"
end
intercept --transparent
printf 'x\n' | timeout 30 openssl s_client -quiet -connect \
    "127.0.0.1:$proxy" -servername localhost -CAfile "$own" >out 2>err
! got && logged 'deny .*not redirected'
ok $? "--transparent: a client that was not redirected leads nowhere"
end
mkdir www
cp page www/
server web --cert pki/good.pem --key pki/good.key --files www --plain-too
intercept
perl -MIO::Socket::INET -e '
    my $s = IO::Socket::INET->new("127.0.0.1:'"$proxy"'");
    print $s "GET http://localhost:'"$web_port"'/page HTTP/1.1\r\nHost: x\r\n" .
        "Proxy-Connection: keep-alive\r\n\r\n"; print <$s>' >out
[ "$(tail -1 out)" = "the page" ] && grep -q '^HTTP/1.1 200' out &&
    logged "plain .*> localhost:$web_port  no TLS"
ok $? "a plain http:// request is relayed"
end

# STARTTLS is found by itself.
for p in smtp imap pop3 ftp; do
    server mail --cert pki/good.pem --key pki/good.key --reply page \
        --starttls $p
    intercept
    timeout 30 "$tlsock" connect --starttls $p --proxy \
        "http://127.0.0.1:$proxy" --ca "$own" "localhost:$mail_port" <page \
        >out 2>err
    got && logged "open .*starttls $p"
    ok $? "$p: decrypted after STARTTLS"
    timeout 30 "$tlsock" connect --starttls $p --tls 1.2 --proxy \
        "http://127.0.0.1:$proxy" --ca "$own" "localhost:$mail_port" <page \
        >out 2>err
    got && logged 'open .*up TLSv1.2 .*down TLSv1.2'
    ok $? "$p: and the server is asked for what the client offers"
    end
done
# TLS after a long silence, in which the server might have begun to speak.
server late --cert pki/good.pem --key pki/good.key --reply page --alpn b,a
intercept
timeout 30 perl -MIO::Socket::SSL -e '
    my ($proxy, $port, $log, $ca) = @ARGV;
    my $s = IO::Socket::INET->new("127.0.0.1:$proxy") or die;
    print $s "CONNECT localhost:$port HTTP/1.1\r\n\r\n";
    my $l = <$s>; $l = <$s>;
    for (;;) {
        open(my $f, "<", $log) or die;
        last if grep { /plain / } <$f>;
        select(undef, undef, undef, 0.02);
    }
    IO::Socket::SSL->start_SSL($s, SSL_ca_file => $ca,
        SSL_hostname => "localhost", SSL_verifycn_name => "localhost",
        SSL_verifycn_scheme => "http", SSL_alpn_protocols => ["a"]) or
        die $IO::Socket::SSL::SSL_ERROR;
    print $s "x\n";
    print $s->alpn_selected, "\n", <$s>' "$proxy" "$late_port" log "$own" \
    >out 2>err
[ "$(tr '\n' ' ' <out)" = "a the page " ] && logged 'open .*alpn a'
ok $? "TLS after a silence: decrypted, with the protocol that both have"
end
intercept
perl -MIO::Socket::INET -e '
    my $s = IO::Socket::INET->new("127.0.0.1:'"$proxy"'");
    print $s "CONNECT localhost:'"$mail_port"' HTTP/1.1\r\n\r\n";
    my $l = <$s>; $l = <$s>; $l = <$s>;
    print $s "AUTH TLS\r\nUSER root\r\n"; print <$s>' >out
! grep -q '^331' out && logged 'deny .*plaintext behind the request for TLS'
ok $? "what is said behind the request for TLS ends it"
end

host=localhost:$good_port
# A program in the middle, and files of what went through.
cat >change.pl <<'END'
binmode STDIN; binmode STDOUT; $| = 1;
while (read(STDIN, my $h, 5) == 5) {
    my ($k, $n) = unpack("aN", $h); my $d = "";
    read(STDIN, $d, $n) if $n;
    next if $k eq "i";
    $d =~ s/page/PAGE/ if $k eq "s";
    print pack("aN", $k, length $d), $d;
}
END
intercept --bodies kept --exec -- perl change.pl
via "$host" -servername localhost -CAfile "$own"
[ "$(cat out)" = "the PAGE" ]
ok $? "a program changes what the server sends"
[ "$(cat kept/*.server)" = "the page" ] && [ "$(cat kept/*.client)" = x ] &&
    [ "$(stat -c %a kept/*.server kept/*.client | sort -u)" = 600 ]
ok $? "--bodies: both directions, as they were sent, for nobody else"
end
head -c 60000 /dev/zero | tr '\0' y >big
server big --cert pki/good.pem --key pki/good.key --reply big
if command -v prlimit >err; then
    trap '' XFSZ
    intercept --bodies small
    prlimit --pid "$middle" --fsize=20000 # what is logged has room
    via "localhost:$big_port" -servername localhost -CAfile "$own"
    cmp -s out big && via "localhost:$big_port" -servername localhost \
        -CAfile "$own"
    cmp -s out big
    ok $? "--bodies without room: connections go on"
    end
    trap - XFSZ
    [ "$(grep -c 'small: File too large' log)" -eq 1 ] &&
        [ "$(cat small/*.server | wc -c)" -eq 40000 ]
    ok $? "it is said once, and each file ends where it could not be written"
else
    skip "--bodies without room" "there is no prlimit"
fi
intercept --bodies gone
rmdir gone
via "$host" -servername localhost -CAfile "$own"
[ "$(cat out)" = "the page" ]
ok $? "--bodies into a directory that is gone: connections go on"
end
logged 'gone: No such file or directory'
ok $? "and it is said"
intercept --exec -- perl -e 'read(STDIN, $_, 5); print "x" x 100'
via "$host" -servername localhost -CAfile "$own"
[ ! -s out ] && logged 'fail .*no frame'
ok $? "a program that says no frames ends it"
end
intercept --exec -- perl -e 'exit'
via "$host" -servername localhost -CAfile "$own"
[ ! -s out ] && logged 'fail .*the program ended'
ok $? "one that ends lets nothing through"
end

# Much, both ways, and each end by itself.
server echo --cert pki/good.pem --key pki/good.key
head -c 3000000 /dev/urandom >big
intercept --log big.log
timeout 60 "$tlsock" connect --proxy "http://127.0.0.1:$proxy" --ca "$own" \
    "localhost:$echo_port" <big >out 2>err
cmp -s big out
rc=$?
cached=$(ls .cache/tlsock/intercept | cksum)
[ "$rc" -eq 0 ] && [ -n "$(ls .cache/tlsock/intercept)" ]
ok $? "3 MB and back, each direction closed by its own end"
kill -9 "$middle"
wait "$middle" 2>/dev/null
perl -MJSON::PP -ne 'decode_json($_)->{schema} eq "tlsock.intercept/1" or exit 1;
    $n++; END { exit($n >= 1 ? 0 : 1) }' big.log
ok $? "kill -9: every line of the log is whole"
[ "$(ls .cache/tlsock/intercept | cksum)" = "$cached" ]
ok $? "and what was minted is where it was"
start 'ACCEPT .*:(\d+)' openssl s_server -www -accept 127.0.0.1:0 -naccept 1 -cert \
    pki/good.pem -key pki/good.key -cert_chain pki/good.pem
cut=$server
intercept
mkfifo hold
timeout 30 "$tlsock" connect --proxy "http://127.0.0.1:$proxy" --ca "$own" \
    "localhost:$port" <hold >out 2>err &
client=$!
exec 4>hold
until logged 'open '; do kill -0 "$client" || break; done
kill -9 "$cut"
wait "$client"
rc=$?
exec 4>&-
[ "$rc" -ne 0 ] && grep -q truncated err
ok $? "a server that vanishes has not ended, for the client neither"
end

# The command line
usage() { # NAME REGEX OPTION...
    n=$1 re=$2
    shift 2
    run intercept "$@"
    refused "$n" 2 usage "$re" '.'
}
usage "--deny of nothing" 'no name, no address' --deny '/'
usage "--pass with a wide mask" 'behind the slash' --pass 10.0.0.0/33
usage "--to without a port" 'not HOST:PORT' --to example.com
usage "--to an address cut off" 'not HOST:PORT' --to '[:443'
usage "--to no address" 'not HOST:PORT' --to '[]:443'
usage "--to an address without brackets" 'not HOST:PORT' --to ::1:443
usage "--to and --transparent" 'together' --to a:1 --transparent
usage "--exec of nothing" 'needs a program' --exec
usage "--pass-for of no time" 'not a length of time' --pass-for soon
usage "--hello-time of 0" 'between' --hello-time 0
usage "--ca-key alone" 'without a --ca-cert' --ca-key x
printf 'pass a.test\nhide b.test\n' >rules
run intercept --rules rules
refused "a rule that is none" 6 own-file 'rules:2: ' 'deny WHAT'
run intercept --ca-cert pki/good-leaf.pem
refused "a CA without its key" 6 own-file "key" '.'
run intercept --log /nowhere/log
refused "a log that cannot be" 6 own-file 'nowhere' '.'
run intercept --bodies "$dir/page"
refused "bodies that cannot be" 6 own-file 'page' '.'
finish
