#!/bin/sh
# A password is asked for at a terminal: not shown, the same twice where it is
# new, and the terminal is as before, also for who gives up.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
typed() { # COMMAND ANSWER...
    timeout 60 perl "$here/type.pl" "$@" >out 2>err </dev/null
    rc=$?
}
new="'$tlsock' cert new --self-signed --key-pass prompt --out it app.test"
show="'$tlsock' cert match --pass prompt it.pem it.key"

typed "$new" sesame sesame
[ "$rc" -eq 0 ] && grep -q ENCRYPTED it.key
ok $? "a new password, the same twice, encrypts the key"
grep -q 'Password of the private key (--key-pass): ' out &&
    grep -q 'The same again (--key-pass): ' out && ! grep -q sesame out
ok $? "each question says what for, and no answer is shown"
typed "$show" sesame
[ "$rc" -eq 0 ] && ! grep -q sesame out
ok $? "it opens the key"
typed "$show" wrong
[ "$rc" -ne 0 ] && [ "$rc" -ne 99 ]
ok $? "another one does not"
rm it.pem it.key
typed "$new" sesame samesame
[ "$rc" -eq 6 ] && grep -q 'not the same' out && [ ! -e it.key ]
ok $? "two that differ are none, and nothing is written"
typed "$new" '' ''
[ "$rc" -eq 6 ] && [ ! -e it.key ]
ok $? "an empty one is none"
# ^C at the question
typed "trap : INT; stty; $new; echo ended \$?; stty -a" "$(printf '\003')"
grep -q 'ended 130' out && grep -Eq '[^-]echo( |$)' out && [ ! -e it.key ]
ok $? "who gives up has a terminal that shows what is typed"
# ^Z at the question, and back
typed "set -m; $new; fg" "$(printf '\032')" sesame sesame
[ "$rc" -eq 0 ] && grep -q ENCRYPTED it.key &&
    [ "$(grep -c 'Password of the private key' out)" -eq 2 ]
ok $? "who comes back is asked again"
rm -f it.pem it.key
timeout 60 setsid "$tlsock" cert new --self-signed --key-pass prompt --out it \
    app.test >out 2>err </dev/null
[ $? -eq 6 ] && grep -q 'no terminal' err
ok $? "without a terminal there is an error, and what to do"
finish
