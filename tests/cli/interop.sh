#!/bin/sh
# Both ways with openssl, curl, gnutls and Perl's IO::Socket::SSL.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
make_pki || { cat "$dir/pki.log"; echo "Bail out! no PKI"; exit 1; }
p=$dir/pki
id="--cert $p/good.pem --key $p/good.key"
printf 'HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nfixed\n' >reply

has() {
    command -v "$1" >/dev/null 2>&1
}

# our client, their server: one session with data, then one resumed
client() { # NAME [ARGS]: the server is at $port and answers each line
    what=$1
    shift
    for v in 1.2 1.3; do
        printf 'hello\n' | timeout 60 "$tlsock" connect --ca "$p/root.pem" \
            --name app.test --tls $v "127.0.0.1:$port" "$@" >out 2>err
        rc=$?
        [ "$rc" -eq 0 ] && grep -Eq 'hello|olleh' out
        ok $? "connect to $what, TLS $v"
    done
}

# and again from another process, by what the first has left in a file
resumes() { # NAME [ARGS]
    what=$1
    shift
    for v in 1.2 1.3; do
        rm -f sessions
        for which in new resumed; do
            run connect -v --repeat 1 --tls $v --ca "$p/root.pem" \
                --name app.test --session sessions "127.0.0.1:$port" "$@"
            [ "$rc" -eq 0 ] && grep -q "$which session" err
            ok $? "a session of $what in a file, TLS $v: $which"
        done
    done
}

start 'ACCEPT .*:(\d+)' openssl s_server -accept 127.0.0.1:0 -rev \
    -cert "$p/good-leaf.pem" -key "$p/good.key" -cert_chain "$p/inter.pem"
client 'openssl s_server'
resumes 'openssl s_server'
run connect --ca "$p/root.pem" --name app.test "127.0.0.1:$port" --repeat 2 -v
grep -q 'resumed session' err
ok $? "a session of openssl s_server is resumed"
stop
start 'ACCEPT .*:(\d+)' openssl s_server -accept 127.0.0.1:0 -rev \
    -cert "$p/good-leaf.pem" -key "$p/good.key" -cert_chain "$p/inter.pem" \
    -Verify 3 -verify_return_error -CAfile "$p/root.pem"
client 'openssl s_server that wants a certificate' \
    --cert "$p/client.pem" --key "$p/client.key"
stop

mkfifo hold # it ends with its stdin
start 'ACCEPT .*:(\d+)' sh -c 'exec openssl s_server -accept 127.0.0.1:0 \
    -early_data -cert "$1" -key "$2" -cert_chain "$3" <>hold' sh \
    "$p/good-leaf.pem" "$p/good.key" "$p/inter.pem"
for word in first second; do
    echo "$word" | timeout 60 "$tlsock" connect --ca "$p/root.pem" \
        --name app.test "127.0.0.1:$port" -v --session 0rtt --early-data \
        --half-close now >out 2>err
done
grep -q 'resumed session, early data accepted' err
ok $? "openssl s_server takes early data"
stop
wait "$watcher"
grep -q 'Early data received' log && [ "$(grep -c '^first$' log)" -eq 1 ] &&
    [ "$(grep -c '^second$' log)" -eq 1 ]
ok $? "which is what stdin began with, once there is a session"

if has gnutls-serv; then
    port=$(free_port)
    free=$port
    start "port ($port)" gnutls-serv --echo --port "$free" \
        --x509certfile "$p/good.pem" --x509keyfile "$p/good.key" \
        --disable-client-cert
    port=$free
    client 'gnutls-serv' -o truncation=allow
    resumes 'gnutls-serv' -o truncation=allow
    stop
else
    skip "connect to gnutls-serv" "it is not there"
fi

if perl -MIO::Socket::SSL -e 1 2>/dev/null; then
    start 'port (\d+)' perl -MIO::Socket::SSL -e '
        my ($cert, $key) = @ARGV;
        $| = 1;
        my $l = IO::Socket::SSL->new(Listen => 5, LocalAddr => "127.0.0.1:0",
            SSL_server => 1, SSL_cert_file => $cert, SSL_key_file => $key)
            or die $SSL_ERROR;
        print "port ", $l->sockport, "\n";
        while (1) {
            my $c = $l->accept or next;
            while (my $line = <$c>) { print $c $line }
            $c->close;
        }' "$p/good.pem" "$p/good.key"
    client 'IO::Socket::SSL'
    stop
else
    skip "connect to IO::Socket::SSL" "it is not there"
fi

# their client, our server
serve $id
for v in -tls1_2 -tls1_3; do
    printf 'hello\n' | timeout 60 openssl s_client -connect "127.0.0.1:$port" \
        $v -CAfile "$p/root.pem" -verify_return_error -verify_hostname app.test \
        -servername app.test -quiet -no_ign_eof >out 2>err
    printf 'x' | timeout 60 openssl s_client -connect "127.0.0.1:$port" $v \
        -CAfile "$p/root.pem" -verify_return_error -verify_hostname app.test \
        >out 2>err
    rc=$?
    [ "$rc" -eq 0 ] && grep -q 'Verify return code: 0' out
    ok $? "openssl s_client $v"
done
timeout 60 openssl s_client -connect "127.0.0.1:$port" -reconnect -tls1_2 \
    -CAfile "$p/root.pem" </dev/null >out 2>err
[ "$(grep -c '^Reused' out)" -eq 5 ]
ok $? "openssl s_client -reconnect resumes five times"
if has gnutls-cli; then
    for v in VERS-TLS1.2 VERS-TLS1.3; do
        printf 'hello\n' | timeout 60 gnutls-cli --port "$port" \
            --x509cafile "$p/root.pem" --verify-hostname app.test \
            --sni-hostname app.test \
            --priority "NORMAL:-VERS-ALL:+$v" 127.0.0.1 >out 2>err
        rc=$?
        [ "$rc" -eq 0 ] && grep -q '^hello' out
        ok $? "gnutls-cli $v"
    done
else
    skip "gnutls-cli" "it is not there"
fi
if perl -MIO::Socket::SSL -e 1 2>/dev/null; then
    timeout 60 perl -MIO::Socket::SSL -e '
        my ($port, $ca) = @ARGV;
        my $s = IO::Socket::SSL->new(PeerAddr => "127.0.0.1:$port",
            SSL_hostname => "app.test", SSL_verifycn_name => "app.test",
            SSL_verifycn_scheme => "http", SSL_ca_file => $ca)
            or die $SSL_ERROR;
        print $s "hello\n";
        my $line = <$s>;
        $s->close;
        exit($line eq "hello\n" ? 0 : 1)' "$port" "$p/root.pem" >out 2>err
    ok $? "IO::Socket::SSL as a client"
else
    skip "IO::Socket::SSL as a client" "it is not there"
fi
stop
serve $id --reply reply
if has curl; then
    for v in '--tlsv1.2 --tls-max 1.2' '--tlsv1.3'; do
        [ "$(timeout 60 curl -sS $v --cacert "$p/root.pem" --resolve \
            "app.test:$port:127.0.0.1" "https://app.test:$port/" 2>err)" = fixed ]
        ok $? "curl $v"
    done
    timeout 60 curl -sS --cacert "$p/root2.pem" "https://127.0.0.1:$port/" \
        >out 2>err
    [ $? -eq 60 ]
    ok $? "curl does not trust us without the CA"
else
    skip "curl" "it is not there"
fi
stop
serve $id --client-auth require --ca "$p/root.pem" --show-client
timeout 60 openssl s_client -connect "127.0.0.1:$port" -CAfile "$p/root.pem" \
    -cert "$p/client.pem" -key "$p/client.key" -cert_chain "$p/inter.pem" \
    </dev/null >out 2>err
grep -q 'certificate .*Alice' serve.out
ok $? "openssl s_client with a certificate"
if has curl; then
    timeout 60 curl -sS --cacert "$p/root.pem" --resolve \
        "app.test:$port:127.0.0.1" "https://app.test:$port/" >out 2>err
    [ $? -ne 0 ]
    ok $? "curl without a certificate is refused"
fi
stop
finish
