#!/bin/sh
# Real clients through "tlsock intercept": refused before its CA is installed,
# then each gets the page, in HTTP/1.1 and HTTP/2, with a certificate that the
# interceptor made and the server never had; who pins passes untouched after
# two refusals; mail by STARTTLS.
. "$(dirname "$0")/lib.sh"
need curl wget go javac java keytool chromium certutil perl nghttpd
[ -x /usr/bin/python3 ] || need python3-of-debian
hosts_lib=${TLSOCK_HOSTS_LIB:?set TLSOCK_HOSTS_LIB to hosts.so}

# The servers' CA is known to the interceptor alone.
make_pki && mkdir go .pki && GO111MODULE=off GOCACHE=$dir/go GOFLAGS= go build \
    -o get-go "$beds/get.go" >log 2>&1 && javac -d . "$beds/Get.java" >>log 2>&1 || {
    sed 's/^/# /' log pki.log
    echo "Bail out! no certificates, or the clients do not compile"
    exit 1
}
root=$dir/pki/root.pem own=$dir/data/tlsock/intercept/ca.pem
serve --cert pki/good.pem --key pki/good.key --files www 9>&- || {
    echo "Bail out! no server"
    exit 1
}
h1=$port
h2=$(perl -MIO::Socket::INET -e 'for (1 .. 100) {
    my $p = 10000 + int(rand(20000));
    IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1:$p") or next;
    print $p;
    last }')
nghttpd -d www "$h2" pki/good.key pki/good.pem >nghttpd.log 2>&1 </dev/null 9>&- &
pids="$pids $!"
timeout 30 perl -MIO::Socket::INET -e 'until (IO::Socket::INET->new(
    "127.0.0.1:$ARGV[0]")) { select(undef, undef, undef, 0.02) }' "$h2" || {
    sed 's/^/# /' nghttpd.log
    echo "Bail out! nghttpd does not answer"
    exit 1
}

# intercept OPTION...: at $proxy, its lines in log
intercept() {
    rm -f iport
    mkfifo iport
    TLSOCK_HOSTS="app.test=127.0.0.1" LD_PRELOAD="$hosts_lib" \
        ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" \
        "$tlsock" intercept --listen 127.0.0.1:0 --port-file iport \
        --ca "$root" "$@" >log 2>&1 </dev/null 9>&- &
    middle=$!
    pids="$pids $middle"
    proxy=$(timeout 30 cat iport)
}
end() {
    kill "$middle"
    wait "$middle"
}

# One function for each: URL; the page or the complaint in out and err.
fetch() { # COMMAND...
    timeout 120 env https_proxy="http://127.0.0.1:$proxy" \
        HTTPS_PROXY="http://127.0.0.1:$proxy" "$@" >out 2>err </dev/null 9>&-
}
with_curl() {
    fetch curl -sS --http2 "$1"
}
with_wget() {
    fetch wget --no-hsts -t 1 -nv -O - "$1"
}
with_python() {
    fetch /usr/bin/python3 "$beds/get.py" "$1"
}
with_go() {
    fetch ./get-go "$1"
}
with_java() {
    fetch java -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort="$proxy" -cp . \
        Get "$1"
}
# to which an empty page is a success too
with_chromium() {
    rm -rf profile
    fetch chromium --headless --no-sandbox --disable-gpu --no-first-run \
        --disable-background-networking --user-data-dir="$dir/profile" \
        --proxy-server="http://127.0.0.1:$proxy" --dump-dom "$1" &&
        grep -q "$marker" out
}

# client, what it says of an unknown issuer, versions of HTTP it has
clients() {
    cat <<END
curl     | unable to get local issuer|unknown CA | h1 h2
wget     | not trusted|issuer of.*is unknown|unknown issuer | h1
python   | unable to get local issuer | h1
go       | signed by unknown authority | h1 h2
java     | PKIX path building failed | h1
chromium | ERR_CERT_AUTHORITY_INVALID | h1 h2
END
}
each() { # FUNCTION: of each client
    clients >list
    while IFS='|' read -r who rest <&4; do
        said=${rest% |*}
        "$1" "${who% }" "${said# }" "${rest##*| }"
    done 4<list
}
unknown_ca() { # CLIENT REGEX
    "with_${1%% *}" "https://app.test:$h1/index.html"
    refuses "${1%% *}: $when it refuses the interceptor's certificate" $? "$2"
}
through() { # CLIENT REGEX VERSIONS
    c=${1%% *}
    for v in $3; do
        eval "p=\$$v"
        "with_$c" "https://app.test:$p/index.html?$c-$v"
        loads "$c: the page, by ${v#h}" $?
    done
}
# What was recorded of it: the version of HTTP, the page.
recorded() { # CLIENT REGEX VERSIONS
    c=${1%% *}
    for v in $3; do
        if [ "$v" = h1 ] && ! "$tlsock" version | grep -q '+htp'; then
            skip "$c: request and page are in the archive" "no libhtp"
            continue
        fi
        /usr/bin/python3 - "$c-$v" "$v" "$marker" >out 2>err <<'END'
import json
import sys

tag, version, marker = sys.argv[1:]
mine = [e for e in json.load(open("all.har"))["log"]["entries"]
        if e["request"]["url"].endswith("?" + tag)]
wanted = {"h1": "HTTP/1.1", "h2": "HTTP/2.0"}[version]
good = [e for e in mine if e["response"]["status"] == 200
        and marker in e["response"]["content"].get("text", "")
        and e["request"]["httpVersion"].upper().replace("HTTP/2", "HTTP/2.0")
            .replace(".0.0", ".0") == wanted]
print(len(mine), [e["request"]["httpVersion"] for e in mine])
sys.exit(0 if good else 1)
END
        ok $? "$c: request and page are in the archive, by ${v#h}"
    done
}

update-ca-certificates --fresh >/dev/null 2>&1
state >before
intercept --pass-for 0
when="before the CA is installed"
each unknown_ca
end
installed=$(openssl x509 -in "$own" -noout -fingerprint -sha256 | sed 's/.*=//')
run trust install "$own"
ok "$rc" "tlsock trust install: the interceptor's CA"

intercept --har all.har --log all.log
each through
[ "$(grep -c '"event":"open"' all.log)" -ge 9 ] && ! grep -q '"event":"pass"' all.log
ok $? "all of that was decrypted"
# nobody but the interceptor has a reason to trust these servers
fetch curl -sS --http1.1 --noproxy '*' --resolve "app.test:$h1:127.0.0.1" \
    "https://app.test:$h1/"
refuses "without the interceptor nobody trusts the server" $? 'unable to get local issuer'
end
each recorded

# A server that the interceptor does not trust is none for its clients.
start 'ACCEPT .*:(\d+)' openssl s_server -www -accept 127.0.0.1:0 -cert \
    pki/expired.pem -key pki/expired.key -cert_chain pki/expired.pem
expired=$port
intercept
for c in curl python go; do
    "with_$c" "https://app.test:$expired/"
    refuses "$c: a server whose certificate expired" $? 'expired|alert|verification failed|handshake'
done
grep -q 'deny .*expired' log
ok $? "and the log says why"
end

# One that pins: it knows the server's own CA and no other.
intercept --log pins.log
for i in 1 2; do
    fetch curl -sS --cacert "$root" --capath /nowhere "https://localhost:$h1/"
    refuses "a client that pins refuses, $i" $? 'unable to get local issuer|unknown CA'
done
fetch curl -sS --cacert "$root" --capath /nowhere "https://localhost:$h1/"
loads "then it is passed, and gets the page of the server itself" $?
grep -q '"event":"pass".*twice' pins.log
ok $? "the log says that and why"
with_python "https://app.test:$h1/"
loads "others are decrypted as before" $?
end

# Mail: what is sent after STARTTLS goes through decrypted.
serve --cert pki/good.pem --key pki/good.key --starttls smtp --exec 9>&- -- \
    perl "$beds/smtp.pl" "$dir/mail"
intercept --to "localhost:$port" --bodies bodies
fetch /usr/bin/python3 "$beds/mail.py" "$proxy" "$own" "words of a mail"
ok $? "Python's smtplib sends a mail by STARTTLS"
grep -q 'words of a mail' mail
ok $? "it arrives"
cat bodies/*.client 2>/dev/null | grep -q 'words of a mail'
ok $? "and was seen on its way"
fetch /usr/bin/python3 "$beds/mail.py" "$proxy" "$root" "not this one"
[ $? -ne 0 ] && grep -q 'CERTIFICATE_VERIFY_FAILED' err && ! grep -q 'not this' mail
ok $? "who does not trust the interceptor's CA sends none"
end

run trust uninstall "$own"
ok "$rc" "tlsock trust uninstall"
[ "$rc" -ne 0 ] || installed=
state >now
cmp -s before now
ok $? "the machine's store is as it was"
finish
