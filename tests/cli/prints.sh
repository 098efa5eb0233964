#!/bin/sh
# fingerprint of TLS programs: captures in every form, clients that come to
# --listen, the two hellos of a connection. The hellos of the captures are those
# that JA4 and JA3 were published with, so the values are known beforehand.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
client='ja4 t13d1516h2_8daaf6152771_e5627efa2ab1  ja3 c000e2caf3a25423f9de6c8a4b12a975$'
server='ja3s 836ce314215654b5b1f85f97c73e506f$'

# Number of lines of out that match.
lines() {
    grep -c "$1" out
}

# Without libpcap a capture is known as one, and that is all.
without_captures() {
    perl "$here/capture.pl" ethernet >ethernet.pcap
    perl "$here/capture.pl" pcapng >pcapng.pcap
    for k in ethernet pcapng; do
        run fingerprint $k.pcap
        refused "$k: built without libpcap" 6 unsupported \
            'is a capture, and tlsock was built without libpcap' 'tlsock version'
    done
    run fingerprint --json ethernet.pcap
    [ "$rc" -eq 6 ] && grep -q '"code":"unsupported"' out
    ok $? "--json says so, too"
}

with_captures() {
# --- links, orders, pieces: the same two hellos in each of them
good="ethernet vlan qinq sll sll2 raw v4 v6 v6-raw v6-options null loop order
      twice overlap midstream split bytes long retry pcapng
      smtp ftp postgres connect socks wordy"
for k in $good; do
    perl "$here/capture.pl" "$k" >"$k.pcap" || echo "Bail out! $k"
done
set --
for k in $good; do
    set -- "$@" "$k.pcap"
done
run fingerprint "$@"
[ "$rc" -eq 0 ] && [ "$(lines "^client .* sni app.test  $client")" -eq $# ] &&
    [ "$(lines "^server .*  $server")" -eq $# ] &&
    [ "$(lines '1 hellos of clients, 1 of servers$')" -eq $# ] &&
    ! grep -q '^left out' out
ok $? "each of 27 captures has the two hellos"
[ "$(lines '^client .*\[2001:db8::1\]:50000 > \[2001:db8::2\]:443 ')" -eq 3 ]
ok $? "IPv6 is written as it is"

# --- and what has none, or not all
for k in lost quic many http plain malformed cut unknown; do
    perl "$here/capture.pl" "$k" >"$k.pcap" || echo "Bail out! $k"
done
run fingerprint lost.pcap quic.pcap many.pcap malformed.pcap plain.pcap http.pcap
left() { # REGEX
    [ "$rc" -eq 0 ] && [ "$(lines "^left out .*$1")" -eq 1 ]
    ok $? "left out: $1"
}
left ' 1 streams that are not all there'
left ' 1 QUIC packets, 1 fragments'
left ' 5000 streams'
left ' 1 malformed'
[ "$(lines '^client')" -eq 0 ] && [ "$(lines '^left out')" -eq 4 ] &&
    [ "$(tail -1 out)" = \
        "capture    2 packets: 0 hellos of clients, 0 of servers" ]
ok $? "what is no TLS is passed over"
run fingerprint cut.pcap
[ "$(lines "$client")" -eq 1 ]
ok $? "what comes before the end of a cut file is told"
refused "cut" 6 own-file 'ends after 3 packets' 'completely'
run fingerprint unknown.pcap
refused "unknown link" 6 unsupported 'not read' 'Ethernet'
head -c 20 ethernet.pcap >head.pcap
run fingerprint head.pcap
refused "no more than a head" 6 own-file 'cannot read the capture' 'tcpdump'

# --- JSON
run fingerprint --json ethernet.pcap quic.pcap
perl "$here/schema.pl" "$HELLO_SCHEMA" <out >err 2>&1
ok $? "--json is as the schema says"
[ "$rc" -eq 0 ] && grep -q '"ja4_o":"t13d1516h2_acb858a92679_18f69afefd3d"' out &&
    grep -q '"ja3s_raw":"769,47,65281-0-11-35-5-16"' out &&
    grep -q '"sni":"app.test"' out && grep -q '"time":"2026-01-01T00:00:00Z"' out
ok $? "with every variant"
run fingerprint -v ethernet.pcap
[ "$(lines '^           ja')" -eq 9 ]
ok $? "-v has them as text"
}

"$tlsock" version >out 2>err </dev/null
if grep -q '[+]pcap' out; then
    with_captures
else
    grep -q -e '-pcap' out
    ok $? "version says that there is no libpcap"
    without_captures
fi

# --- clients that come
rm -f port
mkfifo port
timeout 60 "$tlsock" fingerprint --listen 127.0.0.1:0 --count 2 --port-file port \
    >listen.out 2>log </dev/null &
server_pid=$!
pids="$pids $server_pid"
port=$(timeout 30 cat port)
run connect "127.0.0.1:$port"
[ "$rc" -eq 4 ] && grep -q 'access.denied' err
ok $? "--listen answers with an alert"
echo "nonsense, and no TLS at all" | perl "$here/talk.pl" "$port" >/dev/null 2>&1
wait "$server_pid"
[ $? -eq 0 ] && grep -q '^ready ' listen.out &&
    [ "$(grep -c '^client .*  ja4 t13i.*  ja3 ' listen.out)" -eq 1 ]
ok $? "and tells of the hello, if there is one"

rm -f port
mkfifo port
timeout 60 "$tlsock" fingerprint --listen 127.0.0.1:0 --count 2 --answer certificate \
    --json --port-file port >listen.out 2>log </dev/null &
server_pid=$!
pids="$pids $server_pid"
port=$(timeout 30 cat port)
run connect --insecure "localhost:$port"
kept=$rc
run fingerprint --json "localhost:$port"
wait "$server_pid"
[ $? -eq 0 ] && [ "$kept" -eq 0 ]
ok $? "--answer certificate lets in"
perl "$here/schema.pl" "$HELLO_SCHEMA" <listen.out >err 2>&1
ok $? "its JSON is as the schema says"
own=$(sed -n 's/.*"own_ja4":"\([^"]*\)".*/\1/p' out)
[ -n "$own" ] && [ "$(grep -c "\"ja4\":\"$own\"" listen.out)" -ge 1 ] &&
    grep -q '"ja3s":"[0-9a-f]*"' out
ok $? "what a host is told of us is what it sees"

# --- lines that mean nothing
usage() { # NAME ARGUMENT...
    name=$1
    shift
    run fingerprint "$@"
    [ "$rc" -eq 2 ]
    ok $? "$name is a usage error"
}
usage "nothing" --quiet
usage "--listen with a file" --listen :0 ethernet.pcap
usage "--count without --listen" --count 1 ethernet.pcap
usage "--answer of something else" --listen :0 --answer maybe
run fingerprint --listen nowhere:0:0
[ "$rc" -ne 0 ] && [ -s err ]
ok $? "an address that is none is said"
finish
