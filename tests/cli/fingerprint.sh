#!/bin/sh
# fingerprint: what it prints works where it is to be pasted, and only there.
. "$(dirname "$0")/lib.sh"
make_pki || { cat "$dir/pki.log"; echo "Bail out! no PKI"; exit 1; }
p=$dir/pki
cd "$dir" || exit 1

# What follows a label in out, of the n-th certificate: CERTIFICATE LABEL
line() {
    awk -v want="$1" -v label="$2" '
        /^(leaf|intermediate|CA) / { at++ }
        at == want && $1 == label && !/pin.mode *=|"pin.mode"/ {
            sub(/^ *[a-zA-Z]+ +/, ""); print; exit }' "$dir/out.kept"
}
keep() {
    cp "$dir/out" "$dir/out.kept"
}

# --- a file
run fingerprint --ca "$p/root.pem" --name app.test "$p/good.pem"
keep
[ "$rc" -eq 0 ] && grep -q '^verified .*the name app.test' out
ok $? "a good file is verified"
hex=$(openssl x509 -in "$p/good.pem" -noout -fingerprint -sha256)
[ "SHA256 Fingerprint=$(line 1 hex)" = "$hex" ] ||
    [ "sha256 Fingerprint=$(line 1 hex)" = "$hex" ]
ok $? "hex: as openssl x509 -fingerprint"
key=$(openssl x509 -in "$p/good.pem" -noout -pubkey |
    openssl pkey -pubin -outform DER | openssl dgst -sha256 | sed 's/.*= //')
[ "$(line 1 config)" = "pin = sha256:pub:$key" ]
ok $? "config: as openssl dgst of the key"
grep -q "tlsock_config_add_pin(c, \"sha256:pub:$key\"); /\* app.test, expires" out
ok $? "C: a line that compiles"
inter=$(openssl x509 -in "$p/inter.pem" -noout -fingerprint -sha256 |
    sed 's/.*=//')
[ "$(line 2 hex)" = "$inter" ] && grep -q '^intermediate  *Test Inter' out
ok $? "the intermediate follows"
grep -q 'pin.mode = require-chain' out
ok $? "and says in which mode its pin counts"

run fingerprint "$p/good.pem"
[ "$rc" -eq 0 ] && grep -q '^WARNING .*not verified: chain-incomplete' out &&
    grep -q 'before you pin' out
ok $? "what nobody vouches for is shown below a warning"
run fingerprint - <"$p/good.pem"
timeout 60 "$tlsock" fingerprint --only pin - <"$p/good.pem" >out 2>err
[ "$(cat out)" = "sha256:pub:$key" ] && grep -q WARNING err
ok $? "stdin; --only prints one line, the warning is elsewhere"
for form in pin cert curl hex; do
    run fingerprint --only $form "$p/good.pem"
    [ "$rc" -eq 0 ] && [ "$(wc -l <out)" -eq 1 ]
    ok $? "--only $form is one line"
done
run fingerprint --only sha1 "$p/good.pem"
[ "$rc" -eq 2 ]
ok $? "--only of something else is a usage error"
run fingerprint "$p/good.key"
[ "$rc" -eq 6 ]
ok $? "a key is no certificate"
run fingerprint "$p/no-such.pem"
[ "$rc" -eq 6 ]
ok $? "a file that is not there"

run fingerprint --json "$p/good.pem" "$p/self-signed.pem"
perl -MJSON::PP -ne '
    my $o = decode_json($_);
    $o->{schema} eq "tlsock.fingerprint/1" && !$o->{verified} &&
        $o->{error}{code} && $o->{certificates}[0]{pin} =~ /^sha256:pub:/ &&
        $o->{certificates}[0]{pin_mode} eq "accept" or exit 1;
    $n++; END { exit 1 if $n != 2 }' out
ok $? "--json: an object a target, with the reason"
run fingerprint --json --ca "$p/root.pem" --name app.test "$p/good.pem"
perl -MJSON::PP -ne '
    my $o = decode_json($_);
    $o->{verified} && !$o->{error} && $o->{name} eq "app.test" &&
        @{$o->{certificates}} == 2 &&
        $o->{certificates}[1]{pin_mode} eq "require-chain" or exit 1;' out
ok $? "--json: verified"

# --- a server, and a pin from each line of what is printed
start 'ACCEPT .*:(\d+)' openssl s_server -accept 127.0.0.1:0 -www \
    -cert "$p/self-signed.pem" -key "$p/self-signed.key"
run fingerprint --timeout 20s "127.0.0.1:$port"
keep
[ "$rc" -eq 0 ] && grep -q '^WARNING .*not verified: untrusted-root' out
ok $? "a self-signed server is shown, loudly"
pin=$(line 1 config)
cert=$(line 1 cert)
hex=$(line 1 hex)
curl_pin=$(line 1 curl | sed "s/.*'\(.*\)'/\1/")
for text in "${pin#pin = }" "$cert" "$hex" "SHA256 Fingerprint=$hex" \
    "$(echo "$hex" | tr -d :)" "$curl_pin" "sha256//$(printf A%.0s $(seq 43))=;$curl_pin"; do
    run connect --timeout 20s --json --pin "$text" "127.0.0.1:$port"
    [ "$rc" -eq 0 ] && grep -q '"verified_by":"pin sha256:' out &&
        grep -q '"verified":true' out
    ok $? "--pin ${text%%[0-9]*}... connects"
done
wrong=$(echo "$hex" | tr 0-9A-F 1-9A-F0)
run connect --timeout 20s --ca "$p/root.pem" --pin "$wrong" --name app.test \
    "127.0.0.1:$port"
refused "another pin does not" 5 untrusted-root . 'sha256:'
run connect --timeout 20s --pin "$wrong" -o pin.mode=require "127.0.0.1:$port"
refused "nor in the mode require, and the hint has the right one" 5 pin . \
    "$cert"
sha1=$(openssl x509 -in "$p/self-signed.pem" -noout -fingerprint -sha1)
run connect --pin "$sha1" "127.0.0.1:$port"
refused "a SHA-1 fingerprint is refused with the reason" 2 option 'too weak' \
    'SHA-256'
printf '[c]\n%s\n' "$pin" >c.ini
run connect --timeout 20s --json --config c.ini:c "127.0.0.1:$port"
[ "$rc" -eq 0 ] && grep -q '"verified_by":"pin sha256:pub:' out
ok $? "the line works in a config file"
if command -v curl >/dev/null; then
    curl -sk --max-time 20 --pinnedpubkey "$curl_pin" \
        "https://127.0.0.1:$port/" >out 2>err
    ok $? "curl takes its line"
    curl -sk --max-time 20 --pinnedpubkey \
        "sha256//$(printf A%.0s $(seq 43))=" "https://127.0.0.1:$port/" \
        >out 2>err
    [ $? -eq 90 ]
    ok $? "curl refuses another one"
else
    skip "curl takes its line" "there is no curl"
    skip "curl refuses another one" "there is no curl"
fi
stop

# --- issuers
start 'ACCEPT .*:(\d+)' openssl s_server -accept 127.0.0.1:0 -rev \
    -cert "$p/good-leaf.pem" -key "$p/good.key" -cert_chain "$p/inter.pem"
run fingerprint --timeout 20s --ca "$p/root.pem" "127.0.0.1:$port"
keep
[ "$rc" -eq 0 ] && grep -q '^verified .*the name 127.0.0.1' out
ok $? "a good server is verified for its own name"
pin=$(line 2 config)
pin=${pin#pin = }
at="--timeout 20s --ca $p/root.pem --json 127.0.0.1:$port"
run connect $at -o pin.mode=require-chain --pin "$pin"
[ "$rc" -eq 0 ] && grep -q "\"verified_by\":\"chain and pin $pin" out
ok $? "an intermediate's pin counts in its mode"
run connect --timeout 20s --ca "$p/root.pem" "127.0.0.1:$port" \
    -o pin.mode=require --pin "$pin"
refused "elsewhere the hint says so" 5 pin . 'intermediate.*require-chain'
stop

serve --starttls smtp --cert "$p/good.pem" --key "$p/good.key"
run fingerprint --timeout 20s --only pin "smtp://127.0.0.1:$port"
[ "$rc" -eq 0 ] && [ "$(cat out)" = "sha256:pub:$key" ]
ok $? "through STARTTLS"
stop

run fingerprint --timeout 20s "127.0.0.1:$(free_port)"
[ "$rc" -eq 3 ]
ok $? "a server that is not there"

finish
