#!/bin/sh
# serve: many clients, slow ones, programs, replies, names, signals.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir data
"$tlsock" ca init >/dev/null && "$tlsock" cert new app.test >/dev/null &&
    "$tlsock" cert new other.test >/dev/null
ca=$dir/data/tlsock/ca/ca.pem
head -c 3000000 /dev/urandom >big

talk() { # stdin to the server, its answer to out
    timeout 60 "$tlsock" connect --ca "$ca" --name "${name:-localhost}" \
        "127.0.0.1:$port" "$@" >out 2>err
    rc=$?
}

serve
head -1 serve.out | grep -q "^ready    127.0.0.1:$port  echo"
ok $? "the first line says ready and where"
printf 'hello\n' >in
talk <in
[ "$rc" -eq 0 ] && [ "$(cat out)" = hello ]
ok $? "echo, with a certificate made for localhost by the local CA"
talk <big
[ "$rc" -eq 0 ] && cmp -s big out
ok $? "three megabytes come back"
served=$server
at=$port
start 'holding (\d+)' perl -MIO::Socket::INET -e '
    $| = 1;
    my @s = map { IO::Socket::INET->new("127.0.0.1:'"$port"'") } 1 .. 50;
    syswrite($_, "\x16\x03\x01\x02") for @s[0 .. 9];
    print "holding '"$port"'\n"; sleep 100;'
holder=$server
server=$served
port=$at
printf 'hello\n' >in
talk <in
[ "$rc" -eq 0 ] && [ "$(cat out)" = hello ]
ok $? "50 silent clients delay nobody"
perl -e 'my @k; for my $i (1 .. 20) {
    my $k = fork // die; if (!$k) {
        open(STDIN, "<", "big"); open(STDOUT, ">", "many.$i");
        exec(@ARGV); exit 1 } push @k, $k }
    my $bad = 0; for (@k) { waitpid($_, 0); $bad++ if $? } exit $bad' \
    "$tlsock" connect --ca "$ca" --name localhost "127.0.0.1:$port" 2>err
rc=$?
for i in $(seq 20); do
    cmp -s big "many.$i" || rc=1
done
ok "$rc" "20 clients at once, 3 MB each way"
stop
kill "$holder" 2>/dev/null

serve --exec -- tr a-z A-Z
printf 'shout\n' >in
talk <in
[ "$rc" -eq 0 ] && [ "$(cat out)" = SHOUT ]
ok $? "--exec: the end of input reaches the program, its output the client"
printf '; touch pwned\n' >in
talk <in
[ ! -e pwned ]
ok $? "no shell reads anything"
stop
mkfifo complete
serve --exec -- sh -c 'exec 1>&-; cat >got; : >complete'
talk <big
timeout 30 cat complete >err
[ "$rc" -eq 0 ] && cmp -s big got
ok $? "a program that says nothing more still gets everything"
stop
serve --exec -- cat big
printf x >in
talk <in
[ "$rc" -eq 0 ] && cmp -s big out
ok $? "a program that does not read: all of its output arrives"
talk <big
[ "$rc" -eq 0 ] && cmp -s big out
ok $? "whatever is sent to it"
stop
serve --exec -- true
talk <big
[ "$rc" -eq 0 ] && [ ! -s out ]
ok $? "a program that ends at once ends the session, not the client"
stop
serve --exec -- sh -c 'echo first; exec cat'
talk <big
[ "$rc" -eq 0 ] && { echo first; cat big; } | cmp -s - out
ok $? "a program that speaks first, then repeats three megabytes"
stop
serve --exec -- sh -c 'exit 3'
talk </dev/null
[ "$rc" -eq 0 ]
ok $? "a program that fails is no failure of the session"
stop
mkfifo wait_here
serve --exec -- sh -c 'cat wait_here'
(printf 'late\n' >wait_here) &
talk </dev/null
[ "$rc" -eq 0 ] && [ "$(cat out)" = late ]
ok $? "an answer that comes long after the client's end"
stop
serve --once --exec -- "$dir/no-such-program"
printf x >in
talk <in
wait "$server"
[ "$?" -ne 0 ] && grep -q no-such-program log
ok $? "a program that is not there is named"

printf 'HTTP/1.0 200 OK\r\n\r\nfixed\n' >reply
serve --reply reply
printf 'GET / HTTP/1.0\r\n\r\n' >in
talk <in
[ "$rc" -eq 0 ] && cmp -s reply out
ok $? "--reply"
stop

serve --cert app.test.pem --key app.test.key --cert other.test.pem \
    --key other.test.key --show-client
for n in app.test other.test; do
    name=$n
    printf "$n" >in
    talk <in
    [ "$rc" -eq 0 ] && [ "$(cat out)" = $n ]
    ok $? "two names, one port: $n"
done
grep -q 'client   #1 .*TLSv1.3 .*sni app.test' serve.out
ok $? "--show-client"
stop
name=localhost

serve --once
printf x >in
talk <in
wait "$server"
ok $? "--once ends after one client"
serve --once
perl -MIO::Socket::INET -e '
    my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die;
    syswrite($s, "GET / HTTP/1.0\r\n\r\n");
    1 while sysread($s, my $buf, 4096);' "$port"
wait "$server"
[ "$?" -eq 4 ] && grep -q ': not-tls' log
ok $? "a client that speaks no TLS is reported, and is the exit code"
serve
kill -INT "$server"
wait "$server"
rc=$?
[ "$rc" -eq 0 ]
ok $? "SIGINT ends it cleanly"
rm -rf data
serve
pin=$(sed -n 's/.*--pin \(sha256:[^ ]*\).*/\1/p' serve.out)
printf 'pinned\n' | timeout 60 "$tlsock" connect --pin "$pin" \
    "127.0.0.1:$port" >out 2>err
[ "$(cat out)" = pinned ]
ok $? "without a CA: self-signed, and the pin shown is the way in"
echo "$port" >first
run serve "127.0.0.1:$port" --port-file first
refused "a port that is taken" 3 system 'Address already in use' .
[ "$(cat first)" = "$port" ]
ok $? "and the file of who has it stays as it is"
stop
"$tlsock" serve "unix:$dir/sock" --port-file port >serve.out 2>log &
server=$!
pids="$pids $server"
timeout 30 cat port >err
pin=$(sed -n 's/.*--pin \(sha256:[^ ]*\).*/\1/p' serve.out)
printf 'local\n' | timeout 60 "$tlsock" connect --pin "$pin" \
    "unix:$dir/sock" >out 2>err
[ "$(cat out)" = local ]
ok $? "over a UNIX socket"
finish
