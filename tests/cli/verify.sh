#!/bin/sh
# cert verify: the verdict, its reason, its exit code; on files and servers.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir data

"$tlsock" ca init --dir ca --name 'Verify CA' --pathlen 1 >/dev/null &&
    "$tlsock" ca init --dir other --name 'Other CA' >/dev/null &&
    "$tlsock" ca init --dir sub --issuer ca --name 'Sub CA' >/dev/null &&
    "$tlsock" cert new --ca ca --out good app.test 127.0.0.1 >/dev/null &&
    "$tlsock" cert new --ca ca --out gone gone.test >/dev/null &&
    "$tlsock" cert new --ca sub --out deep deep.test >/dev/null &&
    "$tlsock" cert new --ca ca --client --out me me@app.test >/dev/null &&
    "$tlsock" ca crl --dir ca >/dev/null
ok $? "two CAs, one below, and certificates of theirs"

run cert verify --ca ca/ca.pem --name app.test good.pem
ok "$rc" "a good one is good"
grep -q 'good' out && grep -q 'path .*app.test < Verify CA (trusted)' out
ok $? "and by which path"
run cert verify --ca ca/ca.pem --name 127.0.0.1 good.pem
ok "$rc" "by its address, too"
run cert verify --ca ca/ca.pem good.pem
[ "$rc" -eq 0 ] && grep -q 'not asked for' out
ok $? "without a name: it says so"
run cert verify --ca other/ca.pem --name app.test good.pem
refused "by a stranger's CA" 5 chain-incomplete 'Verify CA' '--ca'
run cert verify --ca ca/ca.pem --name b.test good.pem
refused "for another name" 5 name-mismatch 'b.test.*app.test' 'name'
run cert verify --ca ca/ca.pem --purpose client --name app.test \
    --time 2020-01-01T00:00:00Z good.pem
refused "before its time" 5 not-yet-valid '2020-01-01' 'clock'
run cert verify --ca ca/ca.pem --time 2038-01-01T00:00:00Z good.pem
refused "after its time" 5 expired 'expired' 'renew'
run cert verify --ca ca/ca.pem me.pem
refused "a client's as a server's" 5 purpose 'TLS server' 'serverAuth'
run cert verify --ca ca/ca.pem --purpose client me.pem
ok "$rc" "and as a client's"
run cert verify --ca ca/ca.pem --purpose client --name mail:me@app.test me.pem
ok "$rc" "by its address of e-mail"
run cert verify --ca ca/ca.pem --purpose client --name mail:you@app.test me.pem
[ "$rc" -eq 5 ]
ok $? "but not by another"

run cert verify --ca ca/ca.pem --name deep.test deep.pem
ok "$rc" "the intermediate is in the file"
sed '/END CERTIFICATE/q' deep.pem >leaf.pem
run cert verify --ca ca/ca.pem --name deep.test leaf.pem
refused "without it" 5 chain-incomplete 'Sub CA' 'Sub CA'
run cert verify --ca ca/ca.pem --untrusted sub/ca.pem --name deep.test leaf.pem
ok "$rc" "and with it as --untrusted"
run cert verify --ca ca/ca.pem --untrusted sub/ca.pem --depth -1 leaf.pem
[ "$rc" -eq 5 ]
ok $? "no intermediates are allowed"
"$tlsock" cert verify --ca ca/ca.pem --name deep.test - <deep.pem >out 2>err
ok $? "from standard input"

echo secret >pw
run cert convert good.pem --key good.key --to p12 --out good.p12 \
    --new-pass file:pw
run cert verify --ca ca/ca.pem --name app.test --pass file:pw good.p12
ok "$rc" "a PKCS#12 file and its password"
run cert verify --ca ca/ca.pem --name app.test good.p12
[ "$rc" -eq 6 ]
ok $? "which it needs"

run cert verify --ca ca/ca.pem --crl ca/crl.pem gone.pem
[ "$rc" -eq 0 ] && grep -q 'no, say the lists' out
ok $? "not on the list"
run ca revoke --dir ca --reason keyCompromise gone.pem
ok "$rc" "it is revoked"
run cert verify --ca ca/ca.pem gone.pem
[ "$rc" -eq 0 ] && grep -q 'not checked: --crl' out
ok $? "nobody is told without a list"
run cert verify --ca ca/ca.pem --crl ca/crl.pem gone.pem
refused "on the list" 5 revoked 'revoked on .*keyCompromise.*Verify CA' 'new'
run cert verify --ca ca/ca.pem --crl ca/crl.der good.pem
ok "$rc" "others are not, in DER"
for option in --insecure '--revocation off'; do
    # shellcheck disable=SC2086
    run cert verify --ca ca/ca.pem --crl ca/crl.pem $option gone.pem
    [ "$rc" -eq 0 ] && grep -q 'revoked *not checked' out
    ok $? "with $option nobody says it is not revoked"
done
run cert verify --ca ca/ca.pem --crl ca/crl.pem deep.pem
refused "no list of the CA between" 5 revocation-unknown 'Sub CA' '--crl'
run cert verify --ca ca/ca.pem --crl good.pem good.pem
refused "a certificate is no list" 6 own-file 'holds no CRL' 'X509 CRL'

run cert verify --ca ca/ca.pem --json --name app.test good.pem
[ "$rc" -eq 0 ] && python3 -c '
import json
o = json.load(open("out"))
assert o["schema"] == "tlsock.cert-verify/1" and o["good"] is True
assert o["path"] == ["CN=app.test", "CN=Verify CA"], o["path"]
assert o["name"] == "app.test" and o["purpose"] == "server"
assert o["revocation_checked"] is False and o["exception"] is False'
ok $? "as JSON"
run cert verify --ca ca/ca.pem --json --name b.test good.pem good.pem
[ "$rc" -eq 5 ] && [ "$(grep -c '"code":"name-mismatch"' out)" -eq 2 ]
ok $? "two at once, both refused"
run cert verify --ca ca/ca.pem --accept name --name b.test good.pem
[ "$rc" -eq 0 ] && grep -q 'accepted.*exception' out
ok $? "an exception is told"
run cert verify --purpose flying good.pem
[ "$rc" -eq 2 ]
ok $? "an unknown purpose"
run cert verify --time tomorrow good.pem
[ "$rc" -ne 0 ] && grep -q -- '--time' err
ok $? "an unreadable time"
run cert verify nowhere.pem
[ "$rc" -eq 6 ]
ok $? "no such file"
run cert verify good.key
[ "$rc" -eq 6 ]
ok $? "a key is no certificate"

serve --cert good.pem --key good.key
ok $? "a server with the good one"
run cert verify --ca ca/ca.pem "127.0.0.1:$port"
[ "$rc" -eq 0 ] && grep -q 'name *127.0.0.1' out
ok $? "a server is verified for its own name"
stop
serve --cert good.pem --key good.key --starttls smtp
run cert verify --ca ca/ca.pem "smtp://127.0.0.1:$port"
ok "$rc" "and through STARTTLS"
run cert show "smtp://127.0.0.1:$port"
[ "$rc" -eq 0 ] && grep -q 'CN=app.test' out
ok $? "where cert show looks, too"
stop
serve --cert good.pem --key good.key
run cert verify --ca other/ca.pem "127.0.0.1:$port"
[ "$rc" -eq 5 ]
ok $? "by a stranger's CA it is not"
run connect --ca ca/ca.pem --crl ca/crl.pem "127.0.0.1:$port"
ok "$rc" "connect asks lists, too"
run connect --ca ca/ca.pem --crl ca/crl.pem --revocation off "127.0.0.1:$port"
ok "$rc" "unless told not to"
finish
