#!/bin/sh
# "intercept --transparent" between two networks: a client that knows of no
# proxy wants to go to a server, the firewall of the machine between them leads
# it to the interceptor, and that goes where the client wanted to go.
. "$(dirname "$0")/lib.sh"
need ip nft openssl

if ! ip netns add "tlsock-m$$" 2>err; then
    skip "machines in networks of their own" "$(head -1 err)"
    finish
fi
ip netns add "tlsock-c$$" && ip netns add "tlsock-s$$" ||
    give_up "one network, and not three"
end_networks() {
    for p in $pids; do
        kill "$p" 2>/dev/null
    done
    wait
    pids=
    for m in m c s; do
        ip netns del "tlsock-$m$$"
    done
    clean_up
}
trap end_networks EXIT
# wire MACHINE NUMBER: it is .2, the machine between them .1
wire() {
    ip -n "tlsock-m$$" link add "to$1" type veth peer name eth0 netns \
        "tlsock-$1$$" &&
        ip -n "tlsock-m$$" addr add "10.9.$2.1/24" dev "to$1" &&
        ip -n "tlsock-m$$" addr add "fd09:$2::1/64" dev "to$1" nodad &&
        ip -n "tlsock-m$$" link set "to$1" up &&
        ip -n "tlsock-$1$$" addr add "10.9.$2.2/24" dev eth0 &&
        ip -n "tlsock-$1$$" addr add "fd09:$2::2/64" dev eth0 nodad &&
        ip -n "tlsock-$1$$" link set eth0 up &&
        ip -n "tlsock-$1$$" link set lo up &&
        ip -n "tlsock-$1$$" route add default via "10.9.$2.1" &&
        ip -n "tlsock-$1$$" route add default via "fd09:$2::1" ||
        give_up "no wire to network $1"
}
ip -n "tlsock-m$$" link set lo up
wire c 1
wire s 2
on() { # MACHINE COMMAND...
    m=$1
    shift
    ip netns exec "tlsock-$m$$" "$@"
}

make_bed_pki
printf 'the page\n' >page
own=$dir/data/tlsock/intercept/ca.pem
# where the server is, by either family
rm -f port
mkfifo port
on s "$tlsock" serve '*:0' --port-file "$dir/port" --cert "$chain" \
    --key "$key" --reply page >serve.out 2>serve.log </dev/null 3>&- &
pids="$pids $!"
port=$(timeout 30 cat port)

# intercept OPTION...: what the client sends to that port comes here
intercept() {
    rm -f iport
    mkfifo iport
    on m "$tlsock" intercept --listen '*:0' --transparent --port-file \
        "$dir/iport" --threads 2 --ca "$ca" --name app.test "$@" >log 2>&1 \
        </dev/null 3>&- &
    middle=$!
    pids="$pids $middle"
    proxy=$(timeout 30 cat iport)
    on m nft -f - <<END || give_up "no rule of the firewall"
flush ruleset
table inet t {
    chain c {
        type nat hook prerouting priority dstnat
        iifname "toc" tcp dport $port redirect to :$proxy
    }
}
END
}
end() {
    kill "$middle"
    wait "$middle" 2>/dev/null
}
# connect ADDRESS CA: the page, if the certificate is by that CA
connect() {
    printf 'x\n' | on c timeout 30 openssl s_client -quiet -connect "$1" \
        -servername app.test -verify_hostname app.test -verify_return_error \
        -CAfile "$2" >out 2>err
}
got() {
    [ "$(cat out)" = "the page" ]
}

for family in 4 6; do
    ip=10.9.2.2 to=10.9.2.2 bits=32 from=10.9.1.2
    [ "$family" = 4 ] ||
        ip=fd09:2::2 to='[fd09:2::2]' bits=128 from=fd09:1::2
    intercept
    connect "$to:$port" "$own"
    got
    ok $? "IPv$family: decrypted on its way"
    grep ' open ' log | grep -Fq " > $to:$port  up "
    ok $? "IPv$family: to the address that the client wanted"
    connect "$to:$port" "$ca"
    ! got
    ok $? "IPv$family: the server's certificate does not come through"
    end
    intercept --pass "$ip/$bits"
    connect "$to:$port" "$ca"
    got && grep -q "pass .*:$port" log
    ok $? "IPv$family: by a rule for its address it is passed"
    end
    intercept --deny "from:$from/$bits"
    connect "$to:$port" "$own"
    ! got && grep -q "deny .*:$port" log
    ok $? "IPv$family: by one for the client's it is denied"
    end
done

# whoever calls the interceptor itself wants to go nowhere
intercept
on m nft flush ruleset
connect "10.9.1.1:$proxy" "$own"
! got && grep -q 'deny .*not redirected here' log
ok $? "who comes without the firewall is denied"
end
finish
