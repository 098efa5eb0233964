#!/bin/sh
# intercept with a thousand connections at once, and killed while there are
# many: what was written is whole, and what was minted is found again.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
crowd=${CROWD:?set CROWD to the binary}
schema=${INTERCEPT_SCHEMA:?set INTERCEPT_SCHEMA to the schema}
own=$dir/data/tlsock/intercept/ca.pem
cache=$dir/.cache/tlsock/intercept
ulimit -S -n "$(ulimit -H -n)" # the server needs 1,000, too
names=24
early=6 # are minted before there is load
mkdir pki
"$crowd" certs pki $names || exit 1
printf 'HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\nthe answer\n' \
    >answer
certs=
i=0
while [ $i -lt $names ]; do
    certs="$certs --cert pki/$i.pem"
    i=$((i + 1))
done

# intercept OPTION...: a proxy at $proxy, its lines in lines
intercept() {
    interceptor lines said --ca pki/root.pem "$@"
    proxy=http://127.0.0.1:$proxy
}

# All at once
# shellcheck disable=SC2086
serve $certs
intercept --log thousand
timeout 300 "$crowd" hold "$proxy" "127.0.0.1:$port" "$own" 1000 "$middle" \
    >out 2>err
ok $? "1,000 at once: each gets its own bytes back, and its end"
[ "$(sed -n 's/^open //p' out)" -ge 2000 ] && grep -q '^closed 0$' out
ok $? "2,000 descriptors and more at once, and none is left"
end
[ "$middle_rc" -eq 0 ] && [ ! -s said ]
ok $? "nothing is leaked, and nothing was in the way"
perl "$here/schema.pl" "$schema" <thousand >out
ok $? "each line of the log is what the schema says"
# one that takes a quarter of a second to say its hello is "plain" at first
perl -MJSON::PP -ne '$o = decode_json($_); $n{$o->{event}}++;
    $bytes += $o->{from_client} + $o->{from_server} if $o->{event} eq "end";
    $seen{$o->{id}}++ if $o->{event} eq "open";
    END { print "$_ $n{$_} " for sort keys %n; print "bytes $bytes\n";
        exit !($n{open} == 1000 && $n{end} == 1000 && !$n{fail} && !$n{deny} &&
        keys %seen == 1000 && $bytes == 2 * 599 * 1000) }' \
    thousand >out
ok $? "all 1,000 of them, with all their bytes"
stop

# Killed
har=
"$tlsock" version | grep -q '+htp' && har="--har load.har"
# shellcheck disable=SC2086
serve $certs --reply answer
intercept
timeout 60 "$crowd" show "$proxy" "127.0.0.1:$port" "$own" $early >before 2>err
[ "$(wc -l <before)" -eq $early ]
ok $? "some are minted"
end
(cd "$cache" && find . -type f -exec cksum {} +) | sort >files
[ "$(wc -l <files)" -eq $early ]
ok $? "each is a file"
# shellcheck disable=SC2086
intercept --log load.log --pcap load.pcapng $har
rm -f load
mkfifo load
timeout 300 "$crowd" press "$proxy" "127.0.0.1:$port" "$own" \
    $((names - early)) $early >load 2>err &
pids="$pids $!"
exec 4<load
read -r pressed <&4
kill -9 "$middle"
wait "$middle" 2>/dev/null
read -r word requests <&4
exec 4<&-
[ "$pressed" = pressed ] && [ "$word" = "done" ] && [ "$requests" -ge 20 ]
ok $? "killed while there is load"
(cd "$cache" && find . -type f -exec cksum {} +) | sort >out
[ -z "$(comm -13 out files)" ] &&
    [ "$(wc -l <out)" -gt $early ]
ok $? "kill -9: what was minted before is as it was"
perl "$here/schema.pl" "$schema" <load.log >out &&
    [ "$(tail -c 1 load.log | od -An -c | tr -d ' ')" = '\n' ]
ok $? "kill -9: each line of the log is whole"
ends=$(grep -c '"event":"end"' load.log)
perl -e 'local $/; my $all = <STDIN>; my (%n, $at);
    for ($at = 0; $at < length $all;) {
        my ($type, $len) = unpack "LL", substr $all, $at, 8;
        exit 1 if $len < 12 || $at + $len > length $all;
        exit 1 if unpack("L", substr $all, $at + $len - 4, 4) != $len;
        $n{$type}++; $at += $len }
    print $n{10}, "\n"; exit !($n{10} >= 2 * $ARGV[0])' "$ends" \
    <load.pcapng >out
ok $? "kill -9: each block of the recording is whole, with both sides' secrets"
if [ -n "$har" ]; then
    # what was being written at that moment may follow, cut off
    perl "$here/har_prefix.pl" load.har "$ends" >one.json &&
        perl "$here/schema.pl" "$here/har.json" \
            '@{$o->{log}{entries}} >= '"$ends" <one.json >out
    ok $? "kill -9: the archive is whole, with what had ended"
else
    skip "kill -9: the archive" "this build has none"
fi
intercept --log again
timeout 60 "$crowd" show "$proxy" "127.0.0.1:$port" "$own" $names >after 2>err &&
    [ "$(wc -l <after)" -eq $names ]
ok $? "begun again: every name is served"
[ "$(head -$early after)" = "$(cat before)" ]
ok $? "those that were minted before by the same certificates"
end
(cd "$cache" && find . -type f -exec cksum {} +) | sort >out
[ "$(wc -l <out)" -ge $names ] && [ -z "$(comm -13 out files)" ]
ok $? "and their files are as they were"
finish
