#!/bin/sh
# XMPP with Prosody: client and server streams with STARTTLS (RFC 6120, 5).
. "$(dirname "$0")/lib.sh"
need prosody openssl
make_bed_pki

prosody_up() {
    s2s=$(free_port)
    mkdir -p store
    chown -R prosody store
    cp "$chain" served.pem
    cp "$key" served.key
    chown prosody served.key
    cat >prosody.cfg.lua <<END
data_path = "$dir/store"
pidfile = "$dir/store/pid"
log = { info = "*console" }
interfaces = { "127.0.0.1" }
c2s_ports = { $port }
s2s_ports = { $s2s }
c2s_direct_tls_ports = { }
s2s_direct_tls_ports = { }
http_ports = { }
https_ports = { }
modules_enabled = { "saslauth"; "s2s"; "c2s"; ${tls-"\"tls\";"} }
c2s_require_encryption = false
s2s_require_encryption = false
authentication = "internal_hashed"
ssl = { certificate = "$dir/served.pem"; key = "$dir/served.key" }
VirtualHost "localhost"
END
    background as prosody prosody -F --config "$dir/prosody.cfg.lua"
}
bed prosody_up
answers "$s2s" "$server"

stream="<stream:stream xmlns='jabber:client' to='localhost' version='1.0'
 xmlns:stream='http://etherx.jabber.org/streams'>"
server_stream="<stream:stream xmlns='jabber:server' to='localhost'
 from='me.test' version='1.0' xmlns:stream='http://etherx.jabber.org/streams'>"
for kind in xmpp xmpp-server; do
    at=$port words=$stream
    [ $kind = xmpp ] || at=$s2s words=$server_stream
    printf "%s</stream:stream>" "$words" | timeout 20 openssl s_client \
        -connect "127.0.0.1:$at" -starttls $kind -xmpphost localhost \
        -CAfile "$ca" -verify_return_error -verify_hostname localhost \
        -quiet >out 2>err
    bed_works $? '</stream:stream>' "openssl s_client -starttls $kind"
    goodbye $kind "$words</stream:stream>" '</stream:stream>$' \
        --starttls $kind:localhost "localhost:$at"
    verdicts $kind --starttls $kind:localhost "localhost:$at"
    run connect --ca "$ca" --starttls $kind:other.test "localhost:$at"
    [ "$rc" -eq 4 ] && grep -q 'host-unknown' err
    ok $? "$kind: a stream error of the server is passed on"
done
turns '' "$stream" '</stream:features>' '</stream:stream>' \
    -- "$tlsock" connect "xmpp://localhost:$port" --ca "$ca"
printed "xmpp: over TLS the features offer no TLS" 'SCRAM-SHA-1' \
    '</stream:stream>$'
! grep -q 'xmpp-tls' out
ok $? "xmpp: the dialogue before TLS is not in the output"
stop

tls=
bed prosody_up
answers "$s2s" "$server"
turns '' "$stream" '</stream:features>' '</stream:stream>' \
    -- perl "$beds/plain.pl" "$port"
! grep -q 'xmpp-tls' out
bed_works $? 'SCRAM-SHA-1' "a plaintext client finds no STARTTLS in the twin"
unavailable xmpp "xmpp://localhost:$port"
# which here has no feature at all to offer, and says so by an error
run connect --ca "$ca" --starttls xmpp-server:localhost "localhost:$s2s"
failed_with "xmpp-server: no TLS offered is no TLS" 4 \
    'starttls-unavailable|starttls-refused'
stop
finish
