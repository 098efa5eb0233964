#!/bin/sh
# What another reader of captures makes of them: JA3 and JA3S as tshark has them.
. "$(dirname "$0")/lib.sh"
need tshark perl

for k in ethernet vlan qinq sll raw v6 v6-options order twice split long; do
    perl "$here/capture.pl" "$k" >"$k.pcap"
    # a hello in its own packet's line; several are separated by commas
    tshark -n -o tcp.reassemble_out_of_order:TRUE -r "$k.pcap" -T fields \
        -e tls.handshake.ja3 -e tls.handshake.ja3s 2>/dev/null |
        tr '\t,' '\n\n' | sed '/^$/d' | sort >theirs
    run fingerprint "$k.pcap"
    sed -n 's/.*  ja3s* \([0-9a-f]*\)$/\1/p' out | sort >ours
    [ "$rc" -eq 0 ] && [ "$(wc -l <theirs)" -eq 2 ] && cmp -s ours theirs
    ok $? "$k: JA3 and JA3S are the same"
done
finish
