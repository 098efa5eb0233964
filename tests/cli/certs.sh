#!/bin/sh
# cert new, cert show, ca init: what they write, judged by openssl.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir data

run cert new --self-signed alone.test
ok "$rc" "a self-signed certificate without a CA"
grep -q 'self-signed' out && grep -q -- '--pin sha256:' out
ok $? "it says so, and shows the pin"
openssl verify -CAfile alone.test.pem -verify_hostname alone.test \
    alone.test.pem >log 2>&1
ok $? "openssl verifies it as its own anchor"

run ca init
ok "$rc" "ca init"
ca=$dir/data/tlsock/ca
[ "$(stat -c %a "$ca" "$ca/ca.key" "$ca/ca.pem" | tr '\n' ' ')" = '700 600 644 ' ]
ok $? "modes 0700, 0600 and 0644"
openssl x509 -in "$ca/ca.pem" -noout -text >log
grep -q 'Name Constraints: critical' log && grep -q 'CA:TRUE' log &&
    grep -q 'DNS:.*test' log && grep -q 'IP:10.0.0.0/255.0.0.0' log
ok $? "it is limited to local names and private addresses"
sum=$(cksum "$ca/ca.key")
run ca init
[ "$rc" -eq 6 ] && [ "$sum" = "$(cksum "$ca/ca.key")" ]
ok $? "a second ca init replaces nothing"

run cert new app.test '*.app.test' 127.0.0.1 ::1
ok "$rc" "cert new with the local CA"
grep -q '^issuer   tlsock local CA' out && grep -q '90 days' out
ok $? "issuer and lifetime are shown"
[ "$(stat -c %a app.test.key)" = 600 ] && [ "$(stat -c %a app.test.pem)" = 644 ]
ok $? "the key's mode is 0600"
[ "$(grep -c BEGIN app.test.pem)" -eq 1 ]
ok $? "the root is not in the file a server sends"
for n in app.test www.app.test; do
    openssl verify -x509_strict -purpose sslserver -CAfile "$ca/ca.pem" \
        -verify_hostname $n app.test.pem >log 2>&1
    ok $? "openssl -x509_strict verifies it for $n"
done
for n in 127.0.0.1 ::1; do
    openssl verify -CAfile "$ca/ca.pem" -verify_ip $n app.test.pem >log 2>&1
    ok $? "and for $n"
done
openssl pkey -in app.test.key -noout >log 2>&1
ok $? "openssl reads the key"

run cert new app.test
[ "$rc" -eq 6 ]
ok $? "nothing is overwritten"
run cert new --force app.test
ok "$rc" "but with --force"
run cert new '*.wild.test'
[ "$rc" -eq 0 ] && [ -s _wildcard.wild.test.pem ]
ok $? "a star becomes _wildcard in the file's name"
run cert new ../up.test
[ ! -e ../up.test.pem ]
ok $? "a name does not lead out of the directory"
run cert new example.com --out outside
if [ "$rc" -eq 0 ]; then
    openssl verify -CAfile "$ca/ca.pem" outside.pem >log 2>&1
    [ $? -ne 0 ]
fi
ok $? "the local CA signs no public name that anybody would accept"
for k in ec:P-256 ec:P-384 ec:P-521 rsa:3072 ed25519; do
    run cert new --key-type $k --out "k-$k" k.test --days 7
    [ "$rc" -eq 0 ] &&
        openssl verify -x509_strict -CAfile "$ca/ca.pem" "k-$k.pem" \
            >log 2>&1
    ok $? "key type $k"
done
run cert new --client alice@app.test
[ "$rc" -eq 0 ] && openssl verify -x509_strict -purpose sslclient \
    -CAfile "$ca/ca.pem" alice@app.test.pem >log 2>&1
ok $? "a client's certificate"
openssl verify -purpose sslserver -CAfile "$ca/ca.pem" alice@app.test.pem \
    >log 2>&1
[ $? -ne 0 ]
ok $? "which is none for a server"

run ca init --dir "$dir/any" --any-name --name 'My "CA", <1>'
[ "$rc" -eq 0 ] && grep -q 'EVERY NAME' out
ok $? "--any-name is loud; a name with punctuation is kept"
run cert new --ca "$dir/any" example.com
[ "$rc" -eq 0 ] && openssl verify -CAfile any/ca.pem example.com.pem >log 2>&1
ok $? "--ca DIR"
run cert new --ca any/ca.pem --out file example.com
ok "$rc" "--ca FILE with its key beside it"

make_pki
openssl rand -hex 8 >/dev/null
run cert new --ca pki/inter.pem --out under inter.test
[ "$rc" -eq 0 ] && [ "$(grep -c BEGIN under.pem)" -eq 2 ] &&
    openssl verify -CAfile pki/root.pem -untrusted under.pem under.pem \
        >log 2>&1
ok $? "an intermediate that signs is in the file a server sends"

run cert show pki/good.pem
[ "$rc" -eq 0 ] && grep -q '^0  CN=app.test' out && grep -q '^1  CN=Test Intermediate' out
ok $? "cert show tells of each certificate in a file"
[ "$(wc -l <out)" -lt 24 ]
ok $? "and fits a screen"
openssl x509 -in app.test.pem -outform DER -out app.der
run cert show app.der
ok "$rc" "DER"
openssl pkcs12 -export -in app.test.pem -inkey app.test.key -out app.p12 \
    -passout pass:secret
echo secret >pw
run cert show app.p12 --pass file:pw
ok "$rc" "PKCS#12 with --pass file:"
PW=secret run cert show app.p12 --pass env:PW
ok "$rc" "PKCS#12 with --pass env:"
echo wrong >pw
run cert show app.p12 --pass file:pw
refused "a wrong password" 6 password app.p12 file:pw
run cert show app.p12
refused "no password" 6 password app.p12 pass

serve
run cert show "127.0.0.1:$port"
[ "$rc" -eq 0 ] && grep -q localhost out
ok $? "cert show host:port"
stop
finish
