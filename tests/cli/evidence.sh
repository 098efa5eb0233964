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
    grep -Eq ' > TLSv1.3 (Certificate .*subject=|CompressedC.*algorithm=)' log
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

# on a terminal there is colour, unless somebody wants none; elsewhere there is none
terminal() { # ENVIRONMENT ARGUMENT...: stderr is a terminal
    env=$1
    shift
    script -qec "env $env '$tlsock' $c $* 127.0.0.1:$port" /dev/null \
        >out 2>err </dev/null
}
colored=$(printf '^\033\\[36m127.*ClientHello.*\033\\[0m')
terminal "-u NO_COLOR TERM=xterm" --trace
grep -q "$colored" out && grep -q "$(printf '^\033\\[35m127.*ServerHello')" out &&
    grep -q "$(printf '^\033\\[33m127.*close notify')" out
ok $? "in colour on a terminal: what is sent, what came, what ends"
for none in "NO_COLOR=1 TERM=xterm" "-u NO_COLOR TERM=dumb" "-u NO_COLOR -u TERM"; do
    terminal "$none" --trace
    grep -q '^127.*ClientHello' out && ! grep -q "$(printf '\033')" out
    ok $? "without colour: $none"
done
terminal "-u NO_COLOR TERM=xterm" --trace --color never
grep -q '^127.*ClientHello' out && ! grep -q "$(printf '\033')" out
ok $? "without colour: --color never"
(unset NO_COLOR; export TERM=xterm; run $c --trace "127.0.0.1:$port")
grep -q '^127.*ClientHello' err && ! grep -q "$(printf '\033')" err
ok $? "without colour: a file"

run $c --pcap one.pcapng "127.0.0.1:$port"
[ "$rc" -eq 0 ] && [ "$(stat -c %a one.pcapng)" = 600 ] &&
    blocks one.pcapng | grep -Eq '^HIPPPPK+PP+$'
ok $? "--pcap: packets with their secrets in front of them, mode 0600"
cp one.pcapng before
run $c --pcap one.pcapng "127.0.0.1:$port"
refused "a second time" 6 own-file 'one.pcapng' 'another file'
cmp -s before one.pcapng
ok $? "a file that is there stays as it is"

# What whoever was killed has left is an empty file: taken over if it is ours
# and nobody has it, and nothing else is.
left() { # KIND: left.pcapng
    rm -rf left.pcapng target
    case $1 in
    pipe) mkfifo left.pcapng ;;
    directory) mkdir left.pcapng ;;
    link) : >target && ln -s target left.pcapng ;;
    second) : >target && ln target left.pcapng ;;
    "of others") : >left.pcapng && chown 65534 left.pcapng ;;
    data) echo data >left.pcapng ;;
    *) : >left.pcapng && chmod 644 left.pcapng ;;
    esac
}
for kind in pipe directory link second data locked "of others"; do
    if [ "$kind" = "of others" ] && [ "$(id -u)" -ne 0 ]; then
        skip "an empty file of others" "only root can give one away"
        continue
    fi
    left "$kind"
    ls -l left.pcapng >before
    if [ "$kind" = locked ]; then
        rc=$(perl -e 'use Fcntl ":flock"; open F, "<", "left.pcapng" or die;
            flock(F, LOCK_EX) or die; system(@ARGV); print $? >> 8;' \
            timeout 60 "$tlsock" $c --pcap left.pcapng "127.0.0.1:$port" 2>err)
    else
        run $c --pcap left.pcapng "127.0.0.1:$port"
    fi
    refused "what is in the way: $kind" 6 own-file 'left.pcapng' 'another file'
    ls -l left.pcapng | cmp -s - before && [ ! -s target ]
    ok $? "and stays as it is"
done
left empty
run $c --pcap left.pcapng "127.0.0.1:$port"
[ "$rc" -eq 0 ] && [ "$(stat -c %a left.pcapng)" = 600 ] &&
    blocks left.pcapng | grep -Eq '^HIPPPPK+PP+$'
ok $? "an empty file that nobody has is taken, and is nobody else's to read"
kill -9 "$server"
wait "$server" 2>/dev/null
serve --cert "$chain" --key "$key" --client-auth require --ca "$ca"
messages() { # VERSION: names of what came and went, ">" sent, in one line
    run $c --tls "$1" --trace --cert pki/client.pem --key pki/client.key \
        "127.0.0.1:$port"
    sed -n 's/^127[^ ]* \([<>]\) TLSv1[^ ]* \([A-Za-z]*\) .*/\1\2/p' err |
        sed 's/CompressedCertificate/Certificate/' | tr '\n' ' '
}
[ "$(messages 1.2)" = ">ClientHello <ServerHello <Certificate \
<ServerKeyExchange <CertificateRequest <ServerHelloDone >Certificate \
>ClientKeyExchange >CertificateVerify >ChangeCipherSpec >Finished \
<NewSessionTicket <ChangeCipherSpec <Finished >Alert <Alert " ]
ok $? "each message of TLS 1.2 has its line"
[ "$(messages 1.3)" = ">ClientHello <ServerHello <ChangeCipherSpec \
<EncryptedExtensions <CertificateRequest <Certificate <CertificateVerify \
<Finished >ChangeCipherSpec >Certificate >CertificateVerify >Finished \
<NewSessionTicket >Alert <Alert " ]
ok $? "each message of TLS 1.3 has its line"
grep -q 'CertificateRequest [0-9]* authorities=1$' err
ok $? "a request tells how many may sign"
stop
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
blocks show.pcapng | grep -q K && grep -Eq ' < TLSv1.3 (Compressed)?Certificate ' err
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
mode_of() { stat -c %a "$1"; }
printf 'before\n' >mine
chmod 640 mine
TLSOCK_TRACE=$dir/mine run $c --keylog mine.keys "127.0.0.1:$port"
[ "$(head -1 mine)" = before ] && grep -q Finished mine && [ "$(mode_of mine)" = 640 ]
ok $? "a file that is there keeps its mode, and what is in it"
secrets=0
while read -r label random secret; do
    secrets=$((secrets + 1))
    ! grep -qi "$secret" mine err || secrets=-1000
done <mine.keys
[ "$secrets" -ge 4 ]
ok $? "no secret is in it"
SSLKEYLOGFILE=$dir/env.keys run $c "127.0.0.1:$port"
[ "$rc" -eq 0 ] && [ ! -e env.keys ]
ok $? "SSLKEYLOGFILE alone means nothing"
SSLKEYLOGFILE=$dir/env.keys run $c -o keylog=env:SSLKEYLOGFILE "127.0.0.1:$port"
[ "$rc" -eq 0 ] && grep -q '^CLIENT_TRAFFIC_SECRET_0 ' env.keys &&
    [ "$(mode_of env.keys)" = 600 ]
ok $? "but where it is asked for, mode 0600"
run $c -o keylog=env:SSLKEYLOGFILE "127.0.0.1:$port"
[ "$rc" -eq 0 ]
ok $? "and nobody has to set it"
TLSOCK_TRACE=/no/such/file run $c "127.0.0.1:$port"
[ "$rc" -eq 0 ] && ! grep -q 'ClientHello' err
ok $? "where it cannot be written nothing else happens"
stop
# --- what goes before TLS: a dialogue of STARTTLS, and with proxies
sent_bytes() { # FILE: what clients said in it, and after a NUL what they heard
    perl -e '
        local $/;
        my ($all, @said) = (<STDIN>, "", "");
        my $first;
        for (my $at = 0; $at < length $all;) {
            my ($type, $len) = unpack "LL", substr $all, $at, 8;
            if ($type == 6) {
                my $p = substr $all, $at + 28, unpack "L", substr $all, $at + 20, 4;
                my ($sport) = unpack "n", substr $p, 20, 2;
                $first //= $sport;
                $said[$sport != $first] .=
                    substr $p, 20 + 4 * (ord(substr $p, 32, 1) >> 4);
            }
            $at += $len;
        }
        print join "\0", @said' <"$1"
}
serve --cert "$chain" --key "$key" --starttls smtp --trace --pcap smtp.pcapng
run $c --trace --pcap dialogue.pcapng --starttls smtp "127.0.0.1:$port"
[ "$rc" -eq 0 ] &&
    grep -q "^127.0.0.1:$port < plaintext [0-9]* \"220 " err &&
    grep -q "^127.0.0.1:$port > plaintext 10 \"STARTTLS\"\$" err &&
    [ "$(grep -n 'STARTTLS"$' err | tail -1 | cut -d: -f1)" -lt \
        "$(grep -n ClientHello err | head -1 | cut -d: -f1)" ]
ok $? "--trace shows the dialogue of STARTTLS, before TLS"
sent_bytes dialogue.pcapng | tr '\0' '\n' | grep -aq '^EHLO ' &&
    sent_bytes dialogue.pcapng | perl -0777 -ne \
        'exit !/^EHLO [^\r]+\r\nSTARTTLS\r\n\x16\x03.*\x00220 .*\r\n220 [^\r]+\r\n\x16\x03/s'
ok $? "--pcap has it in front of the records"
blocks dialogue.pcapng | grep -Eq '^HIPPP[P]+K'
ok $? "in a file that is whole"
grep -q '> plaintext [0-9]* "220 ' log && grep -q '< plaintext 10 "STARTTLS"' log
ok $? "on a server as well"
TLSOCK_TRACE=stderr run $c --starttls smtp "127.0.0.1:$port"
grep -Eq "^[0-9:.]+Z [0-9]+ 127.0.0.1:$port > plaintext 10 \"STARTTLS\"" err
ok $? "TLSOCK_TRACE shows it, too"
run check --ca "$ca" --name app.test --starttls smtp "127.0.0.1:$port" \
    --trace --pcap checked.pcapng
[ "$(grep -c ' > plaintext 10 "STARTTLS"$' err)" -eq \
    "$(grep -c ' > [ST][SL].* ClientHello ' err)" ] &&
    [ "$(grep -c ' < TLSv1.3 HelloRetryRequest ' err)" -gt 3 ] &&
    grep -q ' > TLSv1.1 ClientHello ' err && grep -q ' < TLSv1.1 Alert ' err
ok $? "check: hellos by hand, each behind its dialogue"
[ "$(blocks checked.pcapng | grep -o P | wc -l)" -gt 200 ] &&
    [ "$(sent_bytes checked.pcapng | grep -ac STARTTLS)" -gt 0 ]
ok $? "check: they are in its recording"
kill -9 "$server"
wait "$server" 2>/dev/null
serve --cert "$chain" --key "$key"
to=$port
for kind in http socks5; do
    start 'port (\d+)' perl "$here/proxy.pl" $kind "me:hidden-words"
    way=$port
    name=$kind
    [ $kind = socks5 ] && name=socks5h
    TLSOCK_TRACE=$dir/$kind.trace run $c --trace --pcap $kind.pcapng \
        --keylog $kind.keys --proxy "$name://me:hidden-words@127.0.0.1:$way" \
        "127.0.0.1:$to"
    [ "$rc" -eq 0 ] && grep -q "^127.0.0.1:$way > plaintext " err &&
        grep -q "^127.0.0.1:$way < plaintext " err &&
        grep -q ' > plaintext .*\*\*\*\*\*\*\*\*' err
    ok $? "$kind: the dialogue with a proxy, without the password"
    sent_bytes $kind.pcapng | perl -0777 -ne \
        'exit !/^(CONNECT [^\0]*\r\n\r\n|\x05.*)\x16\x03.*\0(HTTP\/1.1 200|\x05\x02)/s'
    ok $? "$kind: in the recording, too"
    ! grep -aq "hidden-words\|$(printf 'me:hidden-words' | base64)" \
        err $kind.trace $kind.pcapng $kind.keys && [ -s $kind.trace ]
    ok $? "$kind: the password is nowhere"
    stop
done

# TLS to a proxy, and TLS within it: two connections, each with its own secrets
serve --cert "$chain" --key "$key" --exec -- perl "$here/proxy.pl" stdio http \
    me:hidden-words
run $c --trace --pcap within.pcapng --proxy "https://me:hidden-words@127.0.0.1:$port" \
    "127.0.0.1:$to"
stop
[ "$rc" -eq 0 ] && [ "$(sed -n 's/^127[^ ]*:\([0-9]*\) > \(TLSv1.3 ClientHello\|plaintext\) .*/\1 \2/p' err |
    tr '\n' ' ')" = "$port TLSv1.3 ClientHello $port plaintext $to TLSv1.3 ClientHello " ]
ok $? "an https:// proxy: its TLS, what is said to it, and the TLS within"
perl -e '
    local $/;
    my ($all, %ends) = <STDIN>;
    for (my $at = 0; $at < length $all;) {
        my ($type, $len) = unpack "LL", substr $all, $at, 8;
        my $p = substr $all, $at + 28, $len;
        $ends{substr $p, 12, 12}++ if $type == 6 && ord(substr $p, 33, 1) == 2;
        $at += $len;
    }
    exit !(keys %ends == 2);' <within.pcapng &&
    ! grep -aq "hidden-words\|$(printf 'me:hidden-words' | base64)" within.pcapng err
ok $? "two connections in the recording, with addresses of their own"

# --- each call that makes or writes a file fails once, or is the last one
shim=${TLSOCK_SHIM_LIB:?set TLSOCK_SHIM_LIB to shim.so}
hurt() { # HOW: out, err, rc; "fired" if it came to that
    rm -f fired hurt.pcapng hurt.keys
    rc=$(sh -c 'timeout 60 env "$@" >out 2>err </dev/null
        echo $?' sh TLSOCK_SHIM_MARK=fired TLSOCK_SHIM="$1" LD_PRELOAD="$shim" \
        ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" \
        "$tlsock" $c --pcap hurt.pcapng --keylog hurt.keys "127.0.0.1:$to" 2>/dev/null)
}
: >bad
n=1 own=0
hurt "fail:$n:5"
while [ -e fired ] && [ "$n" -lt 100 ]; do
    case $rc in
    0) # a line of secrets that cannot be written harms nothing
        grep -q 'not complete' err && echo "fail:$n: exit 0" >>bad ;;
    6)
        own=$((own + 1))
        grep -q 'hurt.pcapng\|hurt.keys' err || echo "fail:$n: not said" >>bad ;;
    *) echo "fail:$n: exit $rc" >>bad ;;
    esac
    grep -q Sanitizer err && echo "fail:$n: a sanitizer" >>bad
    n=$((n + 1))
    hurt "fail:$n:5"
done
cp bad err
[ "$own" -gt 10 ] && [ "$n" -lt 100 ] && [ "$rc" -eq 0 ] && [ ! -s bad ]
ok $? "whatever call fails: it is said by exit 6, or it does no harm"
calls=$n
n=2 # before that there is no file
while [ "$n" -lt "$calls" ]; do
    hurt "kill:$n"
    [ "$rc" -eq 137 ] || echo "kill:$n: exit $rc" >>bad
    [ ! -s hurt.pcapng ] || blocks hurt.pcapng >out || echo "kill:$n: not whole" >>bad
    n=$((n + 3))
done
cp bad err
[ ! -s bad ]
ok $? "whenever it is killed: what is there is whole"

# --- all three flags, on each command that has TLS: their help, page, effect
man=$(dirname "${CHECK_MAN:?set CHECK_MAN to the page of check}")
evident() { # NAME FILE...: what was recorded, and traced in FILE
    name=$1
    shift
    cat flag.keys >all.keys
    grep -q '_SECRET\|^CLIENT_RANDOM' flag.keys &&
        blocks flag.pcapng | grep -q 'K.*P' && [ "$(stat -c %a flag.keys)" = 600 ] &&
        cat "$@" | grep -q ' TLSv1.3 ClientHello ' &&
        cat "$@" | grep -Eq ' TLSv1.3 (Compressed)?Certificate '
    ok $? "$name: --keylog, --pcap, --trace"
    rm -f flag.keys flag.pcapng
}
flags="--keylog flag.keys --pcap flag.pcapng --trace"
host=127.0.0.1:$to
"$tlsock" ca init --dir any --any-name >out 2>err </dev/null
while read -r line; do
    run ${line#* @ } $flags
    evident "${line%% @*}" err
done <<END
connect @ $c $host
check @ check --ca $ca --name app.test $host
fingerprint @ fingerprint --name app.test $host
cert show @ cert show $host
cert verify @ cert verify --ca $ca --name app.test $host
cert lint @ cert lint $host
cert match @ cert match $host $key
cert diff @ cert diff $host $chain
cert clone @ cert clone --ca any --out cloned $host
END
stop
# servers: COMMAND...; a client comes, and they are ended
serves() { # NAME COMMAND...
    name=$1
    shift
    rm -f port
    mkfifo port
    "$tlsock" "$@" $flags --port-file port >serve.out 2>log </dev/null &
    server=$!
    pids="$pids $server"
    port=$(timeout 30 cat port)
    run connect --insecure --repeat 1 "localhost:$port"
    connected=$rc
    stop
    [ "$connected" -eq 0 ]
    evident "$name" log
}
serves serve serve 127.0.0.1:0 --cert $chain --key $key
serves "ca serve --acme" ca serve --dir any --acme 127.0.0.1:0
serves "fingerprint --listen" fingerprint --listen 127.0.0.1:0 --answer certificate

# who has options of the network, or serves, has them in its help and its page
for page in "$man"/tlsock-*.1; do
    name=$(basename "$page" .1 | sed 's/^tlsock-//; s/-/ /g')
    run $name --help
    if grep -q '^Network:\|^Evidence:' out || [ "$name" = serve ]; then
        for flag in keylog pcap trace; do
            grep -q -e " --$flag" out && grep -Eq "(Fl|,) ?-$flag( |\$)" "$page" ||
                echo "$name: --$flag"
        done
    fi
done >lacking
[ ! -s lacking ] || cat lacking >err
[ ! -s lacking ]
ok $? "in the help and the manual of each"
finish
