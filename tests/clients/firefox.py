"""firefox.py FIREFOX PROFILE URL: what Firefox makes of a page, asked over its
Marionette port: the page's source, or on stderr why there is none."""
import json
import re
import socket
import subprocess
import sys

firefox, profile, url = sys.argv[1:]


class Marionette:
    """Length, colon, JSON in both directions."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.file = self.sock.makefile("rb")
        self.count = 0
        self.read()

    def read(self):
        length = b""
        while not length.endswith(b":"):
            byte = self.file.read(1)
            if not byte:
                raise SystemExit("Firefox went away")
            length += byte
        return json.loads(self.file.read(int(length[:-1])))

    def ask(self, command, **parameters):
        self.count += 1
        text = json.dumps([0, self.count, command, parameters]).encode()
        self.sock.sendall(b"%d:%s" % (len(text), text))
        _, _, error, result = self.read()
        if error:
            raise RuntimeError("%s: %s" % (error["error"], error["message"]))
        return result


browser = subprocess.Popen(
    [firefox, "--headless", "--no-remote", "--marionette", "--profile",
     profile],
    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    errors="replace")
try:
    port = None
    for line in browser.stdout:
        found = re.search(r"Listening on port (\d+)", line)
        if found:
            port = int(found[1])
            break
        sys.stderr.write(line)
    if port is None:
        sys.exit("Firefox does not start")
    m = Marionette(port)
    m.ask("WebDriver:NewSession", acceptInsecureCerts=False)
    m.ask("WebDriver:Navigate", url=url)
    print(m.ask("WebDriver:GetPageSource")["value"])
except RuntimeError as why:
    sys.exit(str(why))
finally:
    browser.kill()
    browser.communicate()
