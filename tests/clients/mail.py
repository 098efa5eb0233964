"""mail.py PORT CA TEXT: a mail by SMTP with STARTTLS, verified as localhost."""
import smtplib
import ssl
import sys

context = ssl.create_default_context(cafile=sys.argv[2])
with smtplib.SMTP("localhost", int(sys.argv[1]), timeout=60) as smtp:
    smtp.starttls(context=context)
    smtp.sendmail("a@app.test", ["b@app.test"], "Subject: x\n\n" + sys.argv[3])
