#include "revoke/strong.h"

#include <openssl/objects.h>
#include <openssl/rsa.h>

/* NID_undef is "hashes by itself": Ed25519, Ed448 */
int tsk_strong_digest(int md)
{
    return md != NID_md5 && md != NID_sha1 && md != NID_md4 &&
           md != NID_md5_sha1 && md != NID_mdc2 && md != NID_ripemd160;
}

/* RSASSA-PSS names its hash in its parameters; SHA-1 if it names none. */
static int pss_is_strong(const X509_ALGOR *alg)
{
    const ASN1_TYPE *type = alg->parameter;
    const X509_ALGOR *hash = NULL;
    RSA_PSS_PARAMS *pss = NULL;
    int ok;

    if (type != NULL && type->type == V_ASN1_SEQUENCE)
        pss = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_PSS_PARAMS), type);
    if (pss != NULL)
        hash = pss->hashAlgorithm;
    ok = hash != NULL && tsk_strong_digest(OBJ_obj2nid(hash->algorithm));
    RSA_PSS_PARAMS_free(pss);
    return ok;
}

int tsk_strong_signature(const X509_ALGOR *alg)
{
    int nid = OBJ_obj2nid(alg->algorithm), md = NID_undef;

    if (nid == NID_rsassaPss)
        return pss_is_strong(alg);
    return OBJ_find_sigid_algs(nid, &md, NULL) && tsk_strong_digest(md);
}
