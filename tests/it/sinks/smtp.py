"""An SMTP server for tests: aiosmtpd that appends what it took to a file, one JSON object a line.

The local part of the recipient says what it does: `later` answers 451 to RCPT the first time and takes it afterwards,
`no` answers 550, `hang` never answers after the final dot the first time (but keeps the mail), anything else is taken.
"""
import asyncio, json, os, sys, time
from aiosmtpd.smtp import SMTP

out, seen = sys.argv[1], {}
sleep = float(os.environ.get("SINK_SLEEP", "0"))


def first(kind, address):
    seen[kind, address] = seen.get((kind, address), 0) + 1
    return seen[kind, address] == 1


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        local = address.split("@")[0]
        if local == "no":
            return "550 5.1.1 no such user"
        if local == "later" and first("later", address):
            return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        row = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "data": envelope.content.decode("utf-8", "replace")}
        with open(out, "a") as file:
            file.write(json.dumps(row) + "\n")
        with open(os.path.splitext(out)[0] + ".count", "a") as file:
            file.write(".")
        if envelope.rcpt_tos[0].startswith("hang") and first("hang", envelope.rcpt_tos[0]):
            await asyncio.sleep(3600)
        if sleep:
            await asyncio.sleep(sleep)
        return "250 2.0.0 queued"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler(), loop=loop), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
