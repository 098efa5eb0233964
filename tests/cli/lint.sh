#!/bin/sh
# cert lint: findings about files, stdin and servers; verdict and exit code.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir data

make_cert() { # NAME openssl-req-option...
    name=$1
    shift
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout "$name.key" -out "$name.pem" "$@" >log 2>&1
}

run ca init
run cert new app.test
run cert lint app.test.pem
[ "$rc" -eq 0 ] && head -1 out | grep -Eq '^app.test.pem  ok  1 note  \(1 certificate\)$'
ok $? "a new certificate is good; the verdict comes first"
run cert lint data/tlsock/ca/ca.pem
[ "$rc" -eq 0 ] && [ "$(cat out)" = \
    'data/tlsock/ca/ca.pem  ok  nothing found  (1 certificate)' ]
ok $? "so is its CA: nothing found"

make_cert bad -days 1000 -subj /CN=www.bad.test -set_serial 0 \
    -addext 'subjectAltName=DNS:a_b.bad.test,DNS:.c.bad.test' \
    -addext 'basicConstraints=critical,CA:FALSE' \
    -addext 'keyUsage=digitalSignature,keyCertSign'
ok $? "a bad certificate"
run cert lint bad.pem
[ "$rc" -eq 1 ]
ok $? "errors exit with 1"
head -1 out | grep -Eq '^bad.pem  NOT OK  [0-9]+ errors, [0-9]+ warnings'
ok $? "the verdict counts them"
for code in serial-zero san-dns-leading-dot ku-certsign-without-ca; do
    grep -q "^ERROR $code  " out
    ok $? "error $code"
done
for code in san-dns-underscore cn-not-in-san ku-not-critical eku-missing \
    validity-too-long; do
    grep -q "^WARN  $code  " out
    ok $? "warning $code"
done
awk '/^(ERROR|WARN |note ) /{ s = $1 == "ERROR" ? 3 : $1 == "WARN" ? 2 : 1
    if (last && s > last) exit 1; last = s }' out
ok $? "worst first"
[ "$(grep -c '^      fix   ' out)" -eq "$(grep -Ec '^(ERROR|WARN |note ) ' out)" ] &&
    grep -q '^      says  RFC 5280, 4.1.2.2' out
ok $? "each tells what to do, and who says so"
grep -q 'serial number is zero' out && grep -q 'a_b.bad.test' out
ok $? "and what was found"
! grep -q '	' out && ! grep -q "$(printf '\033')" out
ok $? "without colour where there is no terminal"
run cert lint --color always bad.pem
grep -q "$(printf '\033')\[31mERROR" out
ok $? "in colour if wanted"

run cert lint --json bad.pem
[ "$rc" -eq 1 ] &&
    perl -MJSON::PP -e 'my $j = decode_json(join "", <STDIN>);
        my %c = map { $_->{code} => $_ } @{$j->{findings}};
        exit !($j->{schema} eq "tlsock.cert-lint/1" && !$j->{ok} &&
            $j->{errors} >= 3 && $j->{certificates} == 1 &&
            $j->{fail_on} eq "error" &&
            $c{"serial-zero"}{severity} eq "error" &&
            $c{"serial-zero"}{certificate} == 0 &&
            $c{"serial-zero"}{source} =~ /RFC 5280/ &&
            $c{"serial-zero"}{fix} && $c{"serial-zero"}{message} &&
            @{$j->{findings}} == $j->{errors} + $j->{warnings} + $j->{notes})' \
        <out
ok $? "--json"

run cert lint --fail-on note app.test.pem
[ "$rc" -eq 1 ] && head -1 out | grep -q 'NOT OK'
ok $? "--fail-on note: a note is enough"
run cert lint --fail-on warning app.test.pem
ok "$rc" "--fail-on warning: a note is not"
make_cert warn -days 10 -subj /CN=a_b.test \
    -addext 'subjectAltName=DNS:a_b.test' \
    -addext 'basicConstraints=critical,CA:FALSE' \
    -addext 'keyUsage=critical,digitalSignature' \
    -addext 'extendedKeyUsage=serverAuth'
run cert lint warn.pem
[ "$rc" -eq 0 ] && grep -q '^WARN  san-dns-underscore' out
ok $? "a warning is shown, and fine by default"
run cert lint --fail-on warning warn.pem
[ "$rc" -eq 1 ]
ok $? "--fail-on warning"
run cert lint --fail-on bad warn.pem
refused "--fail-on of something else" 2 usage '"bad"' 'error, warning or note'
run cert lint -q bad.pem
[ "$rc" -eq 1 ] && [ ! -s out ]
ok $? "-q says nothing, the exit code does"

timeout 60 "$tlsock" cert lint - <bad.pem >out 2>err
[ $? -eq 1 ] && grep -q serial-zero out
ok $? "standard input"
openssl x509 -in bad.pem -outform DER -out bad.der
run cert lint bad.der
[ "$rc" -eq 1 ] && grep -q serial-zero out
ok $? "DER"

make_pki
run cert lint pki/good.pem
[ "$rc" -eq 0 ] && head -1 out | grep -q '(2 certificates)' &&
    grep -q '^      in    0 ' out
ok $? "of a chain it tells which one is meant"
for f in good good-rsa good-p384 good-ed25519 wildcard ip client server2; do
    run cert lint --fail-on warning pki/$f.pem
    ok "$rc" "nothing is wrong with $f"
done
while read -r file code; do
    run cert lint --json "pki/$file.pem"
    grep -q "\"$code\"" out
    ok $? "$file: $code"
done <<TABLE
expired expired
below-expired chain-expired
future not-yet-valid
sha1 signature-weak
md5 signature-weak
rsa1024 key-rsa-small
unknown-critical ext-unknown-critical
bad-signature signature-invalid
constrained-bad nc-violated
too-deep pathlen-exceeded
disordered chain-order
with-root chain-root
ca-as-leaf leaf-is-ca
no-san cn-only
TABLE
run cert lint pki/disordered.pem
[ "$rc" -eq 1 ] && grep -q '^ERROR chain-order' out &&
    grep -q 'tlsock cert fix' out
ok $? "a chain in disorder, and what mends it"

make_cert esc -days 10 -subj "/CN=$(printf 'x\033[1mx')" \
    -addext "subjectAltName=DNS:$(printf 'a\033[1m.test')"
run cert lint esc.pem
! grep -q "$(printf '\033')" out && grep -q 'x1[bB]' out
ok $? "what a certificate says does not reach the terminal"

serve
run cert lint "127.0.0.1:$port"
[ "$rc" -eq 0 ] && head -1 out | grep -q "^127.0.0.1:$port  ok"
ok $? "of a server"
stop
run cert lint none.pem
[ "$rc" -eq 6 ]
ok $? "a file that is not there"
echo hello >text.pem
run cert lint text.pem
[ "$rc" -eq 6 ]
ok $? "a file without certificates"
run cert lint app.test.key
[ "$rc" -eq 6 ]
ok $? "a key alone"
run cert lint
[ "$rc" -eq 2 ]
ok $? "without a file it is a usage error"
finish
