/* password - the PASSWORD hook as whom cert/pass.h asks. */
#ifndef TSK_TLS_PASSWORD_H
#define TSK_TLS_PASSWORD_H

#include "cert/pass.h"
#include "tls/settings.h"

/* The hook of the settings, which are borrowed; NULL: there is none. */
const struct tsk_asker *tsk_password_asker(struct tsk_asker *room,
                                           const struct tsk_settings *set);

#endif
