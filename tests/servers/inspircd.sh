#!/bin/sh
# IRC with InspIRCd: the STARTTLS command and its numerics 670, 691.
. "$(dirname "$0")/lib.sh"
need inspircd openssl
make_bed_pki

inspircd_up() {
    ircs=$(free_port)
    mkdir -p data
    cp "$chain" served.pem
    cp "$key" served.key
    chown -R irc served.key data
    cat >inspircd.conf <<END
<server name="irc.app.test" description="test" id="1AA" network="test">
<admin name="me" nick="me" email="me@app.test">
<path configdir="$dir" datadir="$dir/data" logdir="$dir/data"
 runtimedir="$dir/data">
<bind address="127.0.0.1" port="$port" type="clients">
<connect allow="*" resolvehostnames="no" useident="no">
<performance clonesonconnect="no">
<dns server="127.0.0.1" timeout="1">
<module name="cap">
END
    [ -n "${tls-yes}" ] && cat >>inspircd.conf <<END
<module name="ssl_gnutls">
<module name="starttls">
<sslprofile name="gnu" provider="gnutls" certfile="$dir/served.pem"
 keyfile="$dir/served.key">
<bind address="127.0.0.1" port="$ircs" type="clients" sslprofile="gnu">
END
    background as irc inspircd --nofork --nopid --config "$dir/inspircd.conf"
}
bed inspircd_up

hello='NICK me\r\nUSER me 0 * :me\r\n'
turns '' "$hello" ' (376|422) ' 'QUIT :bye\r\n' -- openssl s_client -quiet \
    -connect "127.0.0.1:$port" -starttls irc -CAfile "$ca" \
    -verify_return_error -verify_hostname localhost -ignore_unexpected_eof
bed_works $rc 'ERROR :Closing link' "openssl s_client -starttls irc"

for s in "irc://localhost:$port" "ircs://localhost:$ircs"; do
    for v in 1.2 1.3; do
        turns '' "$hello" ' (376|422) ' 'QUIT :bye\r\n' \
            -- "$tlsock" connect "$s" --ca "$ca" --tls $v
        printed "${s%%:*}: a session and the whole goodbye, TLS $v" \
            ' 001 me ' '^ERROR :Closing link'
    done
    verdicts "${s%%:*}" "$s"
done
run connect --repeat 3 -v "irc://localhost:$port" --ca "$ca"
[ "$rc" -eq 0 ] && [ "$(grep -c 'session' err)" -ge 3 ]
ok $? "irc: three sessions in a row"
stop

tls=
bed inspircd_up
turns '' "STARTTLS\\r\\n$hello" ' (376|422) ' 'QUIT :bye\r\n' \
    -- perl "$beds/plain.pl" "$port"
! grep -q ' 670 ' out
bed_works $? ' 001 me ' "a plaintext client finds no STARTTLS in the twin"
unavailable irc "irc://localhost:$port"
stop
finish
