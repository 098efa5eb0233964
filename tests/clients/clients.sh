#!/bin/sh
# A local CA and certificates of every kind that clients know: refused by all
# of them before "tlsock trust install" and after "tlsock trust uninstall", and
# accepted in between, but not for another name.
. "$(dirname "$0")/lib.sh"
need curl wget gnutls-cli go javac java keytool chromium certutil perl \
    firefox-esr
[ -x /usr/bin/python3 ] || need python3-of-debian

every="ec:P-256 ec:P-384 ec:P-521 rsa:2048 rsa:3072 ed25519"
make_certs $every && serve_all $every other || {
    sed 's/^/# /' log
    echo "Bail out! no certificates or servers"
    exit 1
}
mkdir -p .mozilla/firefox/test.default go
certutil -N -d sql:.mozilla/firefox/test.default --empty-password
cat >.mozilla/firefox/test.default/user.js <<'END'
user_pref("marionette.port", 0);
user_pref("network.dns.localDomains", "app.test");
user_pref("app.update.enabled", false);
user_pref("app.normandy.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("toolkit.telemetry.enabled", false);
END
GO111MODULE=off GOCACHE=$dir/go GOFLAGS= go build -o get-go \
    "$beds/get.go" >log 2>&1 && javac -d . "$beds/Get.java" >>log 2>&1 || {
    sed 's/^/# /' log
    echo "Bail out! the clients do not compile"
    exit 1
}

# One function for each: HOST PORT; the page or the complaint in out and err.
fetch() { # COMMAND...
    timeout 120 "$@" >out 2>err </dev/null 9>&-
}
with_curl() {
    fetch curl -sS --noproxy '*' --resolve "app.test:$2:127.0.0.1" \
        "https://$1:$2/"
}
with_wget() {
    fetch wget --no-hsts -t 1 -nv -O - "https://$1:$2/"
}
with_openssl() {
    printf 'GET / HTTP/1.0\r\nHost: x\r\n\r\n' | timeout 60 openssl s_client \
        -connect "$1:$2" -verify_return_error -verify_hostname "$1" -quiet \
        >out 2>err
}
with_gnutls() {
    printf 'GET / HTTP/1.0\r\nHost: x\r\n\r\n' |
        timeout 60 gnutls-cli --port "$2" "$1" >out 2>err
}
with_python() {
    fetch /usr/bin/python3 "$beds/get.py" "https://$1:$2/"
}
with_go() {
    fetch ./get-go "https://$1:$2/"
}
with_java() {
    fetch java -cp . Get "https://$1:$2/"
}
with_tlsock() {
    printf 'GET / HTTP/1.0\r\nHost: x\r\n\r\n' |
        timeout 60 "$tlsock" connect "$1:$2" >out 2>err
}
# to which an empty page is a success too
with_chromium() {
    rm -rf profile
    fetch chromium --headless --no-sandbox --disable-gpu --no-first-run \
        --disable-background-networking --user-data-dir="$dir/profile" \
        --host-resolver-rules="MAP app.test 127.0.0.1" --dump-dom \
        "https://$1:$2/" && grep -q "$marker" out
}
with_firefox() {
    fetch /usr/bin/python3 "$beds/firefox.py" firefox-esr \
        "$dir/.mozilla/firefox/test.default" "https://$1:$2/"
}

nist="ec:P-256 ec:P-384"
rsa="rsa:2048 rsa:3072"
# client, kinds of keys, the name it asks for; what it says of an unknown
# issuer, and of another name
clients() {
    cat <<END
curl      $every | app.test localhost 127.0.0.1 | unable to get local issuer | no alternative certificate subject name matches
wget      $every | localhost | not trusted|issuer of.*is unknown|unknown issuer | owner does not match|not contain
openssl   $every | localhost | unable to get local issuer | ostname mismatch
gnutls    $every | localhost | issuer is unknown | does not match
python    $every | localhost 127.0.0.1 | unable to get local issuer | ostname mismatch
go        $every | localhost 127.0.0.1 | signed by unknown authority | certificate is valid for other.test
java      $every | localhost 127.0.0.1 | PKIX path building failed | No name matching|No subject alternative
tlsock    $every | localhost 127.0.0.1 | chain-incomplete|untrusted-root | name-mismatch
chromium  $nist $rsa | app.test localhost 127.0.0.1 | ERR_CERT_AUTHORITY_INVALID | ERR_CERT_COMMON_NAME_INVALID
firefox   $nist $rsa | app.test localhost 127.0.0.1 | insecure certificate | insecure certificate
END
}
# clients read by this loop may not read the list: it is another descriptor
each() { # FUNCTION: of each client
    clients >list
    while IFS='|' read -r who names rest <&4; do
        set -- "$1" "${who%% *}" "${who#* }" "$names"
        unknown=$(printf %s "$rest" | sed 's/ | .*//; s/^ //')
        misnamed=$(printf %s "$rest" | sed 's/.* | //')
        "$1" "$2" "$3" "$4"
    done 4<list
}
unknown_issuer() { # CLIENT KINDS NAMES
    "with_$1" localhost "$(port_of ec:P-256)"
    refuses "$1: $when it refuses the certificate" $? "$unknown"
}
trusted() {
    for k in $2; do
        "with_$1" localhost "$(port_of "$k")"
        loads "$1: accepts the certificate with a key $k" $?
    done
    for n in $3; do
        "with_$1" "$n" "$(port_of ec:P-256)"
        loads "$1: accepts it for $n" $?
    done
    "with_$1" localhost "$(port_of other)"
    refuses "$1: refuses a certificate for another name" $? "$misnamed"
}

# what this machine has not taken in yet would come with our first change
update-ca-certificates --fresh >/dev/null 2>&1
state >before
when="before it is installed"
each unknown_issuer
installed=$(openssl x509 -in data/tlsock/ca/ca.pem -noout -fingerprint \
    -sha256 | sed 's/.*=//')
run trust install
ok "$rc" "tlsock trust install"
each trusted
run trust list --json
[ "$rc" -eq 0 ] && [ "$(grep -o '"state":"trusted"' out | wc -l)" -ge 4 ] &&
    ! grep -q untrusted out
ok $? "tlsock trust list: all trust it"
run trust uninstall
ok "$rc" "tlsock trust uninstall"
[ "$rc" -ne 0 ] || installed=
when="after it was removed"
each unknown_issuer
state >now
cmp before now >log 2>&1 || diff before now >log
cmp -s before now
ok $? "the machine's store is as it was, byte by byte, and Java's list"
finish
