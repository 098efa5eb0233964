#!/bin/sh
# A CA's directory under kill -9, a full disk, failing calls, and many writers
# at once: at each single call that changes a file. TLSOCK_SHIM_LIB is shim.c.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
shim=${TLSOCK_SHIM_LIB:?set TLSOCK_SHIM_LIB to shim.so}
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0"

# The tool with one of its calls gone wrong: out, err, rc; "fired" if it did.
# A shell of its own swallows what is said of a killed process.
hurt() { # HOW ARGUMENT...
    how=$1
    shift
    rm -f fired
    rc=$(sh -c 'timeout 60 env "$@" >out 2>err </dev/null
        echo $?' sh TLSOCK_SHIM_MARK=fired TLSOCK_SHIM="$how" \
        LD_PRELOAD="$shim" "$tlsock" "$@" 2>/dev/null)
}

bad() { # WHY: of the call that is looked at now
    echo "$op, $how: $1" >>bad
}

serial_of() {
    openssl x509 -in "$1" -noout -serial | sed 's/.*=//' | tr A-F a-f
}

crl_number() { # PEM: decimal, 0 if there is none
    [ -f "$1" ] || { echo 0; return; }
    number=$(openssl crl -in "$1" -noout -crlnumber | sed 's/.*=0x//; s/.*=//')
    printf '%d\n' "0x$number"
}

# Index and copies tell the same, nothing is left aside.
check_tidy() { # DIR
    sed -n 's/^[VR] \([0-9a-f]*\) .*/\1/p' "$1/index" | sort >a
    (cd "$1/certs" && ls -A) | sed 's/\.pem$//' | sort >b
    cmp -s a b || bad "index and copies differ"
    [ -z "$(find "$1" -name '*.tmp')" ] || bad "a file was left aside"
    [ "$(stat -c %a "$1/ca.key")" = 600 ] || bad "mode of the key"
}

# It opens, has all that it had and what was handed out, and works on.
check_ca() { # DIR LINES-BEFORE HANDED-OUT
    "$tlsock" ca list --dir "$1" >list 2>err || bad "does not open"
    have=$(grep -c '^\(valid\|revoked\) ' list)
    [ "$have" -ge "$2" ] || bad "$have certificates, there were $2"
    if [ -s "$3" ]; then
        grep -q "$(serial_of "$3")" list || bad "handed out, but not in it"
    fi
    rm -f next.*
    "$tlsock" cert new -q --ca "$1" --out next next.test 2>err ||
        bad "the next cert new fails"
    grep -q "$(serial_of next.pem)" "$1/index" || bad "the next is not in it"
    check_tidy "$1"
}

# What is revoked stays so, and is in a CRL whose number is a new one.
check_crl() { # DIR SERIAL
    before=$(crl_number "$1/crl.pem")
    was=$(grep -c "^R $2" "$1/index")
    "$tlsock" ca revoke -q --dir "$1" "$2" 2>err || bad "cannot revoke then"
    [ "$(crl_number "$1/crl.pem")" -gt "$before" ] || bad "a number again"
    openssl crl -in "$1/crl.pem" -CAfile "$1/ca.pem" -noout 2>log ||
        bad "the CRL does not verify"
    openssl crl -in "$1/crl.pem" -noout -text | tr -d : | tr A-F a-f |
        grep -q "$2" || bad "not in the CRL (before: $was)"
    openssl crl -inform DER -in "$1/crl.der" | cmp -s - "$1/crl.pem" ||
        bad "crl.der and crl.pem differ"
    "$tlsock" ca list --dir "$1" 2>err >list
    [ -s err ] && bad "a warning is left"
}

# Each call in turn: NAME LEAST-CALLS HOW CHECK ARGUMENT...; CA is made anew
# from "fresh" each time.
each_call() {
    op=$1 least=$2 mode=$3 check=$4
    shift 4
    : >bad
    n=0
    : >fired
    while [ -e fired ] && [ "$n" -lt 200 ]; do
        n=$((n + 1))
        rm -rf ca done.*
        [ -d fresh ] && cp -a fresh ca
        hurt "$(printf "$mode" "$n")" "$@"
        "$check"
    done
    cp bad log
    [ ! -s bad ] && [ "$n" -lt 200 ] && [ "$n" -gt "$least" ]
    ok $? "$op: $(echo "$mode" | cut -c1-4) at each call that changes a file"
}

# The same with each reason in turn: 28 is ENOSPC, 5 EIO, 30 EROFS, 13 EACCES.
# All four befall one CA, which is judged after each, and opened at the end.
each_errno() { # LEAST-CALLS
    reasons="5 13 28 30"
    for e in $reasons; do
        : >"bad.$e"
    done
    n=0
    : >any
    while [ -e any ] && [ "$n" -lt 200 ]; do
        n=$((n + 1))
        rm -rf ca done.* any
        cp -a fresh ca
        for e in $reasons; do
            op="cert new, errno $e" done=done.$e
            lines=$(grep -c '^[VR] ' ca/index)
            : >bad
            hurt "fail:$n:$e" cert new -q --ca ca --out "$done" three.test
            [ -e fired ] && : >any
            after_try
            check_tidy ca
            cat bad >>"bad.$e"
        done
        op="cert new after them"
        : >bad
        check_ca ca 2 none
        for e in $reasons; do
            cat bad >>"bad.$e"
            [ ! -s "done.$e.pem" ] ||
                grep -q "$(serial_of "done.$e.pem")" list ||
                echo "call $n: handed out, but not in it" >>"bad.$e"
        done
    done
    for e in $reasons; do
        cp "bad.$e" log
        [ ! -s "bad.$e" ] && [ "$n" -lt 200 ] && [ "$n" -gt "$1" ]
        ok $? "cert new, errno $e: fail at each call that changes a file"
    done
}

killed_or_done() {
    [ "$rc" -eq 137 ] || [ "$rc" -eq 0 ] || bad "exit code $rc"
}

after_issue() {
    killed_or_done
    check_ca ca 2 done.pem
}

after_revoke() {
    killed_or_done
    [ "$rc" -eq 0 ] && { grep -q "^R $one" ca/index || bad "not revoked"; }
    check_crl ca "$one"
    check_ca ca 2 done.pem
}

after_crl() {
    killed_or_done
    check_crl ca "$one"
}

after_init() {
    killed_or_done
    if [ ! -e ca/ca.pem ]; then
        "$tlsock" ca init -q --dir ca 2>err || bad "ca init cannot be repeated"
    fi
    check_ca ca 0 none
}

# It said why, with the right code, and nothing but the try is gone.
after_try() {
    case $rc in
    0) ;;
    6)
        grep -q '^  cause: ' err || bad "no cause"
        grep -q '^  fix:   .' err || bad "no fix"
        [ ! -e "$done.pem" ] || bad "a file was left"
        check_failed_index ;;
    *) bad "exit code $rc" ;;
    esac
}

after_failure() {
    after_try
    check_ca ca 2 done.pem
}

# A failed try is no certificate: lines as before. Once the index is in its
# place it is one, although it cannot be written to where it was to go.
check_failed_index() {
    want=$lines
    grep -q "cannot sync the directory\|^tlsock: $done\." err &&
        want=$((lines + 1))
    [ "$(grep -c '^[VR] ' ca/index)" -le "$want" ] || bad "it is in the index"
    [ "$(ls -A ca/certs | wc -l)" -eq "$(grep -c '^[VR] ' ca/index)" ] ||
        bad "index and copies differ"
}

run ca init -q --dir fresh
run cert new -q --ca fresh one.test
run cert new -q --ca fresh two.test
one=$(serial_of one.test.pem)

each_call "cert new" 15 kill:%d after_issue \
    cert new -q --ca ca --out done three.test
each_call "cert new" 15 half:%d after_issue \
    cert new -q --ca ca --out done three.test
each_call "ca revoke" 15 kill:%d after_revoke ca revoke -q --dir ca "$one"
each_call "ca crl" 15 half:%d after_crl ca crl -q --dir ca
done=done lines=2
each_call "cert new" 10 full:%d after_failure \
    cert new -q --ca ca --out done three.test
each_errno 15
mv fresh kept
each_call "ca init" 10 kill:%d after_init ca init -q --dir ca
mv kept fresh

finish
