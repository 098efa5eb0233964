#!/bin/sh
# What an interceptor records, read by tshark without a file of keys: each of a
# connection's two sides is there, decrypted, with the addresses it really had.
. "$(dirname "$0")/lib.sh"
need tshark curl
make_bed_pki
own=$dir/data/tlsock/intercept/ca.pem
printf 'HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\nthe answer\n' \
    >answer

# intercept OPTION...: a proxy at $proxy, its lines in log
intercept() {
    interceptor log log --ca "$ca" "$@"
}
# fetch PATH CURL-OPTION...
fetch() {
    path=$1
    shift
    timeout 30 curl -s --proxy "http://127.0.0.1:$proxy" --cacert "$own" "$@" \
        "https://localhost:$port/$path" >out 2>err
}
# what is in the recording: FILTER FIELD...
shown() {
    filter=$1
    shift
    fields=
    for f in "$@"; do
        fields="$fields -e $f"
    done
    # shellcheck disable=SC2086
    tshark -r run.pcapng -d "tcp.port==$port,tls" -d "tcp.port==$proxy,tls" \
        -T fields $fields -Y "$filter" 2>>tshark.err
}

serve --cert "$chain" --key "$key" --reply answer
for version in 1.2 1.3; do
    rm -f run.pcapng
    intercept --pcap run.pcapng
    fetch "words-of-$version" --tlsv$version --tls-max $version
    [ "$(cat out)" = "the answer" ]
    ok $? "TLS $version: a connection through the proxy"
    kill "$middle"
    wait "$middle"
    [ "$(stat -c %a run.pcapng)" = 600 ]
    ok $? "TLS $version: the recording is nobody else's"
    shown http.request http.request.uri tcp.dstport >out
    [ "$(grep -c "/words-of-$version" out)" -eq 2 ] &&
        grep -q "$port\$" out && grep -q "$proxy\$" out
    ok $? "TLS $version: the request, to the proxy and to the server"
    shown 'http.response.code == 200' tcp.srcport http.file_data >out
    [ "$(wc -l <out)" -eq 2 ] && grep -q "^$port" out && grep -q "^$proxy" out
    ok $? "TLS $version: the response, of the server and of the proxy"
    shown 'tls.handshake.type == 20' tcp.stream | sort | uniq -c >out
    [ "$(awk '$1 >= 1' out | wc -l)" -eq 2 ]
    ok $? "TLS $version: both handshakes to their Finished"
    tshark -r run.pcapng -o tcp.check_checksum:TRUE \
        -Y 'tcp.checksum.status == "Bad" || tcp.analysis.flags || _ws.malformed' \
        >out 2>err
    [ ! -s out ]
    ok $? "TLS $version: numbers and sums of TCP are right"
done

# nothing is there twice, and nothing is mixed up, of many at once
rm -f run.pcapng
intercept --pcap run.pcapng
many=
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    timeout 30 curl -s --proxy "http://127.0.0.1:$proxy" --cacert "$own" \
        "https://localhost:$port/number-$i" >/dev/null 2>&1 &
    many="$many $!"
done
# shellcheck disable=SC2086
wait $many
kill -9 "$middle"
wait "$middle" 2>/dev/null
shown http.request http.request.uri | sort | uniq -c | sort >out
[ "$(awk '$1 == 2' out | wc -l)" -eq 12 ] && [ "$(wc -l <out)" -eq 12 ]
ok $? "twelve at once, and kill -9: every request, on either side"
tshark -r run.pcapng -Y _ws.malformed >out 2>err
[ ! -s out ] && ! grep -qi 'cut short\|damaged\|corrupt' err
ok $? "and every block is whole"

# who is not decrypted has no words in it, and --keylog does with less
rm -f run.pcapng
intercept --pcap run.pcapng --keylog keys --pass localhost
timeout 30 curl -s --proxy "http://127.0.0.1:$proxy" --cacert "$ca" \
    "https://localhost:$port/not-for-us" >out 2>err
kill "$middle"
wait "$middle"
shown http.request http.request.uri >out
[ ! -s out ]
ok $? "what is passed is not decrypted"
rm -f keys
intercept --keylog keys
fetch with-keys
kill "$middle"
wait "$middle"
[ "$(grep -c '^CLIENT_TRAFFIC_SECRET_0 ' keys)" -eq 2 ] &&
    [ "$(stat -c %a keys)" = 600 ]
ok $? "--keylog: the secrets of both sides"
intercept --trace
fetch traced
kill "$middle"
wait "$middle"
grep -q '< TLSv1.3 ClientHello' log && grep -q '> TLSv1.3 ClientHello' log &&
    grep -q '< TLSv1.3 Finished' log && grep -q '> TLSv1.3 Finished' log
ok $? "--trace: the messages of both sides"
echo there >there.pcapng
timeout 30 "$tlsock" intercept --listen 127.0.0.1:0 --ca "$ca" \
    --pcap there.pcapng >out 2>err </dev/null
[ $? -eq 6 ] && grep -q 'there.pcapng: File exists' err &&
    [ "$(cat there.pcapng)" = there ]
ok $? "a recording that is there stays as it is"
stop
finish
