"""As much of Kubernetes' API server as makes objects: it takes them over TLS, refuses what is there, and fails when told to.

    api_server.py '{"certificate": …, "key": …, "token": …, "failing": 5, "log": …}'

It says its port, and notes each request in the log, as a line of JSON, before it answers.
"""

import http.server
import json
import re
import ssl
import sys

options = json.loads(sys.argv[1])
objects = {}
asked = 0


def note(what, **more):
    with open(options["log"], "a") as log:
        print(json.dumps({"what": what, **more}), file=log)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global asked
        asked += 1
        note("asked")
        yaml = self.rfile.read(int(self.headers["Content-Length"])).decode()
        name = re.search(r"^metadata: {name: ([\w-]+), namespace: decant}$", yaml, re.M)[1]
        if self.headers["Authorization"] != f"Bearer {options['token']}":
            self.answer(401, "Unauthorized")
        elif self.headers["Content-Type"] != "application/yaml":
            self.answer(415, "UnsupportedMediaType")
        elif asked == options["failing"]:
            self.answer(500, "InternalError")
        elif (self.path, name) in objects:
            self.answer(409, "AlreadyExists")
        else:
            objects[self.path, name] = yaml
            note("made", yaml=yaml)
            self.answer(201, "")

    def answer(self, status, reason):
        body = json.dumps({"kind": "Status", "reason": reason}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(options["certificate"], options["key"])
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
