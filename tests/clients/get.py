"""get.py URL...: the text behind each, with the defaults of Python's ssl."""
import ssl
import sys
import urllib.request

for url in sys.argv[1:]:
    context = ssl.create_default_context()
    with urllib.request.urlopen(url, context=context) as answer:
        sys.stdout.write(answer.read().decode())
