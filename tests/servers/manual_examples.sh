# The examples of section 1, in an order in which each finds what it needs; for
# manual.sh.

# ---- a CA, a certificate, a server, a client
example tlsock 0 'tlsock ca init'
rm -rf "$HOME"/.local
example tlsock-trust 0 'tlsock ca init && tlsock trust install'
example tlsock-trust 0 \
    'sudo tlsock trust install --system ~/.local/share/tlsock/ca/ca.pem'
example tlsock-trust 0 'tlsock trust list --json'
cp ~/.local/share/tlsock/ca/ca.pem ca.pem
# it is of no CA that is here, so there is nothing to do
example tlsock-trust 0 'tlsock trust uninstall --fingerprint 5f1c09d2a4be7733'
mount -t tmpfs tmpfs /srv && mkdir -p /srv/image/etc/ssl/certs &&
    mkdir -p /srv/image/usr/local/share/ca-certificates &&
    cp /etc/ca-certificates.conf /srv/image/etc
example tlsock-trust 0 \
    'tlsock trust install --system --root /srv/image ca.pem'
tlsock trust uninstall --system ca.pem >"$dir/log" 2>&1
rm -rf "$HOME"/.local
example tlsock-ca 0 'tlsock ca init'
example tlsock-ca 0 'tlsock trust install'
cp ~/.local/share/tlsock/ca/ca.pem ca.pem
example tlsock 0 'tlsock cert new app.test'
up tlsock 8443 \
    'tlsock serve :8443 --cert app.test.pem --key app.test.key &'
example tlsock 0 'tlsock connect --name app.test --ca "+$HOME/.local/share/tlsock/ca/ca.pem" localhost:8443'
example tlsock-ca 0 'tlsock connect --ca "+$HOME/.local/share/tlsock/ca/ca.pem" app.test:8443'
example tlsock-connect 0 'tlsock connect --ca +ca.pem app.test:8443'
down
up tlsock-serve 8443 'tlsock serve :8443 --cert app.test.pem --key app.test.key --show-client'
down
up tlsock-serve 8443 'tlsock serve :8443'
down
mkdir public
up tlsock-serve 8443 'tlsock serve :8443 --files public'
down
up tlsock-serve 2525 'tlsock serve :2525 --starttls smtp'
down
up tlsock-serve 8443 'tlsock serve :8443 --exec -- cat -n'
down

# ---- looked at, verified, renewed
example tlsock-cert-show 0 'tlsock cert show app.test.pem'
example tlsock-cert-show 0 'tlsock cert show -v example.com'
example tlsock-cert-show 0 'tlsock cert show smtp://mx.example.com'
example tlsock-cert-show 0 'tlsock cert show --pem example.com >seen.pem'
example tlsock-cert-verify 0 'tlsock cert verify --name app.test app.test.pem'
tlsock ca crl >"$dir/log" 2>&1
cp ~/.local/share/tlsock/ca/crl.pem .
example tlsock-cert-verify 0 \
    'tlsock cert verify --ca ca.pem --crl crl.pem app.test.pem'
example tlsock-cert-verify 0 'tlsock cert verify smtp://mx.example.com'
example tlsock-cert-lint 0 'tlsock cert lint app.test.pem'
example tlsock-cert-lint 0 \
    'tlsock cert lint --fail-on warning www.example.com:443'
cp app.test.pem x.pem
example tlsock-cert-lint 0 'openssl x509 -in x.pem | tlsock cert lint -'
example tlsock-cert-match 0 'tlsock cert match app.test.pem *.key'
tlsock cert csr --out app app.test >"$dir/log" 2>&1
mkdir pairs && cp app.test.pem app.test.key app.csr app.key pairs && cd pairs
openssl pkcs12 -export -in app.test.pem -inkey app.test.key -out app.p12 \
    -passout env:PW
example tlsock-cert-match 0 \
    'tlsock cert match --pass env:PW *.pem *.csr *.key *.p12'
cd ..
example tlsock-cert-renew 0 'tlsock cert renew app.test.pem'
example tlsock-ca 0 'tlsock cert renew --new-key app.test.pem'
mkdir -p "$dir/etcapp/tls" && mount --bind "$dir/etcapp" /etc/app
cp app.test.pem app.test.key /etc/app/tls
example tlsock-cert-renew 0 \
    'tlsock cert renew -q --if-due 33% /etc/app/tls/*.pem'
example tlsock-cert-diff 0 \
    'tlsock cert diff -q app.test.pem app.test:443 || systemctl reload nginx'
cp app.test.pem app.pem
cat "$dir/world/ca.pem" "$dir/site.pem" >fullchain.pem
# the root is in it, and first
example tlsock-cert-fix 1 'tlsock cert fix fullchain.pem'
example tlsock-cert-fix 0 \
    'tlsock cert fix app.pem --with /etc/ssl/certs --out chain.pem'
example tlsock-cert-fix 0 'tlsock cert fix app.pem --aia --in-place'
cp app.test.key app.key
example tlsock-cert-convert 0 'tlsock cert convert app.pem --key app.key --new-pass env:PW --out app.p12'
rm app.pem
example tlsock-cert-convert 0 \
    'tlsock cert convert app.p12 --pass env:PW --out app.pem'
openssl pkcs8 -topk8 -in app.test.key -passout env:OLD -out old.key
example tlsock-cert-convert 0 'tlsock cert convert old.key --pass env:OLD --new-pass env:NEW --out new.key'
rm app.pem
example tlsock-cert-sign 0 'tlsock cert sign app.csr'
rm app.pem
example tlsock-cert-sign 0 \
    'tlsock cert sign app.csr --name app.test --days 30'
rm app.test.*
example tlsock-cert 0 "tlsock cert new app.test '*.app.test' 127.0.0.1"
example tlsock-cert 0 'tlsock cert new --client alice@app.test'
example tlsock-cert 0 "tlsock cert new --make-ca --self-signed --permitted .lab.test 'Lab CA'"
example tlsock-cert 0 'tlsock cert new --ca Lab_CA.pem www.lab.test'
rm app.test.*
typed tlsock-cert 'one one' \
    'tlsock cert new --p12 --new-pass prompt app.test'
cp app.test.pem old.pem
cp app.test.key old.key
example tlsock-cert 0 'tlsock cert csr --like old.pem --key old.key'
example tlsock-cert-clone 0 'tlsock ca init --any-name --dir ./test-ca'
example tlsock-cert-clone 0 \
    'tlsock cert clone www.example.com:443 --ca ./test-ca'
up tlsock-cert-clone 8443 'tlsock serve :8443 --cert www.example.com.pem --key www.example.com.key'
down
example tlsock-ca 0 'tlsock ca revoke --reason keyCompromise app.test.pem'

# ---- a CA below a CA
typed tlsock-ca 'one one' "tlsock ca init --dir root --name 'Corp Root' --pathlen 1 --permitted .corp.example --pass prompt"
typed tlsock-ca 'one' "tlsock ca init --dir tls --name 'Corp TLS' --issuer root --issuer-pass prompt --permitted .corp.example --crl-url http://pki.corp.example/tls.crl"
example tlsock-ca 0 'tlsock cert new --ca tls www.corp.example'
rm -rf root
tlsock ca init --dir root --permitted .corp.example --pathlen 1 >"$dir/log" 2>&1
tlsock cert csr --out sub sub.corp.example >>"$dir/log" 2>&1
example tlsock-cert-sign 0 \
    'tlsock cert sign --ca root --make-ca --permitted .corp.example sub.csr'
up tlsock-ca-serve 8080 'tlsock ca serve'
example tlsock-ca-serve 0 'openssl ocsp -issuer ca.pem -cert app.test.pem -url http://localhost:8080/ocsp'
down
up tlsock-ca-serve 8443 \
    'tlsock ca serve :8443 --acme --resolve app.test=127.0.0.1'
down
elsewhere tlsock-ca-serve 'certbot certonly --standalone -d app.test --server https://localhost:8443/acme/directory' tests/cli/acme.sh

# ---- servers of others
rm fullchain.pem
example tlsock-check 0 \
    'tlsock check shop.example.com --write-chain fullchain.pem'
elsewhere tlsock-check 'tlsock check smtp://mx.example.com --dane' \
    tests/servers/dane.sh
example tlsock-check 0 \
    'tlsock check -q --fail-on warning example.com www.example.com'
example tlsock-connect 0 \
    "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | tlsock connect https://example.com"
example tlsock-connect 0 'tlsock connect --json example.com:443'
example tlsock-connect 0 \
    "printf 'QUIT\\r\\n' | tlsock connect smtp://mx.example.com"
background tlsock intercept --listen :3128 --pass '*'
answers 3128 "$server"
export HTTPS_PROXY=http://127.0.0.1:3128
example tlsock-connect 0 \
    'tlsock connect --proxy env:HTTPS_PROXY https://example.com'
unset HTTPS_PROXY
down
example tlsock-connect 0 \
    'tlsock connect --ip 192.0.2.10 https://www.example.com'
tlsock cert new --self-signed --out box box.test >"$dir/log" 2>&1
background tlsock serve :8443 --cert box.pem --key box.key
answers 8443 "$server"
example tlsock-fingerprint 0 \
    'tlsock connect --pin "$(tlsock fingerprint --only pin box.pem)" box:8443'
down
example tlsock-fingerprint 0 'tlsock fingerprint smtp://mx.example.com'
tlsock connect --pcap dump.pcapng example.com >"$dir/log" 2>&1 </dev/null
example tlsock-fingerprint 0 'tlsock fingerprint --json dump.pcapng'
up tlsock-intercept 8443 'tlsock intercept --listen :8443'
cp ~/.local/share/tlsock/intercept/ca.pem .
example tlsock-intercept 0 'curl --proxy http://127.0.0.1:8443 --cacert ca.pem https://example.com'
down
up tlsock-intercept 8080 "tlsock intercept --pass '*.bank.example' --deny 10.0.0.0/8 --log tls.ndjson"
down
up tlsock-intercept 8080 \
    'tlsock intercept --to mail.example.com:25 --bodies mail'
down
up tlsock-intercept 8080 \
    'tlsock intercept --har visit.har --html visit.html'
down

# ---- tests of clients
example tlsock-testpki 0 'tlsock testpki zoo'
up tlsock-testpki 8443 'openssl s_server -www -accept 8443 -cert zoo/expired.pem -key zoo/expired.key &'
example tlsock-testpki 5 \
    'tlsock connect --ca zoo/root.pem --name app.test localhost:8443'
down
rm -rf zoo
example tlsock-serve 0 'tlsock testpki zoo'
up tlsock-serve 8443 'tlsock serve :8443 --misbehave all --pki zoo'
example tlsock-serve 60 'curl --cacert zoo/root.pem -x http://localhost:8443 https://expired.wild.test'
down

# ---- shells
example tlsock-completion 0 'source <(tlsock completion bash)'
elsewhere tlsock-completion 'source <(tlsock completion zsh)' \
    tests/cli/completion.sh
elsewhere tlsock-completion 'tlsock completion fish | source' \
    tests/cli/completion.sh
