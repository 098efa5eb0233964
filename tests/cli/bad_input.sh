#!/bin/sh
# Nonsense of every kind: exit code, slug, a cause that names it and a fix
# that names the valid forms.
. "$(dirname "$0")/lib.sh"

# CAUSE-REGEX FIX-OR-CAUSE-REGEX ARGS...: usage error 2
bad() {
    cause=$1
    valid=$2
    shift 2
    run "$@"
    [ "$rc" -eq 2 ] && [ ! -s "$dir/out" ] &&
        grep -Eq "^  cause: .*($cause)" "$dir/err" &&
        grep -Eq -- "$valid" "$dir/err"
    ok $? "refused: tlsock $*"
}

printf 'not a certificate\n' >"$dir/junk"
: >"$dir/empty"
"$tlsock" cert new --self-signed --out "$dir/a" app.test >"$dir/out" 2>"$dir/err"
"$tlsock" cert new --self-signed --out "$dir/b" app.test >"$dir/out" 2>"$dir/err"
head -c 200 "$dir/a.pem" >"$dir/cut.pem"
t=127.0.0.1:9

bad 'no command .frobnicate' 'serve' frobnicate
bad 'second word' 'cert new' cert
bad 'no command .ca frob' 'ca init' ca frob
bad 'no command .scan' 'check' scan example.com
bad 'too few' '--help' check
bad 'no .x' 'error, warning or note' check --fail-on x app.test
bad 'no option --frob' '--help' connect --frob $t
bad 'no option -c' '--help' connect -ca x $t
bad 'no option --time' '--help' connect --time 3 $t
bad 'needs a value' '--help' connect $t --name
bad 'takes no value' '--help' connect --json=1 $t
bad 'empty' '--help' connect --name= $t
bad 'too few' 'TARGET' connect
bad 'unexpected argument .more' 'TARGET' connect $t more
bad 'too few' 'TARGET' serve
bad 'no NAME' 'name the host' cert new
bad 'too few' 'FILE' cert show
bad 'unexpected' 'ca init' ca init x
for target in '' ':' 'host:' 'host:0' 'host:65536' \
    '[::1' '[::1]443' 'ftpx://host' 'http:' 'a b:443' 'unix:' \
    'https://' ':443' '*:443' 'host:-1' 'host:44 3'; do
    bad . '(host:port|HOST:PORT|unix:PATH|URL|https|DNS name)' connect "$target"
done
for target in 'host' ':' ':99999' '*' '[::1]'; do
    bad . ':PORT' serve --cert "$dir/a.pem" --key "$dir/a.key" \
        "$target"
done
for d in 10x s -5s 1.5s 999999h 0 ''; do
    bad . '(10s|--help)' connect --timeout "$d" $t
done
bad 'range' '1.2-1.3' connect --tls - $t
bad 'range' '1.2-1.3' connect --tls 1-2-3 $t
bad '9.9' '1\.2' connect --tls 9.9 $t
bad '1.3|1.2' '1\.2|1\.3' connect --tls 1.3-1.2 $t
bad 'NOSUCH' . connect --ciphers NOSUCH $t
bad 'TLS_NOSUCH' . connect --ciphers TLS_NOSUCH $t
bad 'names none' . connect --ciphers : $t
bad 'nosuch' . connect --groups nosuch $t
bad 'sha1' 'sha256:' connect --pin sha1:00 $t
bad . 'sha256:' connect --pin nonsense $t
bad 'nosuch' . connect --scheme nosuch $t
bad 'nosuch' 'self-signed' connect --accept nosuch $t
bad 'exactly one' 'one fault' connect --accept name --accept expired $t
bad 'together' 'leave one' connect --accept name --insecure $t
bad 'maybe' 'staple' connect --revocation maybe $t
bad 'perhaps' 'off.on.require' connect --dane=perhaps $t
bad 'unexpected argument .more' 'TARGET' connect --dane=off $t more
bad 'nowhere' 'dane.resolver' connect -o dane.resolver=nowhere $t
bad 'pink' 'always' connect --color pink $t
bad '-4 and -6' 'neither' connect -4 -6 $t
bad 'KEY=VALUE' 'tls.min' connect -o nonsense $t
bad 'KEY=VALUE' 'tls.min' connect -o tls.min= $t
bad 'no.such' 'tlsock.conf' connect -o no.such=1 $t
bad 'never' 'file:FILE' connect --pass hunter2 --cert "$dir/a.pem" $t
bad 'without a --cert' '--cert' connect --key "$dir/a.key" $t
bad 'names no file' '--ca' connect --ca + $t
bad 'two|whole' '--help' connect --repeat two $t
bad 'whole' '--help' connect --repeat 0 $t
bad 'only one kind' 'exec' serve --echo --reply x :0
bad 'only one kind' 'files' serve --files "$dir" --exec :0 -- cat
bad '--files' 'handshake-timeout' serve --timeout 5s :0
bad 'program' 'exec --' serve --exec :0
bad 'program' 'exec --' serve :0 -- cat
bad 'sometimes' 'require' serve --client-auth sometimes :0
bad 'ask|none is asked' 'client-auth' serve --ca "$dir/a.pem" :0
bad 'whole' '--help' serve --count none :0
bad . 'P-256' cert new --key-type ec:P-12 --out "$dir/x" x.test
bad 'whole' '--help' cert new --days 0 x.test
bad 'together' 'leave one' cert new --self-signed --ca "$dir" x.test
bad . . cert new --out "$dir/x" 'a b'
bad 'empty' . cert new ''
bad 'together' 'leave one' ca init --any-name --permitted .test
bad . . ca init --dir "$dir/ca-bad" --permitted '300.1.2.3/99'
[ ! -e "$dir/ca-bad/ca.key" ] && [ ! -e "$dir/x.pem" ] && [ ! -e "$dir/x.key" ]
ok $? "nothing is left behind by what was refused"
grep -q hunter2 "$dir/err"
[ $? -ne 0 ]
ok $? "a password on the line is not repeated"
printf '[x]\ntls.min = 1.3\n\nnonsense = 1\n' >"$dir/conf"
bad 'conf:4' . connect --config "$dir/conf:x" $t
bad 'nosuch' . connect --config "$dir/conf:nosuch" $t
bad 'no section' 'SECTION' connect --config "$dir/conf:" $t
bad 'missing.conf' . connect --config "$dir/missing.conf" $t

# Own files: 6, and the file is named.
own() { # REGEX ARGS...
    cause=$1
    shift
    run "$@"
    [ "$rc" -eq 6 ] && grep -Eq "^  cause: .*($cause)" "$dir/err" &&
        grep -q '^  fix:   .' "$dir/err"
    ok $? "file refused: tlsock $(printf '%s ' "$@" | sed "s|$dir|DIR|g")"
}
cp "$dir/a.key" "$dir/locked"
chmod 000 "$dir/locked"
for f in missing empty junk cut.pem; do
    own "$f" connect --ca "$dir/$f" $t
    own "$f" connect --cert "$dir/$f" --key "$dir/a.key" $t
    own "$f" serve --cert "$dir/$f" --key "$dir/a.key" :0
    own "$f" cert show "$dir/$f"
    own "$f" cert new --ca "$dir/$f" --out "$dir/x" x.test
done
for f in missing empty junk; do
    own "$f" serve --cert "$dir/a.pem" --key "$dir/$f" :0
done
own 'b.key' serve --cert "$dir/a.pem" --key "$dir/b.key" :0
own 'a.pem' serve --cert "$dir/a.pem" :0
if [ "$(id -u)" -eq 0 ]; then
    skip "an unreadable key is named" "root reads everything"
else
    own 'locked' serve --cert "$dir/a.pem" --key "$dir/locked" :0
fi
own 'exists' cert new --self-signed --out "$dir/a" app.test
own 'no CA' cert new --ca "$dir/a.pem" --out "$dir/x" x.test
own missing serve --reply "$dir/missing" :0
own missing serve --files "$dir/missing" :0
own junk serve --files "$dir/junk" :0
own 'no/dir' cert new --self-signed --out "$dir/no/dir" app.test
own 'no CA' cert new --ca "$dir" --out "$dir/x" x.test
[ ! -e "$dir/x.pem" ] && [ ! -e "$dir/x.key" ]
ok $? "no file is left behind by a failure"

for words in --help help 'help connect' 'connect --help' 'serve -h' \
    'cert new --help' 'cert show --help' 'ca init --help' 'version --help' \
    'cert --help' version --version; do
    run $words
    [ "$rc" -eq 0 ] && [ -s "$dir/out" ] && [ ! -s "$dir/err" ]
    ok $? "tlsock $words"
done
run connect --help
grep -q 'tls.min' "$dir/out" && grep -q 'keylog' "$dir/out"
ok $? "--help lists the config keys"
run
[ "$rc" -eq 2 ] && grep -q 'cert new' "$dir/err"
ok $? "no command at all: the list of them, exit 2"
finish
