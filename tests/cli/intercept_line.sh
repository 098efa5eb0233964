#!/bin/sh
# intercept: limits and the CA's password as the line gives them, what --quiet
# leaves out, and that each line for programs is what the schema says.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
make_pki || exit 1
printf 'the page\n' >page
own=$dir/data/tlsock/intercept/ca.pem
schema=${INTERCEPT_SCHEMA:?set INTERCEPT_SCHEMA to the schema}

# intercept OPTION...: a proxy at $proxy, what it says in lines
intercept() {
    interceptor lines said --ca pki/root.pem "$@"
}
# a client of NAME by CONNECT, which trusts FILE
via() {
    printf 'x\n' | timeout 30 openssl s_client -quiet -verify_return_error \
        -proxy "127.0.0.1:$proxy" -connect "localhost:$port" -servername "$1" \
        -CAfile "$2" >out 2>err
}
got() {
    [ "$(cat out)" = "the page" ]
}
# talk SCRIPT: Perl that has $port, and to($n) for a socket to the proxy
talk() {
    timeout 60 perl -MIO::Socket::INET -MIO::Select -e '
        my ($proxy, $port) = (shift, shift);
        sub to { IO::Socket::INET->new("127.0.0.1:$proxy") or die }
        sub asks { my $s = to(); print $s "CONNECT localhost:$port HTTP/1.1\r\n\r\n";
            $s }
        sub answer { my $l = readline $_[0]; defined $l ? $l : "" }
        '"$1" "$proxy" "$port" >out 2>err
}

serve --cert pki/good.pem --key pki/good.key --reply page
intercept -q --log events
via localhost "$own"
got && [ ! -s lines ] && [ ! -s said ] && [ -s events ] && [ -s "$own" ]
ok $? "-q: nothing is said, neither that it is ready nor what it does"
end
[ "$middle_rc" -eq 0 ] && [ ! -s lines ] && [ ! -s said ]
ok $? "nor at the end"
intercept
via localhost "$own"
got && grep -q "^ready " lines && grep -q " open " lines
ok $? "without -q it is"
end
for what in "--cert pki/good.pem --key pki/good.key" "--misbehave expired --pki pki"; do
    rm -f ready.port
    mkfifo ready.port
    # shellcheck disable=SC2086
    "$tlsock" serve 127.0.0.1:0 -q --port-file ready.port $what >quiet 2>&1 \
        </dev/null &
    quiet=$!
    pids="$pids $quiet"
    quiet_port=$(timeout 30 cat ready.port)
    kill "$quiet"
    wait "$quiet"
    [ -n "$quiet_port" ] && [ ! -s quiet ]
    ok $? "-q: serve $what"
done

# Each kind of line
rm -f events
intercept --json --log events --deny wild.test --deny '*.wild.test' \
    --pass 127.0.0.2
via localhost "$own"
via a.wild.test "$own"
via localhost pki/root.pem
via localhost pki/root.pem
via localhost pki/root.pem
got
ok $? "a client is let in, denied, refuses twice, is passed"
talk 'my $s = to(); print $s "GET / HTTP/1.1\r\n\r\n"; print <$s>'
talk 'my $s = to(); print $s "CONNECT localhost:1 HTTP/1.1\r\n\r\n"; print <$s>'
talk 'my $s = asks(); print answer($s); answer($s); print $s "no TLS\n";
    print <$s>'
end
perl "$here/schema.pl" "$schema" '$o->{event} ne "ready"' <lines >out
ok $? "--json: every line is what the schema says"
perl "$here/schema.pl" "$schema" <events >out &&
    ! grep -q '"event":"ready"' events
ok $? "--log: the same, but for the first line"
for kind in open end deny fail pass plain; do
    grep -q "\"event\":\"$kind\"" events
    ok $? "there is a line of kind $kind"
done
head -1 lines | perl "$here/schema.pl" "$schema" '$o->{event} eq "ready" &&
    $o->{port} == '"$proxy"' && $o->{ca} eq "'"$own"'" && !$o->{insecure}' >out
ok $? "the first line tells the port and the CA"
intercept --json --insecure
end
head -1 lines | perl "$here/schema.pl" "$schema" '$o->{insecure} eq "all"' >out
ok $? "and that nothing is verified, if so"
for change in 's/"event":"open"/"event":"opened"/' 's/"id":\d+/"id":0/' \
    's/"up":\{/"up":{"more":1,/' 's/"sni":"[^"]*",//' 's/"ja4":"t/"ja4":"x/' \
    's/"resumed":(true|false)/"resumed":"no"/'; do
    grep '"event":"open"' events | perl -pe "$change" >changed
    ! perl "$here/schema.pl" "$schema" <changed >out && [ -s changed ]
    ok $? "the schema refuses $change"
done

# Who does not say in time where it wants to go; bytes that drip give no time.
intercept --hello-time 300ms --log slow
talk 'my $s = to(); print answer($s) eq "" ? "closed" : "?"'
[ "$(cat out)" = closed ] &&
    grep -q '"event":"fail".*did not say in time' slow
ok $? "--hello-time: a client that says nothing"
talk 'my $s = to(); $SIG{PIPE} = "IGNORE"; $s->autoflush(1); my $n = 0;
    print $s "CONNECT localhost:$port HTTP/1.1\r\nX: ";
    until (IO::Select->new($s)->can_read(0.05)) { print $s "x"; $n++ }
    print answer($s) eq "" ? "closed" : "?"'
[ "$(cat out)" = closed ] && [ "$(grep -c 'did not say in time' slow)" -eq 2 ]
ok $? "nor one that drips"
talk 'my $s = asks(); print answer($s); answer($s);
    print $s "\x16\x03\x01\x02"; print answer($s) eq "" ? "closed" : "?"'
grep -q '^HTTP/1.1 200' out && grep -q closed out
ok $? "nor one whose ClientHello does not end"
end
intercept --hello-time 1h --log slow
talk 'my $s = to(); $s->autoflush(1); print $s "CONNECT localhost:$port ";
    print IO::Select->new($s)->can_read(0.5) ? "?" : "waits";
    print $s "HTTP/1.1\r\n\r\n"; print answer($s)'
grep -q 'waitsHTTP/1.1 200' out
ok $? "one that may take longer is waited for"
end

# The third one waits until one of two has gone.
intercept --max-connections 2
talk 'my @s = map { asks() } 1 .. 2; print answer($_) for @s;
    my $t = asks();
    print IO::Select->new($t)->can_read(0.5) ? "too many\n" : "waits\n";
    close $s[0]; print answer($t)'
[ "$(grep -c '^HTTP/1.1 200' out)" -eq 3 ] &&
    [ "$(sed -n 3p out)" = waits ]
ok $? "--max-connections: who is too many waits, and is served then"
end
intercept --max-connections 3
talk 'my @s = map { asks() } 1 .. 3; print answer($_) for @s'
[ "$(grep -c '^HTTP/1.1 200' out)" -eq 3 ]
ok $? "and three have room where three may come"
end

# A CA whose key is encrypted
cp "$own" ca.pem
printf 'correct\n' >pw
printf 'wrong\n' >not
openssl pkey -in "${own%.pem}.key" -aes256 -passout pass:correct -out sealed.key
for pass in file:pw env:CA_PW; do
    export CA_PW=correct
    intercept --ca-cert ca.pem --ca-key sealed.key --ca-pass $pass
    via localhost ca.pem
    got
    ok $? "--ca-pass $pass"
    end
done
cat ca.pem sealed.key >both.pem
intercept --ca-cert both.pem --ca-pass file:pw
via localhost ca.pem
got
ok $? "--ca-pass of a key beside its certificate"
end
with() { # OPTION...: it is not to begin
    run intercept --listen 127.0.0.1:0 --ca-cert ca.pem --ca-key sealed.key "$@"
}
with --ca-pass file:not
refused "a wrong password" 6 password 'sealed.key' '.'
with
refused "none" 6 password 'sealed.key' '.'
with --ca-pass file:nowhere
refused "a file that is not there" 6 password 'nowhere' '.'
with --ca-pass correct
refused "a password itself" 2 usage 'ca-pass' 'file:'
finish
