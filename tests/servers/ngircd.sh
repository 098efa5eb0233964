#!/bin/sh
# IRC with ngIRCd, which speaks TLS from the start and offers no STARTTLS.
. "$(dirname "$0")/lib.sh"
need ngircd openssl
make_bed_pki

ngircd_up() {
    ircs=$(free_port)
    cat >ngircd.conf <<END
[Global]
Name = irc.app.test
AdminInfo1 = test
Info = test
Listen = 127.0.0.1
Ports = $port
ServerUID = irc
ServerGID = irc
MotdPhrase = hello
[Options]
DNS = no
Ident = no
PAM = no
SyslogFacility = user
[SSL]
Ports = $ircs
CertFile = $dir/served.pem
KeyFile = $dir/served.key
DHFile = $dir/dh.pem
END
    openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 \
        -out dh.pem 2>/dev/null
    cp "$chain" served.pem
    cp "$key" served.key
    background ngircd -n -f "$dir/ngircd.conf"
}
bed ngircd_up

hello='NICK me\r\nUSER me 0 * :me\r\n'
turns '' "$hello" ' 376 ' 'QUIT :bye\r\n' -- openssl s_client -quiet \
    -connect "127.0.0.1:$ircs" -CAfile "$ca" -verify_return_error \
    -verify_hostname localhost -ignore_unexpected_eof
bed_works $rc 'ERROR :Closing connection|ERROR :' "openssl s_client"
turns '' "$hello" ' 376 ' 'STARTTLS\r\n' ' 421 | 451 ' 'QUIT :bye\r\n' \
    -- perl "$beds/plain.pl" "$port"
bed_works $rc ' (421|451) .*STARTTLS' "a plaintext client finds no STARTTLS"

for v in 1.2 1.3; do
    turns '' "$hello" ' 376 ' 'QUIT :bye\r\n' \
        -- "$tlsock" connect "ircs://localhost:$ircs" --ca "$ca" --tls $v
    printed "ircs: a session and the whole goodbye, TLS $v" ' 376 ' '^ERROR :'
done
verdicts ircs "ircs://localhost:$ircs"
unavailable irc "irc://localhost:$port"
stop
finish
