"""The mail server of the tests: aiosmtpd, which checks what it is told, and writes what it takes.

What it refuses stands in the address, so that tests can share one server:
  450@… 550@…     the recipient is refused with that code; once-451@…: only the first time
  data-554@…      as the sender: the mail is refused after its content
  sender-553@…    as the sender: refused at once
  hang@… cut@…    as a recipient: no answer to the content, or the connection ends before it
A user may log in as the one of the settings; `busy` gets 454, and `echo` is told the password.
"""

import asyncio
import email
import email.policy
import json
import os
import re
import signal
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

settings = json.loads(sys.argv[1])
count = 0
seen = set()


def code_in(address, word):
    match = re.match(word + r"(\d{3})@", address)
    return match and f"{match.group(1)} 5.0.0 <{address}> is refused"


class Handler:
    async def handle_MAIL(self, server, session, envelope, address, options):
        if refused := code_in(address, "sender-"):
            return refused
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if refused := code_in(address, ""):
            return refused
        if (refused := code_in(address, "once-")) and address not in seen:
            seen.add(address)
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if any(one.startswith("hang@") for one in envelope.rcpt_tos):
            await asyncio.sleep(3600)
        if any(one.startswith("cut@") for one in envelope.rcpt_tos):
            server.transport.abort()
            return "250 OK"
        if refused := code_in(envelope.mail_from, "data-"):
            return refused
        write(session, envelope)
        return "250 taken"


def write(session, envelope):
    global count
    count += 1
    mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
    body = lambda kind: mail.get_body((kind,)).get_content().replace("\r\n", "\n")
    taken = {
        "from": envelope.mail_from,
        "to": envelope.rcpt_tos,
        "options": envelope.mail_options,
        "login": session.login_data.decode() if session.login_data else None,
        "protected": session.ssl is not None or settings["tls"] == "implicit",
        "headers": [[name, str(value)] for name, value in mail.items()],
        "kinds": [part.get_content_type() for part in mail.walk()],
        "text": body("plain"),
        "html": body("html"),
        "bytes": len(envelope.content),
        "longest_line": max(len(line) for line in envelope.content.split(b"\r\n")),
        "is_ascii": envelope.content.isascii(),
        "defects": [repr(defect) for part in mail.walk() for defect in part.defects]
        + [repr(defect) for value in mail.values() for defect in getattr(value, "defects", [])],
    }
    path = os.path.join(settings["folder"], f"{count:06}.json")
    with open(path + ".partial", "w") as file:
        json.dump(taken, file)
    os.rename(path + ".partial", path)


def log_in(server, session, envelope, mechanism, given):
    user, password = given.login.decode(), given.password.decode()
    if user == "busy":
        return AuthResult(success=False, handled=False, message="454 4.7.0 not now")
    if user == "echo":
        text = f"535 5.7.8 {password} is wrong"
        return AuthResult(success=False, handled=False, message=text)
    right = user == settings["user"] and password == settings["password"]
    return AuthResult(success=right, handled=False, auth_data=given)


context = None
if settings["tls"] != "none":
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings["certificate"], settings["key"])
implicit = settings["tls"] == "implicit"
controller = Controller(
    Handler(),
    hostname="127.0.0.1",
    port=settings["port"],
    ssl_context=context if implicit else None,
    tls_context=None if implicit else context,
    require_starttls=settings["tls"] == "starttls",
    authenticator=log_in,
    auth_require_tls=not implicit,
    auth_required=settings["login_required"],
    auth_exclude_mechanism=settings["excluded_mechanisms"],
    enable_SMTPUTF8=settings["utf8"],
)
controller.start()
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
threading.Event().wait()
