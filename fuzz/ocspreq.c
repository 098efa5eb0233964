/* OCSP requests of anybody: each gets a response that can be parsed. */
#include <openssl/ocsp.h>
#include <stdlib.h>
#include <tlsock/revoke.h>

#define ROOM 131072

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static tlsock_cert *ca;

static int status_of(const char *serial, tlsock_status *out, void *arg)
{
    (void)arg;
    out->status = serial[0] % 3;
    out->when = 1700000000;
    out->reason = serial[0] % 2;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t out[ROOM];
    const uint8_t *p = out;
    tlsock_error err = {0};
    size_t len = sizeof(out);
    OCSP_RESPONSE *resp;
    int rc;

    /* the corpus asks about a CA of this name and key */
    if (ca == NULL)
        ca = tlsock_cert_load(
            "pem:-----BEGIN CERTIFICATE-----\n"
            "MIIBfDCCASGgAwIBAgIURbZkzvnbkZrONi4HHZbRsfN+V1kwCgYIKoZIzj0EAwIw\n"
            "EjEQMA4GA1UEAwwHRnV6eiBDQTAgFw0yNjExMjYyMTM3MzBaGA8yMTI2MTEwMjIx\n"
            "MzczMFowEjEQMA4GA1UEAwwHRnV6eiBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEH\n"
            "A0IABFgPobHIUL96fgIcQtK1bUhF7CJtlWHtTK3SpqBrWNHyTsiIh5BPP2iicqFZ\n"
            "RKtoz/jkuJvUzzyaI29qIK2EHyyjUzBRMB0GA1UdDgQWBBTkWMqa41PIVrjfK+eA\n"
            "4fGN53CbjjAfBgNVHSMEGDAWgBTkWMqa41PIVrjfK+eA4fGN53CbjjAPBgNVHRMB\n"
            "Af8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQD/7oLFgqEjCzZl57BrecO9l9i0\n"
            "gRKt8lL/wl2EH4AXKgIhAPJf1NbvJTXZW7fcX5kZTKgnT964jstbnmhL8veZdBNq\n"
            "-----END CERTIFICATE-----\n"
            "-----BEGIN PRIVATE KEY-----\n"
            "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgdErKs+8DUqXKzdjw\n"
            "CBCeUAjvR1Jk/CqdQ9NuWfFI+eehRANCAARYD6GxyFC/en4CHELStW1IRewibZVh\n"
            "7Uyt0qaga1jR8k7IiIeQTz9oonKhWUSraM/45Lib1M88miNvaiCthB8s\n"
            "-----END PRIVATE KEY-----\n",
            NULL, NULL, &err);
    if (ca == NULL)
        abort();
    rc = tlsock_ocsp_answer(TLSOCK_OCSP_OPTS(.issuer = ca, .status = status_of),
                            data, size, out, &len, &err);
    resp = d2i_OCSP_RESPONSE(NULL, &p, (long)len);
    if (rc < 0 || resp == NULL || p != out + len ||
        OCSP_response_status(resp) != rc)
        abort();
    OCSP_RESPONSE_free(resp);
    return 0;
}
