#!/bin/sh
# ca serve and those who take more than their part: connections, bytes that
# come one by one, nonces, accounts and orders; and somebody else at work in
# the CA's directory, who keeps nobody waiting who needs nothing of that.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
run ca init
[ "$rc" -eq 0 ] && "$tlsock" ca crl >log 2>&1
ok $? "a CA"
home=$dir/data/tlsock/ca
export PYTHONPATH="$here/../torture" PYTHONDONTWRITEBYTECODE=1

ca_serve() {
    rm -f port
    mkfifo port
    "$tlsock" ca serve 127.0.0.1:0 --port-file port "$@" >serve.out 2>log \
        </dev/null &
    server=$!
    pids="$pids $server"
    port=$(timeout 30 cat port)
}
end() {
    kill "$server"
    wait "$server"
    ok $? "it ends as it should"
}
claims() { # WHAT ARGUMENT...
    timeout 300 python3 "$here/ca_limits.py" "$port" "$@" >claims 2>err
    rc=$?
    while read -r bad claim; do
        ok "$bad" "$claim"
    done <claims
    [ "$rc" -eq 0 ]
    ok $? "$1: all of it"
}

ca_serve --max-per-address 4
claims connections 4
grep -q '^  cause: 127.0.0.2 has 4 connections' log &&
    [ "$(grep -c 'has 4 connections' log)" -eq 1 ]
ok $? "which is said, and not each time"
end

# a CRL that is long: what it holds is nobody's affair here
ca_serve
head -c 24000000 /dev/zero >"$home/crl.der"
claims whole /crl
end
ca_serve --timeout 500ms
claims slow /crl
end
run ca crl
[ "$rc" -eq 0 ] && openssl crl -inform DER -in "$home/crl.der" -noout 2>err
ok $? "a CRL again"

run ca serve --help
if ! grep -q -e '--acme' out || "$tlsock" version | grep -qi 'acme *no'; then
    skip "limits of ACME" "this build has no ACME"
    finish
fi
www=$(python3 -c '
import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
acme="--acme --resolve order.test=127.0.0.1 --validate-port $www"
# shellcheck disable=SC2086
ca_serve $acme
claims locked "$www" "$home"
claims nonces "$www"
claims accounts "$www"
end
# shellcheck disable=SC2086
ca_serve $acme
claims orders "$www"
end
# shellcheck disable=SC2086
ca_serve $acme
claims all_orders "$www"
end
each=16
more=
for i in $(seq 0 $((each + 3))); do
    more="$more --resolve n$i.order.test=127.0.0.1"
done
# shellcheck disable=SC2086
ca_serve $acme $more
claims checks "$www" $each
end
# shellcheck disable=SC2086
ca_serve $acme --timeout 2s
claims locked_long "$www" "$home"
end
for kind in unused used; do
    port=0
    serials='[]'
    [ "$kind" = unused ] || serials='["00"]'
    claims store "$home/acme-accounts.json" "$serials"
    # shellcheck disable=SC2086
    ca_serve $acme
    claims full "$www" "$home/acme-accounts.json" "$kind"
    end
done

for flag in --max-connections --max-per-address; do
    for n in 0 -1 1000001 x; do
        run ca serve 127.0.0.1:0 "$flag" "$n"
        [ "$rc" -eq 2 ] && grep -q -e "$flag" err
        ok $? "$flag \"$n\" is refused"
    done
done
finish
