#!/bin/sh
# cert convert: every form into every other, judged by openssl.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir data
run testpki z
ok "$rc" "a zoo"
mv z/* .
pw=file:password.txt

mode() { stat -c %a "$1"; }
no_key() { ! grep -q 'PRIVATE KEY' "$1"; }

run cert convert good.pem --out a.der
[ "$rc" -eq 0 ] && openssl x509 -in good.pem -outform DER | cmp -s - a.der
ok $? "PEM to DER"
run cert convert a.der --out a.pem
[ "$rc" -eq 0 ] && openssl x509 -in good.pem | cmp -s - a.pem
ok $? "DER to PEM"
run cert convert good.pem --key good.key --new-pass $pw --out a.p12
[ "$rc" -eq 0 ] && [ "$(mode a.p12)" = 600 ] &&
    openssl pkcs12 -in a.p12 -passin $pw -nodes -out all 2>log &&
    [ "$(grep -c 'BEGIN CERT' all)" -eq 2 ] && grep -q 'PRIVATE KEY' all
ok $? "PEM and key to PKCS#12, mode 0600"
openssl pkcs12 -in a.p12 -passin $pw -info -noout >log 2>&1
grep -q 'AES-256-CBC' log && ! grep -q RC2 log
ok $? "with modern encryption"
run cert convert a.p12 --pass $pw --out b.pem
[ "$rc" -eq 0 ] && grep -q 'ENCRYPTED PRIVATE KEY' b.pem &&
    [ "$(mode b.pem)" = 600 ] && openssl pkey -in b.pem -passin $pw -noout 2>log
ok $? "PKCS#12 to PEM: the key keeps the password"
run cert convert a.p12 --pass $pw --decrypt --out c.pem
[ "$rc" -eq 0 ] && grep -q 'BEGIN PRIVATE KEY' c.pem && [ "$(mode c.pem)" = 600 ] &&
    grep -q 'NOT encrypted' out
ok $? "--decrypt writes it open, and says so"
run cert convert a.p12 --pass $pw --parts cert,chain --out d.pem
[ "$rc" -eq 0 ] && cmp -s d.pem good.pem && [ "$(mode d.pem)" = 644 ]
ok $? "--parts cert,chain"
run cert convert a.p12 --pass $pw --parts key --out e.key
[ "$rc" -eq 0 ] && no_key out && [ "$(grep -c BEGIN e.key)" -eq 1 ]
ok $? "--parts key"
run cert convert good-legacy.p12 --pass $pw --out f.p12
[ "$rc" -eq 0 ] && openssl pkcs12 -in f.p12 -passin $pw -noout 2>log
ok $? "an old PKCS#12 becomes a new one"
run cert convert good-leaf.pem inter.pem --out g.pem
cmp -s g.pem good.pem
ok $? "several files become one"
run cert convert good.pem --out h.p7b
[ "$rc" -eq 0 ] && [ "$(openssl pkcs7 -inform DER -in h.p7b -print_certs |
    grep -c BEGIN)" -eq 2 ]
ok $? "PKCS#7"
run cert convert h.p7b --to pem --out i.pem
cmp -s i.pem good.pem
ok $? "and back"

# --- keys

for k in good.key good.trad.key good.key.der good-rsa.trad.key; do
    for to in pkcs8 traditional der; do
        rm -f o
        run cert convert $k --to $to --out o
        [ "$rc" -eq 0 ] && [ "$(mode o)" = 600 ] &&
            openssl pkey -in $k -pubout 2>log >p1
        case $to in
        der) openssl pkey -inform DER -in o -pubout >p2 2>log ;;
        *) openssl pkey -in o -pubout >p2 2>log ;;
        esac
        [ "$rc" -eq 0 ] && [ -s p1 ] && cmp -s p1 p2
        ok $? "$k to $to is the same key"
    done
done
grep -q 'BEGIN RSA' good-rsa.trad.key && run cert convert good-rsa.trad.key \
    --to pkcs8 --out p.key && grep -q 'BEGIN PRIVATE KEY' p.key
ok $? "traditional to PKCS#8"
echo another >new.txt
run cert convert good.key --new-pass file:new.txt --out q.key
[ "$rc" -eq 0 ] && openssl pkey -in q.key -passin pass:another -noout 2>log
ok $? "a key is encrypted"
run cert convert q.key --pass file:new.txt --new-pass $pw --out r.key
[ "$rc" -eq 0 ] && openssl pkey -in r.key -passin $pw -noout 2>log &&
    ! openssl pkey -in r.key -passin pass:another -noout 2>log
ok $? "its password is changed"
run cert convert r.key --pass $pw --decrypt --out s.key
[ "$rc" -eq 0 ] && openssl pkey -in s.key -noout 2>log
ok $? "and taken away"
run cert convert good.key --to der --out -
openssl pkey -inform DER -in out -noout 2>log
ok $? "--out - writes to standard output"
ls /dev/shm/tlsock-* "${XDG_RUNTIME_DIR:-/nowhere}"/tlsock-* >log 2>&1
ok "$((! $?))" "and leaves nothing behind"

# --- requests and lists

openssl req -new -key good.key -subj /CN=r -out r.csr 2>log
run cert convert r.csr --out r.der && run cert convert r.der --out r2.csr
cmp -s r.csr r2.csr
ok $? "a request to DER and back"
run cert convert inter.crl --out crl.der
[ "$rc" -eq 0 ] && openssl crl -in inter.crl -outform DER 2>log |
    cmp -s - crl.der
ok $? "a revocation list to DER"
run cert convert inter.crl.der --out crl.pem
[ "$rc" -eq 0 ] && openssl crl -in crl.pem -noout 2>log
ok $? "and to PEM"
run cert convert r.csr --out r.p12
refused "a request has no PKCS#12" 2 usage "no such form" pem

# --- what is refused

sum=$(cksum a.pem)
run cert convert good-rsa.pem --out a.pem
refused "nothing is overwritten" 6 own-file "exists" force
[ "$sum" = "$(cksum a.pem)" ]
ok $? "it is as it was"
run cert convert good-rsa.pem --force --parts cert --out a.pem
[ "$rc" -eq 0 ] && openssl x509 -in good-rsa.pem | cmp -s - a.pem
ok $? "but with --force"
run cert convert good.pem --key client.key --out no.pem
refused "a key that does not fit" 6 key-mismatch client.key match
[ ! -e no.pem ]
ok $? "leaves no file"
run cert convert good.pem --key good.key --out no.p12
refused "PKCS#12 without a password" 2 usage "password" new-pass
run cert convert good.enc.key --out no.key
refused "an encrypted key without its password" 6 password encrypted pass
[ ! -e no.key ]
ok $? "leaves no file either"
run cert convert good.enc.key --pass file:new.txt --out no.key
refused "a wrong password" 6 password good.enc.key .
run cert convert good.enc.key --pass $pw --to traditional --out no.key
refused "the traditional form would lose the password" 2 usage "no password" decrypt
run cert convert good.pem --key good.key --to der --parts cert,key --out no.der
refused "DER holds one part" 2 usage "one part" parts
run cert convert good.pem --to traditional --out no.key
refused "no key for a key's form" 2 usage "cannot hold" key
run cert convert good.pem --parts key --out no.pem
refused "no key to write" 6 own-file "no private key" parts
run cert convert good.pem --out no.xyz
refused "a suffix that names no form" 2 usage "xyz" "--to"
run cert convert good.pem --to jks --out no.jks
refused "no such form" 2 usage "jks" "p12"
run cert convert good.pem --to pem
refused "nowhere to write" 2 usage "where" "--out"
run cert convert good.pem --parts cert,leaf --out no.pem
refused "no such part" 2 usage "leaf" "chain"
run cert convert good.pem --new-pass secret --out no.p12
refused "a literal password" 2 usage "never" "file:"
grep -q secret err
ok "$((! $?))" "which is not repeated"
setsid -w "$tlsock" cert convert good.pem --new-pass prompt --out no.p12 \
    >out 2>err
rc=$?
refused "nowhere to type a password" 6 password "terminal" "file:"
run cert convert good.pem --new-pass $pw --decrypt --out no.pem
refused "--decrypt and --new-pass" 2 usage together leave
run cert convert good.pem --json --to pem --out -
refused_json=$rc
[ "$refused_json" -eq 2 ] && grep -q tlsock.error/1 out
ok $? "--json and standard output"
run cert convert nothing.pem --out no.pem
refused "a file that is not there" 6 own-file nothing.pem path
run cert convert good.pem --out nowhere/no.pem
refused "a directory that is not there" 6 own-file nowhere directory
run cert convert r.csr good.pem --out no.pem
refused "a request among others" 6 own-file "signing request" "one by one"
run cert convert good.pem --key inter.pem --out no.pem
refused "--key that is none" 6 own-file "certificate" "private key"
run cert convert --json good.pem --key good.key --out j.pem
perl -MJSON::PP -e 'local $/; my $o = decode_json(<STDIN>);
    exit($o->{schema} eq "tlsock.cert-convert/1" && @{$o->{parts}} == 3 &&
        !$o->{encrypted} ? 0 : 1)' <out
ok $? "JSON"
# A device or a pipe is nothing that can be replaced.
mkfifo pipe
run cert convert good.pem --to der --out pipe --force
refused "--force: what is no file" 6 own-file 'pipe: it is no regular file' '.'
run cert fix good.pem --out pipe --force
refused "cert fix neither" 6 own-file 'pipe: it is no regular file' '.'
mkfifo new.pem
run cert new --force --out new new.test
refused "cert new neither" 6 own-file 'new.pem: it is no regular file' '.'
[ -p pipe ] && [ -p new.pem ] && [ "$(mode pipe)" = 644 ]
ok $? "they stay as they are"
finish
