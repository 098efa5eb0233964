#!/bin/sh
# serve --plain-too: both kinds of client on one port, and those of which
# nobody knows yet what they are.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir data site
"$tlsock" ca init >err 2>&1 && "$tlsock" cert new app.test >err 2>&1
ca=$dir/data/tlsock/ca/ca.pem
id="--cert app.test.pem --key app.test.key"
head -c 3000000 /dev/urandom >big

tls() { # PORT: stdin to the server by TLS, its answer to out
    timeout 60 "$tlsock" connect --ca "$ca" --name app.test "127.0.0.1:$1" \
        >out 2>err
}
plain() { # [bytewise]
    timeout 60 perl "$here/talk.pl" "$port" "$@" >out 2>err
}
ticks() { # of the processor, spent by the server
    perl -e 'open(my $f, "<", "/proc/$ARGV[0]/stat") or die; my $l = <$f>;
        $l =~ s/.*\) //; my @f = split(/ /, $l); print $f[11] + $f[12]' \
        "$server"
}

serve $id --plain-too
printf 'hello\n' | plain
[ "$(cat out)" = hello ]
ok $? "a plaintext client is served"
grep -q '^client   #1 .*plain: NOT ENCRYPTED' serve.out
ok $? "and is told of without being asked"
printf 'hello\n' | tls "$port"
[ "$?" -eq 0 ] && [ "$(cat out)" = hello ]
ok $? "so is a client of TLS, on the same port"
! grep -q '#2' serve.out
ok $? "which is told of when asked for"
plain <big
cmp -s big out
ok $? "three megabytes in plaintext"
tls "$port" <big
cmp -s big out
ok $? "and in TLS"
printf 'GET / HTTP/1.0\r\n\r\n' | plain bytewise
[ "$(head -c 3 out)" = GET ]
ok $? "plaintext byte by byte"
at=$port
served=$server
start 'port (\d+)' perl "$here/proxy.pl" hop "$at"
hop=$server
printf 'hello\n' | tls "$port"
[ "$?" -eq 0 ] && [ "$(cat out)" = hello ]
ok $? "TLS byte by byte"
kill "$hop" 2>/dev/null
port=$at
start 'holding (\d+)' perl -MIO::Socket::INET -e '
    $| = 1;
    my @s = map { IO::Socket::INET->new("127.0.0.1:'"$port"'") } 1 .. 60;
    syswrite($_, "\x16") for @s[0 .. 19];
    syswrite($_, "\x16\x03") for @s[20 .. 39];
    print "holding '"$port"'\n"; sleep 100;'
holder=$server
server=$served
port=$at
printf 'hello\n' | tls "$port"
[ "$(cat out)" = hello ]
ok $? "60 clients that say nothing, one byte or two delay nobody"
printf 'hello\n' | plain
[ "$(cat out)" = hello ]
ok $? "of either kind"
kill "$holder" 2>/dev/null
stop
[ "$server_rc" -eq 0 ]
ok $? "a clean end"

# nobody says anything for two seconds but one byte: the server sleeps
serve $id --plain-too --once -o handshake-timeout=2s
before=$(ticks)
perl -MIO::Socket::INET -e '
    my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die;
    syswrite($s, "\x16");
    1 while sysread($s, my $buf, 100);
    open(my $f, "<", "/proc/$ARGV[1]/stat") or exit;
    my $l = <$f>; $l =~ s/.*\) //; my @f = split(/ /, $l);
    print $f[11] + $f[12]' "$port" "$server" >after
wait "$server"
[ "$?" -eq 7 ] && grep -q ': timeout$' log
ok $? "one byte and no more: the handshake's time is up"
[ $(($(cat after) + 0)) -lt $((before + 100)) ]
ok $? "and the wait costs nothing"

once() { # EXIT SLUG NAME BYTES: a client that sends BYTES and ends
    serve $id --plain-too --once -o handshake-timeout=5s
    printf "$4" | perl -MIO::Socket::INET -e '
        my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die;
        local $/; my $bytes = <STDIN>;
        syswrite($s, $bytes) if length $bytes;
        shutdown($s, 1);
        print while defined($_ = <$s>);' "$port" >out 2>err
    wait "$server"
    rc=$?
    [ "$rc" -eq "$1" ] && { [ -z "$2" ] || grep -q ": $2\$" log; }
    ok $? "$3"
}
once 4 closed-in-handshake "a client that ends without a word" ''
once 4 closed-in-handshake "a client that ends within the first record" \
    '\026\003\001\000'
once 0 '' "a client that sends one byte, and it is plaintext" 'x'
[ "$(cat out)" = x ]
ok $? "has its answer"

serve $id --plain-too --exec -- tr a-z A-Z
printf 'shout\n' | plain
[ "$(cat out)" = SHOUT ]
ok $? "--exec: the end of plaintext reaches the program"
printf 'shout\n' | tls "$port"
[ "$(cat out)" = SHOUT ]
ok $? "as that of TLS does"
stop
printf 'fixed\n' >reply
serve $id --plain-too --reply reply
printf x | plain
cmp -s reply out
ok $? "--reply"
stop
printf 'file\n' >site/a.txt
cp big site/big
serve $id --plain-too --files site
printf 'GET /a.txt HTTP/1.0\r\n\r\n' | plain
[ "$(tail -1 out)" = file ]
ok $? "--files"
printf 'GET /big HTTP/1.0\r\n\r\n' | plain
tail -c 3000000 out | cmp -s - big
ok $? "three megabytes of a file"
stop
serve $id --plain-too --json --once
printf x | plain
wait "$server"
grep -q '"event":"ready".*"plain_too":true' serve.out &&
    grep -q '"event":"end".*"state":"plain","starttls":null' serve.out
ok $? "--json says plain"

bad() { # CAUSE-REGEX FIX-REGEX ARGS...
    cause=$1
    valid=$2
    shift 2
    run serve $id "$@"
    [ "$rc" -eq 2 ] && grep -Eq "^  cause: .*($cause)" err &&
        grep -Eq -- "^  fix: .*($valid)" err
    ok $? "refused: serve $*"
}
bad 'other machines' '--allow-plain-remote' '*:0' --plain-too
bad 'together' 'leave one' :0 --plain-too --starttls smtp
bad 'no certificate|certificate' 'leave one' :0 --plain-too \
    --client-auth require --ca "$ca"
bad 'allows nothing' '--plain-too' :0 --allow-plain-remote
bad 'takes no value' . :0 --plain-too=yes
rm -f port
"$tlsock" serve "unix:$dir/sock" $id --plain-too --port-file port \
    >serve.out 2>log &
server=$!
pids="$pids $server"
until [ -s port ]; do kill -0 "$server" || break; done
perl -MIO::Socket::UNIX -e '
    my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die;
    syswrite($s, "local"); shutdown($s, 1); print <$s>' "$dir/sock" >out
[ "$(cat out)" = local ]
ok $? "over a UNIX socket"
stop
rm -f port
mkfifo port
"$tlsock" serve '*:0' $id --plain-too --allow-plain-remote --port-file port \
    >serve.out 2>log &
server=$!
pids="$pids $server"
port=$(timeout 30 cat port)
printf 'far\n' | plain
[ "$(cat out)" = far ]
ok $? "--allow-plain-remote"
stop
finish
