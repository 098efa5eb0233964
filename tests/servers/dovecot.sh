#!/bin/sh
# IMAP, POP3, LMTP and ManageSieve with Dovecot.
. "$(dirname "$0")/lib.sh"
need dovecot openssl curl
make_bed_pki

listener() { # NAME PORT [TLS FROM THE START]
    printf '  inet_listener %s {\n    %s = 127.0.0.1\n' "$1" "$address"
    printf '    port = %s\n    ssl = %s\n  }\n' "$2" "${3:-no}"
}
# What has other names since 2.4, which also wants to be told whose names it gets.
case $(dovecot --version) in
2.[0-3].*)
    address=address
    settings() {
        cat <<END
ssl_cert = <$chain
ssl_key = <$key
ssl_client_ca_file = $ca
mail_location = maildir:$dir/mail/%u
disable_plaintext_auth = ${tls:-yes}
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=$dir/mail/%u
}
END
    } ;;
*)
    address=listen
    settings() {
        [ "${tls:-yes}" = yes ] && cleartext=no || cleartext=yes
        cat <<END
ssl_server_cert_file = $chain
ssl_server_key_file = $key
ssl_server_ca_file = $ca
mail_driver = maildir
mail_path = $dir/mail/%{user}
auth_allow_cleartext = $cleartext
passdb static {
  password = secret
}
userdb static {
  fields {
    uid = nobody
    gid = nogroup
    home = $dir/mail/%{user}
  }
}
END
    } ;;
esac
dovecot_up() { # [ssl = NO]
    imap=$port
    for n in imaps pop3 pop3s lmtp sieve; do
        eval "$n=\$(free_port)"
    done
    rm -rf run
    mkdir -p run mail
    cat >dovecot.conf <<END
$([ "$address" = address ] ||
    printf 'dovecot_%s_version = 2.4.0\n' config storage)
base_dir = $dir/run
log_path = /dev/stderr
protocols = imap pop3 lmtp sieve
ssl = ${tls:-yes}
$(settings)
mail_uid = nobody
mail_gid = nogroup
first_valid_gid = 0
auth_mechanisms = plain
service imap-login {
$(listener imap "$imap")
$(listener imaps "$imaps" yes)
}
service pop3-login {
$(listener pop3 "$pop3")
$(listener pop3s "$pop3s" yes)
}
service lmtp {
$(listener lmtp "$lmtp")
}
service managesieve-login {
$(listener sieve "$sieve")
}
END
    chown nobody mail
    background dovecot -F -c "$dir/dovecot.conf"
}
bed dovecot_up

s_client() { # STARTTLS PORT INPUT
    printf "$3" | timeout 20 openssl s_client -connect "127.0.0.1:$2" \
        -starttls "$1" -CAfile "$ca" -verify_return_error \
        -verify_hostname localhost -quiet >out 2>err
}
s_client imap "$imap" 'a LOGOUT\r\n'
bed_works $? '^a OK Logout' "openssl s_client -starttls imap"
s_client pop3 "$pop3" 'QUIT\r\n'
bed_works $? '^\+OK Logging out' "openssl s_client -starttls pop3"
s_client lmtp "$lmtp" 'QUIT\r\n'
bed_works $? '^221 ' "openssl s_client -starttls lmtp"
s_client sieve "$sieve" 'LOGOUT\r\n'
bed_works $? '^OK "Logout' "openssl s_client -starttls sieve"
timeout 20 curl -sS --cacert "$ca" -u me:secret "imaps://localhost:$imaps/" \
    >out 2>err
bed_works $? 'INBOX' "curl imaps"
timeout 20 curl -sS --cacert "$ca" -u me:secret "pop3s://localhost:$pop3s/" \
    >out 2>err
bed_works $? '' "curl pop3s"

goodbye imap 'a LOGOUT\r\n' '^a OK Logout completed' "imap://localhost:$imap"
printed "imap: the untagged goodbye, too" '^\* BYE '
goodbye imaps 'a LOGOUT\r\n' '^a OK Logout completed' \
    "imaps://localhost:$imaps"
goodbye pop3 'QUIT\r\n' '^\+OK Logging out' "pop3://localhost:$pop3"
goodbye pop3s 'QUIT\r\n' '^\+OK Logging out' "pop3s://localhost:$pop3s"
goodbye lmtp 'QUIT\r\n' '^221 2.0.0 Bye' "lmtp://localhost:$lmtp"
goodbye sieve 'LOGOUT\r\n' '^OK "Logout completed' "sieve://localhost:$sieve"

turns '' 'a LOGIN me secret\r\n' 'a OK' 'b SELECT INBOX\r\n' 'b OK' \
    'c LOGOUT\r\n' -- "$tlsock" connect "imap://localhost:$imap" --ca "$ca"
printed "imap: a mailbox is opened" ' EXISTS' '^c OK Logout completed'
turns '' 'USER me\r\n' '\+OK' 'PASS secret\r\n' '\+OK' 'STAT\r\n' \
    '\+OK' 'QUIT\r\n' -- "$tlsock" connect "pop3://localhost:$pop3" --ca "$ca"
printed "pop3: a mailbox is counted" '^\+OK [0-9]+ [0-9]+' '^\+OK Logging out'
turns '' 'LHLO me.test\r\n' '\n250 [^\n]*\n' 'MAIL FROM:<a@me.test>\r\n' \
    '250 ' 'RCPT TO:<me>\r\n' '250 ' 'DATA\r\n' \
    '354 ' 'Subject: hello\r\n\r\nhello\r\n.\r\n' '250 ' 'QUIT\r\n' \
    -- "$tlsock" connect "lmtp://localhost:$lmtp" --ca "$ca"
printed "lmtp: a mail is delivered" '^250 2.0.0 <me> .* Saved' '^221 2.0.0 Bye'
turns 'SASL.*OK [^\n]*\n' \
    'AUTHENTICATE "PLAIN" "AG1lAHNlY3JldA=="\r\n' \
    'OK [^\n]*\n' 'LISTSCRIPTS\r\n' 'OK [^\n]*\n' 'LOGOUT\r\n' \
    -- "$tlsock" connect "sieve://localhost:$sieve" --ca "$ca"
printed "sieve: logged in, and the capabilities were sent again over TLS" \
    '^"SASL" "PLAIN"' '^OK "Listscripts completed' '^OK "Logout completed'
for n in imap pop3 lmtp sieve imaps pop3s; do
    eval "verdicts $n $n://localhost:\$$n"
done
for n in imap pop3; do
    eval "run connect --repeat 3 -v $n://localhost:\$$n --ca \$ca"
    ok "$rc" "$n: three sessions in a row, which this server never resumes"
done
stop

tls=no
bed dovecot_up
timeout 20 curl -sS --ssl-reqd --cacert "$ca" -u me:secret \
    "imap://localhost:$imap/" >out 2>err
[ $? -eq 64 ]
bed_works $? '' "curl finds no STARTTLS in the twin"
for n in imap pop3 lmtp sieve; do
    eval "unavailable $n $n://localhost:\$$n"
done
feed 'a LOGIN me secret\r\nb LOGOUT\r\n' connect "imap://localhost:$imap" \
    --ca "$ca" -o starttls=opportunistic
printed "imap: opportunistic goes on without TLS" '^a OK' '^b OK Logout'
grep -q 'WARNING: not encrypted' err
ok $? "imap: opportunistic without TLS is loud"
stop
finish
