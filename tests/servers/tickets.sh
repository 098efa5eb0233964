#!/bin/sh
# Machines of a fleet, each in a network of its own, whose secret of tickets is
# in a real Redis, a file or a variable: a client, openssl s_client, takes its
# session from one to the other. Redis is reached by TLS, with a password and a
# certificate of ours; then it is killed.
. "$(dirname "$0")/lib.sh"
need redis-server redis-cli ip openssl

# Two networks beside that of this test, each on a wire of its own.
if ! ip netns add "tlsock-a$$" 2>err; then
    skip "machines in networks of their own" "$(head -1 err)"
    finish
fi
ip netns add "tlsock-b$$" || give_up "one network, and not a second one"
end_networks() {
    for p in $pids; do
        kill "$p" 2>/dev/null
    done
    wait
    pids=
    ip netns del "tlsock-a$$"
    ip netns del "tlsock-b$$"
    clean_up
}
trap end_networks EXIT
net=198.18.$(($$ % 250))
wire() { # NAME NUMBER: the test's end is .N1, the machine's .N2
    ip link add "tlsock$1$$" type veth peer name eth0 netns "tlsock-$1$$" &&
        ip addr add "$net.${2}1/30" dev "tlsock$1$$" &&
        ip link set "tlsock$1$$" up &&
        ip -n "tlsock-$1$$" addr add "$net.${2}2/30" dev eth0 &&
        ip -n "tlsock-$1$$" link set eth0 up &&
        ip -n "tlsock-$1$$" link set lo up ||
        give_up "no wire to network $1"
}
wire a 4 # .41 and .42 are of one /30, and so are .81 and .82
wire b 8

make_bed_pki
"$tlsock" cert new "$net.41" "$net.81" 127.0.0.1 --self-signed --out redis \
    >log 2>&1 || give_up "no certificate for Redis"
cat pki/client.pem pki/client.key >us.pem
chmod 600 us.pem
mkdir keep && chmod 700 keep

redis_up() {
    cat >redis.conf <<END
port 0
tls-port $port
bind 127.0.0.1 $net.41 $net.81
tls-cert-file $dir/redis.pem
tls-key-file $dir/redis.key
tls-ca-cert-file $ca
tls-auth-clients yes
requirepass pass/word
save ""
dir $dir/keep
END
    background redis-server redis.conf
}
bed redis_up
redis=$port redis_pid=$server
cli() {
    redis-cli --tls -p "$redis" --cacert redis.pem --cert pki/client.pem \
        --key pki/client.key --no-auth-warning -a pass/word "$@"
}
printf 'pass/word\n' >password
chmod 600 password

source_of() { # HOST [KEY] [MORE]
    echo "rediss://$1:$redis/3?key=${2:-tickets}&ca=$dir/redis.pem&cert=$dir/us.pem${3:-&pass=file:$dir/password}"
}
# A server in network a or b; where it is goes to $at.
machine() { # a|b ARGS...
    m=$1
    shift
    [ "$m" = a ] && host=$net.42 || host=$net.82
    rm -f port
    mkfifo port
    ip netns exec "tlsock-$m$$" "$tlsock" serve "$host:0" --port-file "$dir/port" \
        --cert "$chain" --key "$key" "$@" >>serve.out 2>>"machine-$m.log" \
        </dev/null 3>&- &
    server=$!
    pids="$pids $server"
    at=$host:$(timeout 30 cat port)
}
# One connection, verified, that has got what it sent; with the session in
# $ses, if there is one, and then with a new one in it. 0: it was resumed.
visit() { # HOST:PORT 1_2|1_3
    offer=
    [ -s "$ses" ] && offer="-sess_in $ses"
    turns '' 'hello\n' '\nhello' 'Q\n' -- openssl s_client -connect "$1" \
        "-tls$2" -servername app.test -CAfile "$ca" -verify_return_error \
        -verify_hostname app.test $offer -sess_out "$ses.new"
    [ "$rc" -eq 0 ] || give_up "no connection to $1: $(tail -3 "$dir/err")"
    [ ! -s "$ses.new" ] || mv "$ses.new" "$ses"
    grep -q '^Reused' "$dir/out"
}
# The same until the machine has its secret, and resumes its own.
knows() { # HOST:PORT
    ses=$dir/own
    rm -f "$ses"
    for _ in $(seq 200); do
        visit "$1" 1_3 && return 0
    done
    return 1
}
passes() { # FROM TO VERSION
    ses=$dir/ses
    rm -f "$ses"
    visit "$1" "$3" && give_up "a new session was resumed"
    visit "$2" "$3"
}

machine a -o tickets.secret="$(source_of "$net.41")"
a=$at
machine b -o tickets.secret="$(source_of "$net.81" tickets '' |
    sed "s,rediss://,rediss://:pass%2fword@,; s,&pass=[^&]*,,")"
b=$at
knows "$a"
ok $? "one machine gets the secret from Redis, by TLS"
knows "$b"
ok $? "and so does the other one, with the password in the URL"
for v in 1_2 1_3; do
    passes "$a" "$b" $v
    ok $? "a session won at one is resumed at the other, TLS $v"
    passes "$b" "$a" $v
    ok $? "and the other way round, TLS $v"
done
[ "$(cli -n 3 get tickets | tr -d '\n' | wc -c)" -eq 64 ]
ok $? "the first machine has made the secret"

machine b -o tickets.secret="$(source_of "$net.81" others)"
other=$at
knows "$other"
ok $? "a machine of another fleet has its secret"
for v in 1_2 1_3; do
    passes "$a" "$other" $v
    [ $? -eq 1 ]
    ok $? "it does not resume the sessions of this one, TLS $v"
done

# changed: the new secret issues, the old one still opens; then it is gone
old=$(cli -n 3 get tickets)
new=$(openssl rand -hex 32)
cli -n 3 set tickets "$(printf '%s\n%s' "$new" "$old")" >/dev/null
machine b -o tickets.secret="$(source_of "$net.81")"
both=$at
knows "$both"
ok $? "two secrets: a machine that was started anew"
passes "$a" "$both" 1_3
ok $? "two secrets: the old one opens"
passes "$both" "$a" 1_3
[ $? -eq 1 ]
ok $? "two secrets: the new one issues"
cli -n 3 set tickets "$new" >/dev/null
machine b -o tickets.secret="$(source_of "$net.81")"
knows "$at"
ok $? "the new secret alone"
passes "$both" "$at" 1_2
ok $? "the new secret alone: what it issued is resumed"
passes "$a" "$at" 1_2
[ $? -eq 1 ]
ok $? "the new secret alone: what the old one issued is not"

# Redis is gone, and nobody notices
kill -9 "$redis_pid"
wait "$redis_pid" 2>/dev/null
for v in 1_2 1_3; do
    passes "$a" "$b" $v
    ok $? "Redis is killed: the fleet goes on, TLS $v"
done
machine a -o tickets.secret="$(source_of "$net.41")" -v
late=$at
passes "$late" "$late" 1_3
[ $? -eq 1 ]
ok $? "Redis is killed: a new machine serves, by full handshakes"
for _ in $(seq 200); do
    grep -q 'nothing is resumed' machine-a.log && break
    visit "$late" 1_3
done
grep -q "tickets in Redis at $net.41:$redis: .*nothing is resumed" machine-a.log
ok $? "Redis is killed: it says why"
grep -q 'pass.word' machine-a.log machine-b.log
[ $? -eq 1 ]
ok $? "no log knows the password"

# without any Redis
umask 077
openssl rand -hex 32 >secret
machine a -o tickets.secret="file:$dir/secret"
a=$at
SECRET=$(cat secret) machine b -o tickets.secret=env:SECRET
b=$at
for v in 1_2 1_3; do
    passes "$a" "$b" $v
    ok $? "a file here, a variable there, TLS $v"
done
machine b
passes "$a" "$at" 1_3
[ $? -eq 1 ]
ok $? "a machine without a secret has one of its own"
chmod 644 secret
run serve 127.0.0.1:0 --cert "$chain" --key "$key" \
    -o tickets.secret="file:$dir/secret"
refused "a secret that everybody may read" 6 own-file 'mode 0644' 'chmod 600'
finish
