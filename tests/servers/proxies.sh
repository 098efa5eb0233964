#!/bin/sh
# Through real proxies to tlsock serve: tinyproxy and Squid (HTTP CONNECT with
# and without Basic), stunnel in front of one (an https:// proxy), Dante,
# microsocks and ssh -D (SOCKS5), chains of them, and proxies that refuse or
# are dead.
. "$(dirname "$0")/lib.sh"
need tinyproxy squid stunnel4 microsocks sshd ssh ssh-keygen curl openssl
# Debian 13 alone has no Dante
dante=Dante
if grep -q '^VERSION_ID="13"$' /etc/os-release; then
    dante=
else
    need danted
fi
make_bed_pki

# the server behind all of them, and a port where nobody listens
printf 'HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nfixed\n' >reply
serve --cert "$chain" --key "$key" --reply reply || give_up "tlsock serve"
target=$port
# not by a name: some proxies try one address of it, and that may be ::1
where=127.0.0.1
dead=$(free_port)
get='GET / HTTP/1.0\r\n\r\n'

tinyproxy_up() {
    cat >tiny.conf <<END
Port $port
Listen 127.0.0.1
MaxClients 20
Timeout 60
Allow 127.0.0.1
DisableViaHeader Yes
ConnectPort $target
ConnectPort $dead
${basic:+BasicAuth me secret}
END
    background tinyproxy -d -c "$dir/tiny.conf"
}
squid_up() {
    mkdir -p squid
    chown proxy squid
    echo "me:$(openssl passwd -apr1 secret)" >squid.users
    cat >squid.conf <<END
http_port 127.0.0.1:$port
auth_param basic program /usr/lib/squid/basic_ncsa_auth $dir/squid.users
auth_param basic realm test
auth_param basic children 1 startup=1
acl known proxy_auth REQUIRED
acl allowed port $target $dead
http_access deny !allowed
http_access allow known
http_access deny all
cache deny all
access_log none
cache_log stdio:$dir/squid/cache.log
pid_filename $dir/squid/pid
coredump_dir $dir/squid
cache_effective_user proxy
cache_effective_group proxy
shutdown_lifetime 0 seconds
visible_hostname localhost
dns_nameservers 127.0.0.1
pinger_enable off
netdb_filename none
END
    background squid -N -f "$dir/squid.conf" -d 1
}
stunnel_up() {
    cat >stunnel.conf <<END
foreground = yes
pid =
syslog = no
[proxy]
accept = 127.0.0.1:$port
connect = 127.0.0.1:$plain
cert = $dir/$bundle
END
    background stunnel4 stunnel.conf
}
danted_up() {
    cat >danted.conf <<END
logoutput: stderr
internal: 127.0.0.1 port = $port
external: 127.0.0.1
user.privileged: root
user.unprivileged: nobody
clientmethod: none
socksmethod: none
client pass { from: 127.0.0.1/32 to: 0.0.0.0/0 }
socks pass { from: 127.0.0.1/32 to: 0.0.0.0/0 port = $target }
socks pass { from: 127.0.0.1/32 to: 0.0.0.0/0 port = $dead }
socks block { from: 0.0.0.0/0 to: 0.0.0.0/0 }
END
    background danted -f "$dir/danted.conf"
}
microsocks_up() {
    background microsocks -i 127.0.0.1 -p "$port" -u me -P secret
}
sshd_up() {
    mkdir -p ssh
    [ -s ssh/host ] || ssh-keygen -q -t ed25519 -N '' -f ssh/host
    [ -s ssh/me ] || ssh-keygen -q -t ed25519 -N '' -f ssh/me
    cp ssh/me.pub ssh/authorized
    mkdir -p /run/sshd
    cat >ssh/config <<END
ListenAddress 127.0.0.1
HostKey $dir/ssh/host
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
AuthorizedKeysFile $dir/ssh/authorized
AllowTcpForwarding yes
END
    background "$(command -v sshd)" -D -e -f "$dir/ssh/config" -p "$port"
}
ssh_up() {
    background ssh -N -F none -i ssh/me -p "$sshd" -D "127.0.0.1:$port" \
        -o UserKnownHostsFile="$dir/ssh/known" -o BatchMode=yes \
        -o StrictHostKeyChecking=accept-new -o ExitOnForwardFailure=yes \
        root@127.0.0.1
}

# the bed: curl gets the same answer through it
curls() { # WHAT PROXY [ARGS]
    what=$1
    shift
    timeout 20 curl -sS --cacert "$ca" --proxy-cacert "$ca" -x "$@" \
        "https://$where:$target/" >out 2>err
    bed_works $? '^fixed$' "curl through $what"
}
through() { # WHAT URLS [ARGS]
    what=$1
    shift
    feed "$get" connect "$where:$target" --ca "$ca" --proxy "$@"
    printed "through $what" '^HTTP/1.0 200 OK' '^fixed$'
}
refuses() { # WHAT EXIT SLUG URLS [ARGS]
    what=$1 code=$2 slug=$3
    shift 3
    run connect "$where:$target" --ca "$ca" --proxy "$@"
    failed_with "$what" "$code" "$slug"
    ! grep -q 'wrong-secret' out err
    ok $? "$what: the password is not shown"
}

basic=
bed tinyproxy_up
http=http://127.0.0.1:$port plain=$port
curls tinyproxy "$http"
through tinyproxy "$http"
verdicts "through tinyproxy" "$where:$target" --proxy "$http"
run connect "$where:$target" --ca "$ca" --proxy "$http" --repeat 3 -v
[ "$rc" -eq 0 ] && grep -q 'resumed session' err
ok $? "through tinyproxy: --repeat resumes"
run connect "localhost:$dead" --ca "$ca" --proxy "$http"
failed_with "tinyproxy finds nobody there" 3 proxy
run connect localhost:9 --ca "$ca" --proxy "$http"
failed_with "tinyproxy refuses the port" 3 proxy
grep -q 'cause: .*403' err
ok $? "tinyproxy refuses the port: which is told"

basic=yes
bed tinyproxy_up
basic_http=http://me:secret@127.0.0.1:$port
curls "tinyproxy with a password" "$basic_http"
through "tinyproxy with a password" "$basic_http"
refuses "tinyproxy, wrong password" 3 proxy-auth \
    "http://me:wrong-secret@127.0.0.1:$port"
refuses "tinyproxy, no password" 3 proxy-auth "http://127.0.0.1:$port"

bed squid_up
squid=http://me:secret@localhost:$port
curls "Squid" "$squid"
through "Squid" "$squid"
PROXY_URL=$squid
export PROXY_URL
through "Squid, its URL from the environment" env:PROXY_URL
echo "$squid" >url
through "Squid, its URL from a file" file:url
refuses "Squid, wrong password" 3 proxy-auth \
    "http://me:wrong-secret@localhost:$port"
refuses "Squid, no password" 3 proxy-auth "http://localhost:$port"
run connect localhost:9 --ca "$ca" --proxy "$squid"
failed_with "Squid refuses the port" 3 proxy
run connect "localhost:$dead" --ca "$ca" --proxy "$squid"
failed_with "Squid finds nobody there" 3 proxy

bundle=pki/both.pem
bed stunnel_up
https=https://localhost:$port
curls "an https proxy" "$https"
through "an https proxy" "$https"
run connect "$where:$target" --ca "$other" --proxy "$https"
failed_with "an https proxy whose CA is unknown" 5 \
    'untrusted-root|chain-incomplete'
run connect "$where:$target" --ca "$ca" \
    --proxy "https://127.0.0.1:${squid##*:}"
failed_with "an https proxy that speaks no TLS" 4 not-tls
run connect "$where:$target" --ca "$ca" --proxy "http://127.0.0.1:$port"
[ "$rc" -eq 3 ] || [ "$rc" -eq 4 ]
ok $? "a proxy that wants TLS"

cat pki/expired.pem pki/expired.key >expired.pem
bundle=expired.pem
bed stunnel_up
run connect "$where:$target" --ca "$ca" --proxy "https://localhost:$port"
failed_with "an https proxy whose certificate has expired" 5 expired

through_dante() {
    bed danted_up
    socks=socks5://127.0.0.1:$port
    socksh=socks5h://127.0.0.1:$port
    curls "Dante" "$socks"
    through "Dante, address" "$socks"
    through "Dante, name" "$socksh"
    run connect localhost:9 --ca "$ca" --proxy "$socks"
    failed_with "Dante refuses the port" 3 proxy
    run connect "localhost:$dead" --ca "$ca" --proxy "$socksh"
    failed_with "Dante finds nobody there" 3 proxy
}
if [ -n "$dante" ]; then
    through_dante
else
    skip "through Dante" "this release has none"
fi

bed microsocks_up
login=socks5h://me:secret@127.0.0.1:$port
[ -n "$dante" ] || socks=$login socksh=$login
curls "microsocks with a password" "$login"
through "microsocks with a password" "$login"
refuses "microsocks, wrong password" 3 proxy-auth \
    "socks5://me:wrong-secret@127.0.0.1:$port"
refuses "microsocks, no password" 3 proxy-auth "socks5h://127.0.0.1:$port"

bed sshd_up
sshd=$port
bed ssh_up
ssh=socks5h://127.0.0.1:$port
curls "ssh -D" "$ssh"
through "ssh -D" "$ssh"
through "ssh -D, address" "socks5://127.0.0.1:$port"
run connect "localhost:$dead" --ca "$ca" --proxy "$ssh"
failed_with "ssh -D finds nobody there" 3 proxy

# chains: the last of them reaches the server. The ports of those that filter
# allow the target alone, so they are last.
chain_ends() { # WHAT URLS
    through "a chain: $1" "$2"
    verdicts "a chain: $1" "$where:$target" --proxy "$2"
}
chain_ends "ssh -D, ${dante:-microsocks}" "$ssh,$socks"
chain_ends "ssh -D, tinyproxy with a password" "$ssh,$basic_http"
chain_ends "microsocks, https, a space" \
    "$login, https://$where:${https##*:}"
chain_ends "four of them" "$ssh,$login,$ssh,$socksh"
run connect "$where:$target" --ca "$ca" --proxy "$ssh,http://127.0.0.1:$dead"
failed_with "a chain whose second proxy is dead" 3 proxy
refuses "a chain whose last proxy wants a password" 3 proxy-auth \
    "$ssh,http://me:wrong-secret@${basic_http#*@}"

nowhere=127.0.0.1:$dead
for kind in http https socks5 socks5h; do
    run connect "$where:$target" --ca "$ca" --proxy "$kind://$nowhere"
    failed_with "a dead $kind proxy" 3 'connect|proxy'
done
stop
finish
