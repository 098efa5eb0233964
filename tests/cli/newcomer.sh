#!/bin/sh
# What somebody meets who has only --help: the texts, what they advise, and
# places where results cannot go.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
ca=$dir/data/tlsock/ca

holds() { # NAME WORD...: each is in out
    name=$1
    shift
    held=0
    for word in "$@"; do
        grep -q -e "$word" out || held=1
    done
    ok "$held" "$name"
}

# --help
wide=0
run --help
cp out all
sed -n 's/^  \([a-z]* *[a-z]*\) .*/\1/p' all | grep -Ev '^(tls|connect|serve|testpki|version)' |
    cut -d' ' -f1,2 >commands
printf '%s\n' connect serve testpki version cert ca trust '' >>commands
while read -r command; do
    run $command --help
    [ "$rc" -eq 0 ] && ! grep -Eq '^.{81}' out || { wide=1; cat out >log; }
done <commands
ok $wide "no help text is wider than 80 columns"
[ "$(wc -l <commands)" -ge 28 ]
ok $? "and all of them were looked at"
run cert --help
[ "$rc" -eq 0 ] && grep -q 'cert lint' out && ! grep -q 'ca init' out &&
    grep -q 'man tlsock-cert' out
ok $? "a first word's help is of its own commands alone"
run cert lint --help
holds "the exit code 1 is told where there is one" '1 findings'
run cert show --help
! grep -q ' 1 ' out
ok $? "and not where there is none"
run cert --json
[ "$rc" -eq 2 ] && grep -q 'needs a second word' out
ok $? "an option is no second word"

# a first session
run ca init
holds "ca init points to what makes it trusted" \
    '^trust    tlsock trust install (' '^or once  tlsock connect --ca +/'
run ca init --dir other
holds "and for another directory names it" '^trust    tlsock trust install other'
run ca init --dir corp --name Corp --pathlen 1 --permitted .corp.example,10.0.0.0/8
holds "its own names are in the advice" \
    '^use      tlsock cert new app.corp.example --ca corp$' \
    '--ca +corp/ca.pem app.corp.example:8443$'
sed -n 's/^use      tlsock //p' out >advice
run $(cat advice)
[ "$rc" -eq 0 ] && [ -s app.corp.example.pem ]
ok $? "which works as it is written"
run ca init --dir below --name Below --issuer corp --permitted one.corp.example
holds "below another it is the other that is trusted" \
    '^use      tlsock cert new one.corp.example --ca below$' \
    '^trust    tlsock trust install corp ('
run ca init --dir nets --permitted 10.0.0.0/8
holds "networks have no name to show" '^use      tlsock cert new NAME --ca nets$'
esc=$(printf 'a\033[31mb')
run ca init --dir "$esc"
[ "$rc" -eq 0 ] && [ -f "$esc/ca.pem" ] && ! grep -q "$(printf '\033')" out
ok $? "a directory's control characters do not reach the terminal"
run cert new app.test
grep -q 'created  app.test.pem' out
ok $? "a certificate"
fresh=0
for i in 1 2 3 4 5; do
    run cert new --force new.test
    run cert show new.test.pem
    grep -q '90 days left\|89 days left' out && ! grep -q 'NOT YET' out ||
        fresh=1
done
ok $fresh "it is valid in the second in which it was made"
run cert new --self-signed --not-before 2099-01-01 --not-after 2099-02-01 \
    future.test
run cert show future.test.pem
holds "one of the future is not" 'NOT YET VALID'
run cert convert app.test.pem --out "$esc.der"
[ "$rc" -eq 0 ] && [ -s "$esc.der" ] && ! grep -q "$(printf '\033')" out
ok $? "nor do those of a converted file's name"
run cert csr --out "$esc.c" b.test
run cert sign "$esc.c.csr"
[ "$rc" -eq 0 ] && grep -q '^created' out && ! grep -q "$(printf '\033')" out
ok $? "nor those of a signed request"

# many names
names=$(awk 'BEGIN { for (i = 0; i < 1000; i++) print "h" i ".test" }')
run cert new --out many $names
[ "$rc" -eq 0 ] && grep -q 'h999.test' out &&
    ! grep 'h[0-9]*.test ' out | grep -Eq '^.{81}'
ok $? "a thousand names, in lines"
run cert verify --ca "$ca/ca.pem" --name h999.test many.pem
ok $rc "the last of them counts"
run cert new --out more $names onemore.test
refused "one more is refused by number" 2 usage '1001 arguments, more than 1000' \
    'several runs'
[ ! -e more.pem ] && [ ! -e more.key ]
ok $? "and nothing was made"

# advice in the words of the command line
run cert new me@app.test
refused "a mail address alone" 6 no-name 'DNS name' -- '--client'
run cert csr me@app.test
refused "in a request too" 6 no-name 'DNS name' -- '--client'
: >empty.pem
run cert renew empty.pem
refused "an empty file" 6 own-file 'empty.pem is empty' 'cert new'
mkdir d
run cert renew d
refused "a directory to renew" 6 own-file 'Is a directory' 'name the file'
head -c 3000 /dev/urandom | tr -d - >junk
run cert renew junk
refused "what is no certificate" 6 own-file 'is no PEM' 'is it a certificate'
long=$(printf '%0300d' 0)
run cert renew "$long.pem"
refused "a name that no file can have" 6 own-file 'too long' 'shorter name'

cp new.test.key other.key
run cert convert app.test.pem --key other.key --out mixed.pem
refused "a key of another certificate is told with both files" 6 key-mismatch \
    'key in other.key does not .* in app.test.pem' 'cert match'
[ ! -e mixed.pem ]
ok $? "and nothing is written"
run cert renew --ca "$ca" future.test.pem
refused "no CA renews what signed itself" 6 own-file 'signed itself' \
    'cert new --like'
for command in 'ca serve' 'serve --cert app.test.pem --key app.test.key'; do
    run $command 8080
    refused "a port without its colon: ${command%% --*}" 2 argument \
        'neither a host nor a port' ":8080 listens on this machine alone"
done

# results that have nowhere to go
closed() { # NAME ARGS...
    name=$1
    shift
    "$tlsock" "$@" >&- 2>err </dev/null
    [ "$?" -eq 70 ] && grep -q '^tlsock: standard output: output$' err &&
        grep -q '^  fix: ' err
    ok $? "$name, stdout closed"
    [ -c /dev/full ] || return
    "$tlsock" "$@" >/dev/full 2>err </dev/null
    [ "$?" -eq 70 ] && grep -q '^  cause: cannot write the results' err
    ok $? "$name, stdout full"
}
closed "help" --help
closed "cert show" cert show app.test.pem
closed "cert show --json" cert show --json app.test.pem
closed "cert new" cert new --force closed.test
closed "cert new --json" cert new --json --force closed.test
closed "cert csr" cert csr --force csr.test
closed "cert sign" cert sign --force csr.test.csr
closed "cert clone" cert clone --force app.test.pem --out copy
closed "cert renew" cert renew new.test.pem
closed "cert renew --check" cert renew --check app.test.pem
closed "cert convert" cert convert --force app.test.pem --out app.der
closed "cert match" cert match app.test.pem app.test.key
closed "cert lint" cert lint app.test.pem
closed "cert fix" cert fix --with "$ca/ca.pem" app.test.pem
closed "cert verify" cert verify --ca "$ca/ca.pem" app.test.pem
closed "ca list" ca list
closed "ca crl" ca crl
closed "trust list" trust list --system
closed "testpki" testpki --force zoo
for f in "$ca/index" "$ca/lock" "$ca/crl.pem" closed.test.pem closed.test.key \
    csr.test.csr csr.test.pem copy.pem copy.key new.test.pem; do
    ! grep -Eq '^(created|crl|renewed|names|issuer) ' "$f" || echo "$f"
done >out
[ ! -s out ]
ok $? "no report went into a file of ours"
run cert match closed.test.pem closed.test.key
ok $rc "what was made is whole"
"$tlsock" cert show app.test.pem 2>err >&-
[ "$(grep -c '^tlsock' err)" -eq 1 ]
ok $? "it is said once"
run cert show missing.pem
"$tlsock" cert show missing.pem >&- 2>err
[ "$?" -eq 6 ] && ! grep -q 'standard output' err
ok $? "another failure keeps its own code"
mkfifo pipe
(exec 3<pipe && exec 3<&- && echo gone >went) &
exec 4>pipe
wait $!
"$tlsock" cert show app.test.pem >&4 2>err
[ "$?" -eq 70 ] && [ ! -s err ]
ok $? "a reader that left needs no words"
exec 4>&-
"$tlsock" cert show --json app.test.pem 2>err | head -n 1 >out
grep -q '"schema":"tlsock.cert-show/1"' out && [ ! -s err ]
ok $? "one line of JSON is enough for one who wants one"
finish
