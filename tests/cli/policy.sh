#!/bin/sh
# Policies bind the tool, too: what is forbidden exits with 8 and names the
# rule, what is a matter of degree is tightened.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir data
"$tlsock" ca init >/dev/null && "$tlsock" cert new app.test >/dev/null
ca=$dir/data/tlsock/ca/ca.pem
serve --cert app.test.pem --key app.test.key --tls -1.2
c="connect --name app.test --repeat 1"

run version
grep -q '^policy       none$' out
ok $? "without a policy the tool says so"
run $c --ca "$ca" "127.0.0.1:$port"
[ "$rc" -eq 0 ]
ok $? "and connects"

cat >p.conf <<'END'
# what the office asks for
insecure = forbid
keylog = forbid
END
TLSOCK_POLICY=$dir/p.conf
export TLSOCK_POLICY
run version
grep -q "^policy       .*p.conf (2 rules)\$" out
ok $? "version names the policy in force"
run version --json
grep -q '"policy": *".*p.conf (2 rules)"' out
ok $? "its JSON does, too"
run $c --ca "$ca" "127.0.0.1:$port"
[ "$rc" -eq 0 ]
ok $? "what is not forbidden works"
run $c --insecure "127.0.0.1:$port"
refused "--insecure is refused" 8 policy \
    'p.conf:2: insecure = forbid: .*all: --insecure' 'policy'
run $c --ca "$ca" --accept expired "127.0.0.1:$port"
refused "--accept is refused" 8 policy 'p.conf:2: insecure = forbid' 'policy'
run $c --ca "$ca" --keylog keys "127.0.0.1:$port"
refused "--keylog is refused" 8 policy 'p.conf:3: keylog = forbid' 'policy'
[ ! -e keys ]
ok $? "and writes nothing"
run cert verify app.test.pem --ca "$ca" --accept expired
[ "$rc" -eq 8 ] && grep -q 'p.conf:2' err
ok $? "cert verify obeys"

printf '[client]\ntls.min = 1.3\n' >p.conf
run $c --ca "$ca" --tls 1.2-1.3 "127.0.0.1:$port"
refused "a version that the policy rules out" 4 version-unsupported \
    'TLS' 'p.conf:2: tls.min = 1.3'
printf '[client]\ntrust = none\n' >p.conf
run $c --ca "$ca" "127.0.0.1:$port"
refused "a forced store" 5 'chain-incomplete|untrusted-root' '.' \
    'p.conf:2: trust = none'
printf '[server]\nclient-auth = require\n' >p.conf
run $c --ca "$ca" "127.0.0.1:$port"
[ "$rc" -eq 0 ]
ok $? "rules for servers do not concern clients"

printf 'tls.min = 1.3\ntls.max = 1.3\n' >p.conf
run $c --ca "$ca" "127.0.0.1:$port"
refused "a policy with a fault lets nothing through" 8 policy \
    'p.conf:2: .*tls.max' 'valid keys'
run serve 127.0.0.1:0 --cert app.test.pem --key app.test.key
[ "$rc" -eq 8 ] && grep -q 'p.conf:2' err
ok $? "nor does a server listen"
run version
[ "$rc" -eq 0 ] && grep -q 'nothing connects: .*p.conf:2' out
ok $? "and version says why"
rm p.conf
run $c --ca "$ca" "127.0.0.1:$port"
refused "a policy that is missing does not either" 8 policy \
    'p.conf:0: .*No such file' 'policy'
stop
finish
