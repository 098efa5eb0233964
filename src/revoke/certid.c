#include "revoke/ocsp.h"

#include <openssl/objects.h>

int tsk_certid_is(OCSP_CERTID *id, X509 *leaf, X509 *issuer)
{
    ASN1_OBJECT *oid = NULL;
    OCSP_CERTID *ours;
    int nid, same;

    OCSP_id_get0_info(NULL, &oid, NULL, NULL, id);
    nid = OBJ_obj2nid(oid);
    if (nid != NID_sha1 && nid != NID_sha256 && nid != NID_sha384 &&
        nid != NID_sha512)
        return 0;
    ours = OCSP_cert_to_id(EVP_get_digestbynid(nid), leaf, issuer);
    if (ours == NULL)
        return -1;
    same = leaf != NULL ? OCSP_id_cmp(ours, id) == 0
                        : OCSP_id_issuer_cmp(ours, id) == 0;
    OCSP_CERTID_free(ours);
    return same;
}
