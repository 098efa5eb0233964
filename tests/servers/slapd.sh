#!/bin/sh
# LDAP with OpenLDAP's slapd: StartTLS (RFC 4511, 4.14), ldaps, and none.
. "$(dirname "$0")/lib.sh"
need slapd ldapsearch ldapwhoami
make_bed_pki

slapd_up() {
    ldaps=$(free_port)
    cat >slapd.conf <<END
include /etc/ldap/schema/core.schema
pidfile $dir/slapd.pid
modulepath /usr/lib/ldap
moduleload back_ldif
END
    [ -n "${tls-yes}" ] && cat >>slapd.conf <<END
TLSCertificateFile $chain
TLSCertificateKeyFile $key
TLSCACertificateFile $dir/pki/inter.pem
END
    mkdir -p base
    cat >>slapd.conf <<END
database ldif
suffix "dc=app,dc=test"
directory $dir/base
END
    background slapd -d 0 -f "$dir/slapd.conf" \
        -h "ldap://127.0.0.1:$port ${tls-ldaps://127.0.0.1:$ldaps}"
}
bed slapd_up
export LDAPTLS_CACERT="$ca"

ldapsearch -ZZ -H "ldap://127.0.0.1:$port" -x -b '' -s base namingContexts \
    >out 2>err
bed_works $? 'namingContexts: dc=app' "ldapsearch -ZZ"
ldapsearch -H "ldaps://127.0.0.1:$ldaps" -x -b '' -s base namingContexts \
    >out 2>err
bed_works $? 'namingContexts: dc=app' "ldapsearch ldaps"

# message 2: an anonymous BindRequest; message 3: a search for the root's
# namingContexts; message 4: UnbindRequest, after which the server closes
bind='\x30\x0c\x02\x01\x02\x60\x07\x02\x01\x03\x04\0\x80\0'
search='\x30\x35\x02\x01\x03\x63\x30\x04\0\x0a\x01\0\x0a\x01\0'
search="$search"'\x02\x01\0\x02\x01\0\x01\x01\0'
search="$search"'\x87\x0bobjectClass\x30\x10\x04\x0enamingContexts'
unbind='\x30\x05\x02\x01\x04\x42\0'
bound='\x30\x0c\x02\x01\x02\x61\x07\x0a\x01\x00\x04\x00\x04\x00'
found='\x30\x0c\x02\x01\x03\x65\x07\x0a\x01\x00\x04\x00\x04\x00'
for s in "ldap://localhost:$port" "ldaps://localhost:$ldaps"; do
    for v in 1.2 1.3; do
        turns '' "$bind" "^$bound" "$search" "$found\$" "$unbind" \
            -- "$tlsock" connect "$s" --ca "$ca" --tls $v
        printed "${s%%:*}: bound, searched and unbound, TLS $v" 'dc=app,dc=test'
    done
    verdicts "${s%%:*}" "$s"
done
run connect --repeat 3 -v "ldap://localhost:$port" --ca "$ca"
ok "$rc" "ldap: three sessions in a row, which this server never resumes"
stop

tls=
bed slapd_up
ldapsearch -H "ldap://127.0.0.1:$port" -x -b '' -s base namingContexts \
    >out 2>err
bed_works $? 'namingContexts: dc=app' "ldapsearch gets on with the twin"
ldapsearch -ZZ -H "ldap://127.0.0.1:$port" -x -b '' -s base >out 2>err
[ $? -ne 0 ]
bed_works $? '' "ldapsearch finds no StartTLS in the twin"
unavailable ldap "ldap://localhost:$port"
stop
finish
