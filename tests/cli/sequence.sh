#!/bin/sh
# intercept --html: a page with the message sequence of each connection, which
# stands alone, is escaped, bounded, and whole whenever it is looked at.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
make_pki || exit 1
mkdir data sent
own=$dir/data/tlsock/intercept/ca.pem

# intercept OPTION...: a proxy at $proxy, its lines in ilog
intercept() {
    interceptor ilog err.log --ca pki/root.pem "$@"
}
get() { # CURL-ARGUMENT...
    timeout 60 curl -s -S -x "http://127.0.0.1:$proxy" --cacert "$own" "$@" \
        >out 2>err
}
whole() { # PAGE
    page_stands_alone "$1" && page_is_xml "$1"
}
# COUNT lines of PAGE fit the pattern
lines() { # PAGE COUNT REGEX
    [ "$(grep -Ec "$3" "$1")" -eq "$2" ]
}

serve --cert pki/good.pem --key pki/good.key --exec -- \
    perl "$here/har_server.pl" "$dir/sent"
site=https://localhost:$port
intercept --html page.html --deny '*.evil.test' --intercept localhost \
    --pass 127.0.0.1
[ "$(stat -c %a page.html)" = 600 ] && whole page.html &&
    grep -q 'There was none yet' page.html
ok $? "the page is there at once, for nobody else, and whole"
get "$site/text" "$site/gzip"
get --data-binary hello "$site/echo?<b>&\"'"
get "$site/short"
get "$site/upgrade"
get https://a.evil.test/
get "https://localhost:$(free_port)/"
timeout 30 curl -s -x "http://127.0.0.1:$proxy" --cacert pki/root.pem \
    "$site/text" >out 2>err
timeout 30 curl -s -x "http://127.0.0.1:$proxy" --cacert pki/root.pem \
    "https://127.0.0.1:$port/text" >out 2>err
cmp -s out sent/text.sent || echo "# what is passed did not arrive"
end
whole page.html
ok $? "it is whole at the end: well-formed, and nothing is loaded"
[ "$middle_rc" -eq 0 ] && [ "$(echo page.html*)" = page.html ]
ok $? "nothing is left beside it"
lines page.html 8 '<svg ' && grep -q '>8, the newest first; 3 failed or denied' \
    page.html
ok $? "a diagram for each connection"
grep -q 'ClientHello [0-9]* sni=localhost' page.html &&
    grep -Eq -e '<title>Certificate [0-9]* certificates=2 subject=CN=app.test' \
        -e '<title>CompressedCertificate [0-9]* algorithm=' page.html && grep -q 'Finished [0-9]*<' page.html
ok $? "messages of the handshakes"
grep -q 'TLSv1.3 TLS_AES_[0-9A-Z_]* [A-Za-z0-9-]*, verified: chain' page.html &&
    grep -q 'ALPN none, t13d' page.html
ok $? "what was agreed on, and how the server was verified"
lines page.html 1 '>GET /text</text>' && lines page.html 1 '>GET /gzip</text>' &&
    grep -q '>200 OK, application/json, [0-9]* bytes in [0-9]* ms<' page.html
ok $? "requests and responses"
grep -q 'POST /echo?&lt;b&gt;&amp;&quot;&#39;, 5 bytes<' page.html &&
    ! grep -q '<b>' page.html
ok $? "text of the network is escaped"
grep -q 'the connection ended before the response did' page.html &&
    lines page.html 1 'another protocol follows, which is not recorded'
ok $? "what is wrong with one, once"
grep -q 'denied: by the rule &quot;deny \*.evil.test&quot;' page.html &&
    grep -q 'failed: cannot connect to localhost' page.html &&
    grep -q 'failed: client refused our certificate (unknown_ca)' page.html &&
    grep -q 'class="x3">.*Alert 2 fatal unknown CA' page.html
ok $? "what was denied and what failed, with its alert"
grep -q 'passed, not decrypted: by the rule &quot;pass 127.0.0.1&quot;' \
    page.html && grep -Eq 'text-anchor="middle"><title>[0-9]{3,} bytes<' page.html
ok $? "what is not decrypted by its bytes"
run intercept --listen 127.0.0.1:0 --html page.html
refused "an old page is not replaced" 6 own-file 'page.html exists already' \
    '--force replaces it'
run intercept --listen 127.0.0.1:0 --html "$dir/none/x.html"
refused "a page that cannot be made" 6 own-file none/x.html "may write to"
run intercept --listen 127.0.0.1:0 --html -
[ "$rc" -eq 2 ] && grep -q -- '--html' err
ok $? "standard output is no file that is written again and again"
run intercept --listen 127.0.0.1:0 --har -
[ "$rc" -eq 2 ] && grep -q -- '--har' err
ok $? "nor one that entries are added to"

# More than is kept
urls=
for n in 1 2 3 4 5 6 7 8; do
    for m in 1 2 3 4 5 6 7 8; do
        urls="$urls $site/empty?$n$m"
    done
done
intercept --html many.html --force --deny '*.evil.test'
get $urls
end
whole many.html && grep -Eq '>[0-9]+ more steps are left out<' many.html &&
    grep -q 'closed: [0-9]* bytes' many.html && lines many.html 1 '<svg '
ok $? "of a long connection the beginning and the end are shown"
intercept --html page.html --force --deny '*.evil.test'
perl -MIO::Socket::INET -e 'for (1 .. 210) {
    my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die;
    print $s "CONNECT n$_.evil.test:443 HTTP/1.1\r\n\r\n";
    1 while <$s>;
}' "$proxy"
end
whole page.html && lines page.html 200 '<svg ' &&
    grep -q '; 10 older ones are left out' page.html &&
    grep -q 'n210.evil.test' page.html && ! grep -q 'n10.evil.test' page.html
ok $? "of many connections the newest are shown, and the others counted"
intercept --html page.html --force
get "$site/text"
kill -9 "$middle"
wait "$middle" 2>/dev/null
whole page.html
ok $? "kill -9 leaves a whole page"
mkdir gone
intercept --html gone/page.html
get "$site/text"
mv gone away # at once, whatever is being written there
end
[ "$(grep -c 'gone/page.html: No such file' err.log)" -eq 1 ] && [ ! -e gone ]
ok $? "a page whose directory went is missed, and said so once"
finish
