#!/bin/sh
# cert fix: chains in order, completed from files and by http.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir data
run testpki z
ok "$rc" "a zoo"
cp -r z www
mv z/* .

# What openssl verifies as it would be sent.
verifies() { # FILE
    openssl verify -x509_strict -CAfile root.pem -untrusted "$1" "$1" \
        >log 2>&1
}

run cert fix good.pem --with root.pem
[ "$rc" -eq 0 ] && grep -q 'in order as it stands' out && grep -q '^complete' out
ok $? "what is right is left alone"
cat good-leaf.pem root.pem good-rsa.pem inter-rsa.pem inter.pem inter.pem >mess.pem
run cert fix mess.pem --key good.key
[ "$rc" -eq 1 ] && [ "$(grep -c '^dropped' out)" -ge 2 ] &&
    grep -q 'CN=Test Root CA: a root' out && grep -q '^order' out
ok $? "without --out it only tells"
run cert fix mess.pem --key good.key --out fixed.pem
[ "$rc" -eq 0 ] && cmp -s fixed.pem good.pem && verifies fixed.pem
ok $? "the root, strangers and doubles go, the rest is in order"
cat inter.pem root.pem good-leaf.pem >late.pem
run cert fix late.pem --out late2.pem
[ "$rc" -eq 0 ] && cmp -s late2.pem good.pem
ok $? "the leaf is found wherever it is"
run cert fix disordered.pem --with root.pem --out deep2.pem
[ "$rc" -eq 0 ] && [ "$(grep -c BEGIN deep2.pem)" -eq 4 ] && verifies deep2.pem
ok $? "a long chain in disorder"
run cert fix mess.pem --key client.key
refused "a key that fits none of them" 6 key-mismatch "none" match
run cert fix mess.pem
refused "two leaves and no key" 6 cert-invalid "more than one leaf" "key"

# --- what is missing

run cert fix good-leaf.pem
[ "$rc" -eq 1 ] && grep -q '^MISSING  *CN=Test Intermediate CA' out &&
    grep -q '^fix .*--with' out
ok $? "what is missing is named"
run cert fix good-leaf.pem --with inter.pem --with root.pem --out w.pem
[ "$rc" -eq 0 ] && cmp -s w.pem good.pem && grep -q '^added' out
ok $? "--with FILE completes it"
rm w.pem
run cert fix good-leaf.pem --with . --out w.pem
[ "$rc" -eq 0 ] && verifies w.pem
ok $? "--with DIR finds it"
run cert fix good-leaf.pem --with nowhere
refused "--with something that is not there" 6 own-file nowhere path
run cert fix bad-signature.pem --with .
[ "$rc" -eq 1 ] && ! grep -q '^added' out
ok $? "a signature that is not good leads nowhere"

# --- files

sum=$(cksum fixed.pem)
run cert fix late.pem --out fixed.pem
refused "nothing is overwritten" 6 own-file exists force
[ "$sum" = "$(cksum fixed.pem)" ]
ok $? "it is as it was"
run cert fix late.pem --out fixed.pem --force
ok "$rc" "but with --force"
cat good.key inter.pem good-leaf.pem >own.pem
run cert fix own.pem --with root.pem --in-place
[ "$rc" -eq 0 ] && [ "$(stat -c %a own.pem)" = 600 ] &&
    openssl x509 -in own.pem | cmp -s - good-leaf.pem &&
    openssl pkey -in good.key -pubout -out p1 2>log &&
    openssl pkey -in own.pem -pubout 2>log | cmp -s - p1
ok $? "--in-place keeps the key, mode 0600"
[ "$(grep -c 'BEGIN CERT' own.pem)" -eq 2 ]
ok $? "and has the chain"
run cert show own.pem
grep -q 'and it fits' out
ok $? "and it fits"
cat good.enc.key inter.pem good-leaf.pem >locked.pem
sum=$(cksum locked.pem)
run cert fix locked.pem --in-place
refused "an encrypted key would be lost" 6 password "lost" "pass"
[ "$sum" = "$(cksum locked.pem)" ]
ok $? "so nothing is written"
run cert fix locked.pem --in-place --pass file:password.txt --with root.pem
[ "$rc" -eq 0 ] && grep -q ENCRYPTED locked.pem &&
    openssl pkey -in locked.pem -passin file:password.txt -noout 2>log
ok $? "with its password it stays, encrypted as before"
run cert fix good.p12 --pass file:password.txt --in-place
refused "--in-place is for PEM" 2 usage PEM out
run cert fix late.pem --in-place --out x.pem
refused "--in-place and --out" 2 usage together leave
"$tlsock" cert fix - --in-place <late.pem >out 2>err
rc=$?
[ "$rc" -eq 2 ]
ok $? "--in-place needs a file"
run cert fix late.pem --out -
cmp -s out good.pem
ok $? "--out - writes to standard output"
run cert fix good.key
refused "a key is no chain" 6 own-file "private key" "certificate"
run cert fix root.pem
[ "$rc" -eq 0 ] && grep -q '^complete' out
ok $? "a self-signed certificate is whole"

# --- by http

if ! "$tlsock" version | grep -q '+curl'; then
    skip "--aia" "built without libcurl"
    finish
fi
start 'ready (\d+)' perl "$here/http_files.pl" www
ok $? "a server of certificates"
issue() { # NAME URL
    run cert new "$1.test" --ca inter.pem --aia-url "$2" --out "$1"
    openssl x509 -in "$1.pem" -out "$1-leaf.pem" 2>/dev/null
}
openssl x509 -in inter.pem -outform DER -out www/inter.der
openssl crl2pkcs7 -nocrl -certfile inter.pem -outform DER -out www/inter.p7c
for form in inter.der inter.pem inter.p7c moved/inter.der; do
    issue aia "http://127.0.0.1:$port/$form"
    run cert fix aia-leaf.pem --with root.pem
    [ "$rc" -eq 1 ] && grep -q 'aia fetches it' out
    ok $? "$form: nothing is fetched without --aia"
    run cert fix aia-leaf.pem --aia --with root.pem --out aia2.pem --force
    [ "$rc" -eq 1 ] || [ "$rc" -eq 0 ]
    grep -q "^added .*127.0.0.1:$port" out && [ "$(grep -c BEGIN aia2.pem)" -eq 2 ]
    ok $? "$form: with it, it is"
    rm -f aia.pem aia.key aia-leaf.pem
done
issue other "http://127.0.0.1:$port/inter-rsa.pem"
run cert fix other-leaf.pem --aia
[ "$rc" -eq 1 ] && grep -q 'did not sign' out && ! grep -q '^added' out
ok $? "what did not sign it is not believed"
issue gone "http://127.0.0.1:$port/gone"
run cert fix gone-leaf.pem --aia
[ "$rc" -eq 1 ] && grep -q '^not got .*404' out
ok $? "an address that leads nowhere is told"
issue endless "http://127.0.0.1:$port/endless/"
run cert fix endless-leaf.pem --aia
[ "$rc" -eq 1 ] && grep -q 'larger than 65536' out
ok $? "an endless answer is cut"
issue away "http://127.0.0.1:$port/away"
run cert fix away-leaf.pem --aia --json
[ "$rc" -eq 1 ] && grep -q '"fetches":\[{"url":"http' out &&
    ! grep -q root: out && grep -q '"error":"' out
ok $? "a redirect to a file is not followed"
openssl req -new -key good.key -subj /CN=file -out file.csr 2>log
printf 'authorityInfoAccess=caIssuers;URI:file:///etc/passwd\n' >file.ext
openssl x509 -req -in file.csr -CA inter.pem -CAkey inter.key -days 9 \
    -CAcreateserial -extfile file.ext -out file-leaf.pem 2>log
run cert fix file-leaf.pem --aia
[ "$rc" -eq 1 ] && grep -q 'only http' out
ok $? "nor is a file fetched"

# --- a CA whose certificate is larger than others, by names that it may sign
{
    printf 'basicConstraints=critical,CA:true\nkeyUsage=keyCertSign\n'
    printf 'nameConstraints=@names\n[names]\n'
    seq 3000 | sed 's/.*/permitted;DNS.&=name&.of-a-ca-with-many.test/'
} >big.ext
openssl req -new -key inter.key -subj '/CN=Many Names CA' -out big.csr 2>log &&
    openssl x509 -req -in big.csr -CA root.pem -CAkey root.key -days 9 \
        -CAcreateserial -extfile big.ext -out big.pem 2>log &&
    openssl req -new -key good.key -subj /CN=small -out small.csr 2>log &&
    openssl x509 -req -in small.csr -CA big.pem -CAkey inter.key -days 9 \
        -CAcreateserial -out small.pem 2>log
run cert fix small.pem --with big.pem --with root.pem --out whole.pem
[ "$rc" -eq 0 ] && [ "$(wc -c <big.pem)" -gt 65536 ] &&
    [ "$(grep -c BEGIN whole.pem)" -eq 2 ] && grep -q '^complete' out
ok $? "an intermediate of more than 64 KiB is found, too"
finish
