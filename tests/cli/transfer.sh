#!/bin/sh
# TLSOCK_TRANSFER bytes (64 MiB by default) to an echo and back, at once in both
# directions: in plaintext, in TLS, through proxies. The checksums are equal,
# and no process of ours holds more memory than it should, however much passes.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir data
"$tlsock" ca init >err 2>&1 &&
    "$tlsock" cert new app.test localhost --out app.test >err 2>&1
ca=$dir/data/tlsock/ca/ca.pem
id="--cert app.test.pem --key app.test.key"
bytes=${TLSOCK_TRANSFER:-67108864}

# The most memory that a process may have had, in KiB: some MiB of libraries,
# and a few buffers. A sanitizer keeps what was freed, and shadows all.
most=24576
grep -aq '__[at]san_init' "$tlsock" && most=524288

source_of_bytes() { # always the same ones
    openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff \
        -iv 00000000000000000000000000000000 -in /dev/zero 2>/dev/null |
        head -c "$bytes"
}
peak() { # PID: the most memory it has had
    sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status" 2>/dev/null
}
want=$(source_of_bytes | sha256sum)

# Stdin stays open until the last byte is back and memory has been looked at.
transfer() { # NAME COMMAND...
    name=$1
    shift
    rm -f to from hold
    mkfifo to from hold
    "$@" <to >from 2>err &
    client=$!
    pids="$pids $client"
    (source_of_bytes; cat hold >/dev/null) >to &
    feeder=$!
    pids="$pids $feeder"
    exec 5<from
    got=$(timeout 600 head -c "$bytes" <&5 | sha256sum)
    used=$(peak "$client")
    exec 6>hold
    exec 6>&-
    exec 5<&-
    wait "$client"
    rc=$?
    wait "$feeder"
    [ "$rc" -eq 0 ] && [ "$got" = "$want" ]
    ok $? "$name: $bytes bytes there and back"
    echo "# $used KiB"
}
small() { # NAME KIB
    [ "${2:-$most}" -lt "$most" ]
    ok $? "$1: $2 KiB at most, less than $most"
}

serve $id --plain-too
to=$port
echo_server=$server
transfer "plaintext" perl "$here/talk.pl" "$to"
for v in 1.2 1.3; do
    transfer "TLS $v" "$tlsock" connect --ca "$ca" --tls $v --name app.test \
        "127.0.0.1:$to"
    small "connect, TLS $v" "$used"
done
start 'port (\d+)' perl "$here/proxy.pl" http
http=$port
start 'port (\d+)' perl "$here/proxy.pl" socks5
socks=$port
transfer "through HTTP and SOCKS5" "$tlsock" connect --ca "$ca" \
    --proxy "http://127.0.0.1:$http,socks5h://127.0.0.1:$socks" "app.test:$to"
small "connect through HTTP and SOCKS5" "$used"
serve $id --exec -- perl "$here/proxy.pl" stdio http
transfer "through HTTP in TLS" "$tlsock" connect --ca "$ca" \
    --proxy "https://localhost:$port" "app.test:$to"
small "connect through HTTP in TLS" "$used"
small "serve --exec" "$(peak "$server")"
stop
small "serve" "$(peak "$echo_server")"
serve $id --starttls smtp
transfer "STARTTLS" "$tlsock" connect --ca "$ca" --ip 127.0.0.1 \
    "smtp://app.test:$port"
small "connect, STARTTLS" "$used"
stop
finish
