"""A receiver of webhooks for tests: the public libraries check signature and event. Prints its port, then one line an event,
and beside it what came as it came, for those in other languages (`hook.mjs`).

`/no` answers 503 the first time, `/away` redirects to a private address, anything else is checked."""
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from cloudevents.v1.http import from_http
from standardwebhooks.webhooks import Webhook

secret, out, refused = sys.argv[1], sys.argv[2], set()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/")
            self.end_headers()
            return
        key = self.headers["webhook-id"]
        if self.path == "/no" and key not in refused:
            refused.add(key)
            self.send_response(503)
            self.end_headers()
            return
        Webhook(secret).verify(body, dict(self.headers))
        event = from_http(dict(self.headers), body)
        assert event["id"] == key, (event["id"], key)
        with open(out, "a") as file:
            file.write(json.dumps({"id": event["id"], "type": event["type"], "data": event.data}) + "\n")
        with open(out + ".raw", "a") as file:
            headers = {name.lower(): value for name, value in self.headers.items()}
            file.write(json.dumps({"headers": headers, "body": body.decode()}) + "\n")
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
