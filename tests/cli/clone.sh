#!/bin/sh
# cert clone: copies of certificates in files and of servers, judged by openssl.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir data

run ca init --dir any --any-name --name 'Any CA'
ok "$rc" "a CA that may sign every name"
make_pki
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes \
    -keyout seen.key -out seen.pem -days 20 -subj '/O=Old Co/CN=www.real.test' \
    -addext 'subjectAltName=DNS:www.real.test,DNS:*.real.test,IP:192.0.2.7' \
    -addext 'basicConstraints=critical,CA:TRUE' \
    -addext 'keyUsage=critical,digitalSignature,keyCertSign' \
    -addext 'extendedKeyUsage=serverAuth,clientAuth' \
    -addext 'authorityInfoAccess=OCSP;URI:http://o.test' \
    -addext 'certificatePolicies=1.2.3.4' >log 2>&1
ok $? "something to imitate: a CA that is a server"

run cert clone seen.pem --ca any
[ "$rc" -eq 0 ] && [ -s www.real.test.pem ] && [ -s www.real.test.key ]
ok $? "a copy of a file, named after its first name"
[ "$(stat -c %a www.real.test.key)" = 600 ]
ok $? "the key's mode is 0600"
grep -q '^created  www.real.test.pem   copy of a certificate, ECDSA P-384' out &&
    grep -q '^issuer   CN=Any CA' out && grep -q 'instead of CN=www.real.test' out
ok $? "it says who signed, and who did before"
openssl verify -x509_strict -purpose sslserver -CAfile any/ca.pem \
    -verify_hostname x.real.test www.real.test.pem >log 2>&1
ok $? "openssl verifies it strictly under the new CA"
for what in -subject -enddate "-ext subjectAltName" "-ext extendedKeyUsage"; do
    # shellcheck disable=SC2086 # two words
    [ "$(openssl x509 -in seen.pem -noout $what | grep -v '^X509v3')" = \
        "$(openssl x509 -in www.real.test.pem -noout $what |
            grep -v '^X509v3')" ]
    ok $? "the same as before: $what"
done
openssl x509 -in www.real.test.pem -noout -text >log
grep -q 'CA:FALSE' log && ! grep -Eq 'CA:TRUE|Certificate Sign|Policies|OCSP' log
ok $? "no CA, no policy, no responder"
[ "$(openssl pkey -in www.real.test.key -pubout 2>/dev/null)" = \
    "$(openssl x509 -in www.real.test.pem -noout -pubkey)" ]
ok $? "key and certificate belong together"

run cert clone seen.pem --ca any
refused "nothing is overwritten" 6 own-file 'exists already' -- '--force'
run cert clone seen.pem --ca any --force
ok "$rc" "but with --force"
run cert clone seen.pem --ca any --out copy --json
[ "$rc" -eq 0 ] && [ -s copy.pem ] &&
    perl -MJSON::PP -e 'my $j = decode_json(join "", <STDIN>);
        exit !($j->{schema} eq "tlsock.cert-clone/1" &&
            $j->{certificate} eq "copy.pem" && $j->{key} eq "copy.key" &&
            $j->{names}[1] =~ /real/ && $j->{issuer} eq "CN=Any CA" &&
            $j->{recorded})' <out
ok $? "--json, --out"
run ca list --dir any
[ "$rc" -eq 0 ] && [ "$(grep -c real.test out)" -ge 3 ]
ok $? "the CA's index has every copy"
run cert clone seen.pem --ca any -q --out quiet
[ "$rc" -eq 0 ] && [ ! -s out ] && [ -s quiet.pem ]
ok $? "-q says nothing"

run ca init
run cert clone seen.pem --out local
refused "the local CA may not sign for real names" 6 purpose \
    'name constraints' 'any-name'
[ ! -e local.pem ] && [ ! -e local.key ]
ok $? "and nothing is left behind"
run cert clone pki/expired.pem --ca any --out old
[ "$rc" -eq 0 ] && grep -q 'expired, as the one' out &&
    ! openssl x509 -in old.pem -noout -checkend 0 >log
ok $? "an expired one gives an expired copy"
run cert clone pki/good.pem --ca pki/inter.pem --out under
[ "$rc" -eq 0 ] && [ "$(grep -c BEGIN under.pem)" -eq 2 ] &&
    openssl verify -CAfile pki/root.pem -untrusted under.pem under.pem >log 2>&1
ok $? "under an intermediate, which goes along"
openssl pkcs12 -export -in pki/good.pem -inkey seen.key -nokeys -out s.p12 \
    -passout pass:secret >log 2>&1
echo secret >pw
run cert clone s.p12 --file-pass file:pw --ca any --out p12
ok "$rc" "from PKCS#12, with --file-pass"
openssl ec -in any/ca.key -aes256 -passout pass:caword -out locked.key \
    >log 2>&1
cp any/ca.pem locked.pem
echo caword >capw
run cert clone seen.pem --ca locked.pem --pass file:capw --out locked2
ok "$rc" "a CA whose key is encrypted, with --pass"
run cert clone seen.pem --ca locked.pem --pass caword --out locked3
refused "a password on the line" 2 usage 'never given' 'file:FILE'

serve
run cert clone "127.0.0.1:$port" --ca any --out served
[ "$rc" -eq 0 ] && openssl x509 -in served.pem -noout -ext subjectAltName |
    grep -q localhost
ok $? "a copy of what a server shows"
stop

run cert clone seen.pem --ca pki/good-p384.pem --out bad
[ "$rc" -eq 6 ] && [ ! -e bad.pem ]
ok $? "a leaf is no CA"
run cert clone none.pem --ca any
[ "$rc" -eq 6 ]
ok $? "a file that is not there"
run cert clone seen.pem --ca none
[ "$rc" -eq 6 ]
ok $? "a CA that is not there"
rm -rf data
run cert clone seen.pem --out none
refused "no CA at all" 6 own-file 'no local CA' 'ca init'
run cert clone
[ "$rc" -eq 2 ]
ok $? "without a file it is a usage error"
run cert clone seen.pem --ca any --out no/such/dir/x
[ "$rc" -eq 6 ] && grep -q 'no/such/dir' err
ok $? "a directory that is not there"
finish
