#!/bin/sh
# What the library makes, others verify: OpenSSL strictly, GnuTLS, Go, Java.
# Each case of make_certs.c is good or bad, and each of them has to say so.
. "${0%/*}/lib.sh"

certs=$dir/certs
mkdir "$certs"
"${MAKE_CERTS:?set MAKE_CERTS to the program}" "$certs" 2>"$dir/err"
ok $? "make_certs makes them all"

# VERIFIER: its verdicts, "LABEL good|bad WHY", are in verdicts.VERIFIER
judge() {
    while read -r label anchor chain use name verdict unable; do
        case ",$unable," in
        *",$1,"*) continue ;;
        esac
        grep -F "$label " "$dir/verdicts.$1" >"$dir/out"
        grep -qF "$label $verdict" "$dir/out"
        ok $? "$1: $label"
    done <"$certs/cases"
}

say() { # LABEL, then the exit code and text of a verifier
    if [ "$2" -eq 0 ]; then
        echo "$1 good"
    else
        echo "$1 bad $(tail -n 1 "$dir/text" | tr -d '\n')"
    fi
}

by_openssl() {
    while read -r label anchor chain use name verdict unable; do
        set -- -x509_strict -CAfile "$certs/$anchor.pem" -no-CApath \
            -no-CAstore -untrusted "$certs/$chain.pem"
        case $use in
        server) set -- "$@" -purpose sslserver ;;
        client) set -- "$@" -purpose sslclient ;;
        esac
        case $name in
        -) ;;
        *:* | *[0-9].[0-9]*) set -- "$@" -verify_ip "$name" ;;
        *) set -- "$@" -verify_hostname "$name" ;;
        esac
        openssl verify "$@" "$certs/$chain.pem" >"$dir/text" 2>&1
        say "$label" $?
    done <"$certs/cases"
}

by_certtool() {
    while read -r label anchor chain use name verdict unable; do
        set -- --verify --load-ca-certificate "$certs/$anchor.pem" \
            --infile "$certs/$chain.pem"
        case $use in
        server) set -- "$@" --verify-purpose 1.3.6.1.5.5.7.3.1 ;;
        client) set -- "$@" --verify-purpose 1.3.6.1.5.5.7.3.2 ;;
        esac
        [ "$name" = - ] || set -- "$@" --verify-hostname "$name"
        certtool "$@" >"$dir/text" 2>&1
        say "$label" $?
    done <"$certs/cases"
}

by_go() {
    mkdir -p "$dir/go" && cp "$here/verify.go" "$dir/go/" &&
        (cd "$dir/go" && GO111MODULE=off GOPATH=$dir/go GOFLAGS= GOPROXY=off \
            GOCACHE=$dir/go/cache go run verify.go "$certs")
}

by_java() {
    java -Xshare:auto "$here/Verify.java" "$certs"
}

for verifier in openssl certtool go java; do
    if ! command -v $verifier >/dev/null 2>&1; then
        skip "$verifier verifies" "no $verifier here"
        continue
    fi
    if by_$verifier >"$dir/verdicts.$verifier" 2>"$dir/err"; then
        judge $verifier
    else
        ok 1 "$verifier runs"
    fi
done

# what the tool makes passes too
run ca init --dir "$dir/ca"
ok "$rc" "tlsock ca init"
run cert new --ca "$dir/ca" --out "$dir/tool" app.test 127.0.0.1
ok "$rc" "tlsock cert new"
find "$dir/ca" -type f -exec grep -l "BEGIN CERTIFICATE" {} + | xargs cat \
    >"$dir/anchors.pem"
openssl verify -x509_strict -CAfile "$dir/anchors.pem" -purpose sslserver \
    -verify_hostname app.test "$dir/tool.pem" >"$dir/out" 2>&1
ok $? "openssl verify -x509_strict likes what tlsock cert new makes"
openssl verify -x509_strict -CAfile "$dir/anchors.pem" -purpose sslserver \
    -verify_hostname other.test "$dir/tool.pem" >"$dir/out" 2>&1
[ $? -ne 0 ]
ok $? "but not for another name"

finish
