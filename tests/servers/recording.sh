#!/bin/sh
# A recording of either side, read by tshark without a file of keys.
. "$(dirname "$0")/lib.sh"
need tshark
make_bed_pki
c="connect --ca $ca --name app.test"

shown() { # FILE: what was decrypted of the application's data, as hex
    tshark -r "$1" -d "tcp.port==$port,tls" -T fields -e data.data \
        -e data.text -Y data 2>tshark.err
}

handshakes() { # FILE: numbers of the handshake's messages
    tshark -r "$1" -d "tcp.port==$port,tls" -T fields \
        -e tls.handshake.type -Y tls.handshake 2>>tshark.err | tr '\n' ','
}

for version in 1.2 1.3; do
    serve --cert "$chain" --key "$key" --pcap "server$version.pcapng"
    printf 'words-of-%s' "$version" | timeout 30 "$tlsock" $c \
        --tls "$version" --pcap "client$version.pcapng" \
        "127.0.0.1:$port" >out 2>err
    grep -q "words-of-$version" out
    ok $? "TLS $version: a connection"
    stop
    hex=$(printf 'words-of-%s' "$version" | od -An -tx1 | tr -d ' \n')
    shown "client$version.pcapng" >out
    [ "$(grep -c "$hex" out)" -eq 2 ]
    ok $? "TLS $version: tshark decrypts what the client recorded"
    shown "server$version.pcapng" >out
    [ "$(grep -c "$hex" out)" -eq 2 ]
    ok $? "TLS $version: and what the server recorded"
    # a Finished is encrypted in both versions
    [ "$(handshakes "client$version.pcapng" | grep -o '\b20\b' | wc -l)" -eq 2 ]
    ok $? "TLS $version: also the handshake"
    tshark -r "client$version.pcapng" -o tcp.check_checksum:TRUE \
        -Y 'tcp.checksum.status == "Bad" || tcp.analysis.flags || _ws.malformed' \
        >out 2>err
    [ ! -s out ]
    ok $? "TLS $version: numbers and sums of TCP are right"
done

# the dialogue of STARTTLS is in front, in the same stream
serve --cert "$chain" --key "$key" --starttls smtp
printf 'words' | timeout 30 "$tlsock" $c --starttls smtp --pcap smtp.pcapng \
    "127.0.0.1:$port" >out 2>err
tshark -r smtp.pcapng -d "tcp.port==$port,smtp" -T fields \
    -e smtp.command_line -Y smtp.req.command >out 2>tshark.err
[ "$(sed 's/[ \\].*//' out | tr '\n' ' ')" = "EHLO STARTTLS " ]
ok $? "tshark reads what was said for STARTTLS"
tshark -r smtp.pcapng -d "tcp.port==$port,smtp" -T fields \
    -e tls.handshake.type -Y tls.handshake >out 2>>tshark.err
[ "$(tr '\n' ',' <out | grep -o '\b20\b' | wc -l)" -eq 2 ]
ok $? "and decrypts what follows"
stop
finish
