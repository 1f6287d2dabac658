"""A print daemon for tests (RFC 1179). Prints its port, then appends one JSON object a job to a file.

The queue `closed` is refused; `hang` never answers after the control file (but keeps the job); others are taken."""
import json, socketserver, sys, time

out = sys.argv[1]


class Daemon(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline()
        assert line[:1] == b"\x02", line
        queue = line[1:].strip().decode()
        self.wfile.write(b"\x01" if queue == "closed" else b"\x00")
        files = {}
        while queue != "closed":
            line = self.rfile.readline()
            if not line:
                return
            size, name = line[1:].split()
            self.wfile.write(b"\x00")
            files[name[:2].decode()] = self.rfile.read(int(size)).decode()
            assert self.rfile.read(1) == b"\x00"
            if len(files) == 2:
                job = next(row[1:] for row in files["cf"].splitlines() if row.startswith("J"))
                with open(out, "a") as file:
                    file.write(json.dumps({"queue": queue, "job": job, "control": files["cf"], "data": files["df"]}) + "\n")
                if queue == "hang":
                    time.sleep(3600)
            self.wfile.write(b"\x00")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Daemon)
print(server.server_address[1], flush=True)
server.serve_forever()
