#!/bin/sh
# Who is the peer: the flags of names, trust and exceptions, each with a twin
# that is refused.
. "$(dirname "$0")/lib.sh"
make_pki || { cat "$dir/pki.log"; echo "Bail out! no PKI"; exit 1; }
p=$dir/pki
cd "$dir" || exit 1

has() { # EXPR of $o, the object in out
    perl -MJSON::PP -0ne 'our $o = decode_json($_);
        exit(eval($ENV{EXPR}) ? 0 : 1)' "$dir/out"
}
json() { # NAME EXPR
    EXPR=$2
    export EXPR
    [ "$rc" -eq 0 ] && has
    ok $? "$1"
}

# a server with good.pem (app.test, localhost, 127.0.0.1) for every SNI
serve --cert "$p/good.pem" --key "$p/good.key" --json
to="--timeout 20s --json 127.0.0.1:$port"
ca="--ca $p/root.pem"

run connect $ca --name app.test $to
json "--name is sent and checked" '$o->{connection}{sni} eq "app.test" &&
    $o->{connection}{name} eq "app.test" && $o->{verified}'
run connect $ca --name app.test --sni shop.test $to
json "--sni is sent only" '$o->{connection}{sni} eq "shop.test" &&
    $o->{connection}{name} eq "app.test"'
run connect $ca --name shop.test --verify-name app.test $to
json "--verify-name is checked only" '$o->{connection}{sni} eq "shop.test" &&
    $o->{connection}{name} eq "app.test" && $o->{verified}'
run connect $ca --name app.test --verify-name shop.test $to
[ "$rc" -eq 5 ] && grep -q '"code":"name-mismatch"' out
ok $? "--verify-name of another is refused, whatever --name says"
run connect $ca --timeout 20s --json --verify-name app.test --ip 127.0.0.1 \
    "shop.test:$port"
json "with --ip the target's host is sent" '$o->{connection}{sni} eq "shop.test"
    && $o->{connection}{name} eq "app.test"'
run connect $ca -o verify.name=app.test $to
json "verify.name stands in for the target" \
    '$o->{connection}{name} eq "app.test"'
run connect $ca -o verify.name=shop.test $to
[ "$rc" -eq 5 ]
ok $? "another one is refused"
run connect $ca --verify-name 'a b' $to
[ "$rc" -eq 2 ]
ok $? "what is no name is refused"

# --- trust: instead, added, listed
json_trust() { # NAME REGEX
    EXPR="\$o->{connection}{trust} =~ m{$2}"
    export EXPR
    [ "$rc" -eq 0 ] && has
    ok $? "$1"
}
run connect --ca "$p/root.pem" $to
json_trust "a file stands instead of the system's store" '^(?!.*system).*root'
export SSL_CERT_FILE="$p/root2.pem"
run connect --ca "$p/root.pem" $to
json_trust "SSL_CERT_FILE is not asked then" '^(?!.*root2).*root'
run connect $to
[ "$rc" -eq 5 ]
ok $? "alone, it decides: another root is refused"
run connect --ca "+$p/root.pem" $to
json_trust "+ adds, and both are told" 'system store.*root2.*root'
run connect --ca "+$p/root3.pem" $to
[ "$rc" -eq 6 ]
ok $? "what cannot be read is refused"
export SSL_CERT_FILE="$p/root.pem"
run connect $to
json_trust "SSL_CERT_FILE is the system's store" 'system store.*root'
run connect --ca "$p/root2.pem" $to
[ "$rc" -eq 5 ]
ok $? "and does not help beside another --ca"
run connect --ca system $to
json_trust "--ca system names it" 'system store'
printf 'trust = +%s\n' "$p/root2.pem" >t.ini
run connect --config t.ini $to
json_trust "trust = +FILE in a file adds" 'system store.*root.*root2'
printf 'trust = %s\n' "$p/root2.pem" >t.ini
run connect --config t.ini $to
[ "$rc" -eq 5 ]
ok $? "trust = FILE does not"
unset SSL_CERT_FILE

# --- exactly one fault
run connect --ca "$p/root.pem" --name shop.test --accept name $to
json "--accept name" '!$o->{verified} && $o->{insecure} =~ /^no-name: /'
grep -q 'WARNING: the peer is not verified: insecure = no-name' err
ok $? "and a warning on stderr"
run connect --ca "$p/root.pem" --name app.test --accept name $to
json "a good name needs no exception" '$o->{verified} && !$o->{insecure}'
[ ! -s err ]
ok $? "and no warning"
run connect --ca "$p/root.pem" --name shop.test --accept expired $to
[ "$rc" -eq 5 ]
ok $? "another exception does not help"
run connect --accept name --accept expired $to
[ "$rc" -eq 2 ]
ok $? "two exceptions are one too many"

# --- nothing at all
for loud in "" -q; do
    run connect --insecure $loud $to
    json "--insecure $loud: verified is false" '!$o->{verified} &&
        $o->{insecure} =~ /^all/ && $o->{connection}{verified_by} =~
        /^insecure/'
    grep -q 'WARNING: --insecure' err
    ok $? "--insecure $loud: a warning on stderr"
done
run connect --insecure -q --color always $to
grep -q "$(printf '\033')\[1;31mWARNING" err
ok $? "in bold red"
run connect --insecure $ca --name app.test $to
json "even of a peer that is good" '!$o->{verified} && $o->{insecure}'
printf 'verify = i-accept-mitm\n' >m.ini
run connect --config m.ini -q $to
json "verify = i-accept-mitm in a file" '!$o->{verified} &&
    $o->{insecure} =~ /i-accept-mitm/'
grep -q 'WARNING: the peer is not verified: insecure = all' err
ok $? "is as loud"
printf 'insecure = all: lab box\n' >m.ini
run connect --config m.ini --timeout 20s "127.0.0.1:$port"
refused "and no other spelling" 2 config-file 'not for files' i-accept-mitm
printf 'verify = off\n' >m.ini
run connect --config m.ini --timeout 20s "127.0.0.1:$port"
refused "off is none" 2 config-file 'cannot be switched off' no-name
run connect -o verify=i-accept-mitm --timeout 20s "127.0.0.1:$port"
[ "$rc" -eq 2 ]
ok $? "nor is it one of the line"
stop

# --- schemes
cat >cn.cnf <<END
[req]
distinguished_name = dn
prompt = no
x509_extensions = e
[dn]
CN = cn.test
[e]
basicConstraints = critical,CA:FALSE
subjectAltName = DNS:other.test
extendedKeyUsage = serverAuth
END
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3 \
    -config cn.cnf -keyout cn.key -out cn.pem 2>log
run cert verify --ca cn.pem --name cn.test cn.pem
refused "a CN is no name" 5 name-mismatch 'other.test' 'RFC 9525'
run cert verify --ca cn.pem --name cn.test --scheme smtp cn.pem
ok "$rc" "--scheme smtp takes it"
run cert verify --ca cn.pem --name cn.test --scheme rfc2818 cn.pem
refused "--scheme rfc2818 not beside a SAN" 5 name-mismatch 'other.test' \
    'RFC 2818'
run cert verify --ca cn.pem --name x.test --scheme smtp cn.pem
refused "and no other name" 5 name-mismatch 'other.test and the CN cn.test' .
run cert verify --ca cn.pem --name cn.test --scheme gopher cn.pem
refused "unknown ones are listed" 2 option 'gopher' 'rfc9525.*smtp.*sip'

# a URL brings the rule of its protocol, but for one that is named
serve --starttls smtp --cert cn.pem --key cn.key
to="--timeout 20s --ca cn.pem --ip 127.0.0.1"
run connect $to --json "smtp://cn.test:$port"
json "smtp:// takes a CN" '$o->{verified}'
run connect $to --json "smtp://else.test:$port"
[ "$rc" -eq 5 ]
ok $? "but not of another"
run connect $to --scheme rfc9525 "smtp://cn.test:$port"
refused "--scheme rfc9525 does not" 5 name-mismatch 'other.test' 'RFC 9525'
run connect $to --starttls smtp "cn.test:$port"
refused "nor does a target without a scheme" 5 name-mismatch . 'RFC 9525'
stop

# --- lists
serve --cert "$p/good.pem" --key "$p/good.key"
to="--timeout 20s 127.0.0.1:$port"
run connect $ca --crl "$p/root.crl" $to
refused "--crl: a list of every issuer is due" 5 revocation-unknown . .
run connect $ca --crl "$p/root.crl" --crl "$p/inter.crl" $to
ok "$rc" "with both it is good"
stop

finish
