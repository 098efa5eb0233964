#!/bin/sh
# --trace, --pcap and TLSOCK_TRACE: what the tool shows of its connections.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
make_pki
ca=pki/root.pem
c="connect --ca $ca --name app.test --repeat 1"
chain=pki/good.pem key=pki/good.key

# Blocks of pcapng follow each other up to the end: their types, one a letter.
blocks() {
    perl -e '
        local $/;
        my $all = <STDIN>;
        my %letter = (0x0A0D0D0A, "H", 1, "I", 6, "P", 10, "K");
        for (my $at = 0; $at < length $all;) {
            my ($type, $len) = unpack "LL", substr $all, $at, 8;
            exit 1 if $len < 12 || $at + $len > length $all;
            exit 1 if unpack("L", substr $all, $at + $len - 4, 4) != $len;
            print $letter{$type} // exit 1;
            $at += $len;
        }' <"$1"
}

serve --cert "$chain" --key "$key" --trace --pcap server.pcapng
run $c --trace "127.0.0.1:$port"
[ "$rc" -eq 0 ] &&
    grep -q "^127.0.0.1:$port > TLSv1.3 ClientHello .*sni=app.test" err &&
    grep -q "^127.0.0.1:$port < TLSv1.3 Finished" err
ok $? "--trace shows each message"
grep -q ' < TLSv1.3 ClientHello .*sni=app.test' log &&
    grep -q ' > TLSv1.3 Certificate .*subject=' log
ok $? "on a server as well"
run $c --trace --color always "127.0.0.1:$port"
grep -q "$(printf '^\033\\[36m127.*ClientHello')" err
ok $? "in colour where it is wanted"
run $c --tls -1.2 --trace "127.0.0.1:$port"
grep -q ' < TLSv1.2 ServerHello .*version=1.2' err
ok $? "of TLS 1.2, too"
run connect --ca "$ca" --name wrong.test --repeat 1 --trace "127.0.0.1:$port"
[ "$rc" -eq 5 ] && grep -q ' > TLSv1.3 Alert 2 fatal bad certificate' err
ok $? "and alerts, by name"

run $c --pcap one.pcapng "127.0.0.1:$port"
[ "$rc" -eq 0 ] && [ "$(stat -c %a one.pcapng)" = 600 ] &&
    blocks one.pcapng | grep -Eq '^HIPPPPK+PP+$'
ok $? "--pcap: packets with their secrets in front of them, mode 0600"
cp one.pcapng before
run $c --pcap one.pcapng "127.0.0.1:$port"
refused "a second time" 6 own-file 'one.pcapng' 'another file'
cmp -s before one.pcapng
ok $? "a file that is there stays as it is"
kill -9 "$server"
wait "$server" 2>/dev/null
blocks server.pcapng >types && grep -q K types && grep -q P types
ok $? "whoever is killed leaves a whole file"

serve --cert "$chain" --key "$key"
printf 'keylog = forbid\n' >p.conf
TLSOCK_POLICY=$dir/p.conf run $c --pcap two.pcapng "127.0.0.1:$port"
[ "$rc" -eq 8 ]
ok $? "--pcap is refused where a policy forbids secrets"
run fingerprint --ca "$ca" --name app.test --trace "127.0.0.1:$port"
grep -q ' > TLSv1.3 ClientHello' err
ok $? "other commands have the same flags: fingerprint"
run cert show "127.0.0.1:$port" --pcap show.pcapng --trace
blocks show.pcapng | grep -q K && grep -q ' < TLSv1.3 Certificate' err
ok $? "cert show"
run check --ca "$ca" --name app.test "127.0.0.1:$port" --pcap check.pcapng
blocks check.pcapng | grep -q K
ok $? "check"

TLSOCK_TRACE=stderr run $c "127.0.0.1:$port"
grep -Eq "^[0-9:.]+Z [0-9]+ 127.0.0.1:$port > TLSv1.3 ClientHello" err
ok $? "TLSOCK_TRACE=stderr"
TLSOCK_TRACE=$dir/trace run $c "127.0.0.1:$port"
[ "$(stat -c %a trace)" = 600 ] && grep -q 'ClientHello' trace &&
    ! grep -q 'ClientHello' err
ok $? "TLSOCK_TRACE=FILE, mode 0600"
TLSOCK_TRACE=/no/such/file run $c "127.0.0.1:$port"
[ "$rc" -eq 0 ] && ! grep -q 'ClientHello' err
ok $? "where it cannot be written nothing else happens"
stop
finish
