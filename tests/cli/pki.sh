# Run in a directory with pki.cnf: makes the throw-away PKI of the tests.
set -e
: >index.txt
request() { # NAME [KEY OPTIONS]
    name=$1
    shift
    [ $# -gt 0 ] || set -- -newkey ec -pkeyopt ec_paramgen_curve:P-256
    openssl req -new "$@" -nodes -keyout "$name.key" -subj "/CN=$name" \
        -config pki.cnf -out "$name.csr"
}
sign() { # NAME ISSUER SECTION START END
    openssl ca -batch -notext -config pki.cnf -extensions "$3" \
        -startdate "$4" -enddate "$5" -in "$1.csr" -out "$1.pem" \
        -cert "$2.pem" -keyfile "$2.key"
}
past=20200101000000Z
then=20210101000000Z
soon=20450101000000Z
late=20490101000000Z
for ca in root other; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout $ca.key -out $ca.pem -days 3650 -subj "/CN=Test $ca" \
        -config pki.cnf -extensions root
done
request inter
sign inter root inter $past $late
for n in app.test expired future; do
    request $n
done
sign app.test inter server $past $late
sign expired inter server $past $then
sign future inter server $soon $late
request client
sign client inter client $past $late
request rsa1024 -newkey rsa:1024
sign rsa1024 inter server $past $late
request stray
cat app.test.pem inter.pem >chain.pem
cat client.pem inter.pem >client-chain.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout self.key -out self.pem -days 30 -subj /CN=self.test \
    -config pki.cnf -extensions server -addext authorityKeyIdentifier=none
