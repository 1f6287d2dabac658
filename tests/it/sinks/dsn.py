"""An SMTP server for tests: aiosmtpd with the DSN extension (RFC 3461) that aiosmtpd has not, and what a mail server sends back.

usage: dsn.py FILE MAILDIR [USER PASSWORD]
Appends what it took to FILE, one JSON object a line, with what was asked for of notices, and writes the notices (RFC 3464) into
MAILDIR as the local part of the recipient says: `ok` delivered, `slow` first delayed, `gone` delayed and then failed. With a user it answers
530 to who did not sign in. Without DSN in the environment's SINK_DSN it does not offer the extension, and refuses what asks for notices.
"""
import asyncio, json, os, sys, time
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

out, maildir = sys.argv[1], sys.argv[2]
account = tuple(text.encode() for text in sys.argv[3:5])
offers = os.environ.get("SINK_DSN", "1") == "1"
number = 0

NOTICE = """From: MAILER-DAEMON@mx.example
To: {sender}
Subject: What became of your mail
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="part"

--part
Content-Type: text/plain

About your mail.

--part
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Original-Envelope-Id: {envid}

Final-Recipient: rfc822; {to}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {words}

--part--
"""


def notice(sender, envid, to, action, status, words):
    global number
    number += 1
    name = f"{time.time_ns()}.{number}.sink"
    with open(f"{maildir}/tmp/{name}", "w") as file:
        file.write(NOTICE.format(sender=sender, envid=envid, to=to, action=action, status=status, words=words))
    os.rename(f"{maildir}/tmp/{name}", f"{maildir}/new/{name}")


class Dsn(SMTP):
    asked = {}

    def take(self, arg, names):
        kept = []
        for word in (arg or "").split(" "):
            name, _, value = word.partition("=")
            if offers and name.upper() in names:
                self.asked[name.upper()] = value
            else:
                kept.append(word)
        return " ".join(kept)

    async def smtp_MAIL(self, arg):
        self.asked = {}
        await super().smtp_MAIL(self.take(arg, ("RET", "ENVID")))

    async def smtp_RCPT(self, arg):
        await super().smtp_RCPT(self.take(arg, ("NOTIFY", "ORCPT")))


class Handler:
    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return responses[:-1] + (["250-DSN"] if offers else []) + responses[-1:]

    async def handle_DATA(self, server, session, envelope):
        to, asked = envelope.rcpt_tos[0], dict(server.asked)
        row = {"from": envelope.mail_from, "to": to, "asked": asked, "data": envelope.content.decode("utf-8", "replace")}
        with open(out, "a") as file:
            file.write(json.dumps(row) + "\n")
        tell = lambda *words: notice(envelope.mail_from, asked["ENVID"], to, *words)
        local = to.split("@")[0]
        if "NOTIFY" in asked:
            if local in ("slow", "gone"):
                tell("delayed", "4.4.1", "451 the other server does not answer")
            if local in ("ok", "slow"):
                tell("delivered", "2.0.0", "250 in the mailbox")
            if local == "gone":
                tell("failed", "5.1.1", "550 5.1.1 no such user any more")
        return "250 2.0.0 queued"


def known(server, session, envelope, mechanism, data):
    fine = isinstance(data, LoginPassword) and (data.login, data.password) == account
    return AuthResult(success=fine, handled=False)


async def main():
    loop = asyncio.get_running_loop()
    more = {"auth_required": True, "auth_require_tls": False, "authenticator": known} if account else {}
    server = await loop.create_server(lambda: Dsn(Handler(), loop=loop, **more), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
