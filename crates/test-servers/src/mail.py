"""Mail as somebody else's software understands it: Python's parser, and aiosmtpd as a mail server.

    mail.py decode < mail.eml      one JSON object
    mail.py serve '{"port": 0, …}' one JSON object per line for whatever happens
"""

import asyncio
import email
import email.policy
import json
import logging
import ssl
import sys


def decoded(raw):
    message = email.message_from_bytes(raw, policy=email.policy.default)

    def body(kind):
        part = message.get_body((kind,))
        return part.get_content() if part else ""

    return {
        "headers": [[name.lower(), str(value)] for name, value in message.items()],
        "defects": [str(defect) for defect in message.defects],
        "text": body("plain"),
        "html": body("html"),
    }


def say(what, **more):
    print(json.dumps({"what": what, **more}), flush=True)


async def serve(options):
    from aiosmtpd.smtp import SMTP, AuthResult

    logging.disable()
    context = None
    if "certificate" in options:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options["certificate"], options["key"])
    implicit = options["encryption"] == "implicit"
    starttls = options["encryption"] == "starttls"

    class Handler:
        async def handle_MAIL(self, server, session, envelope, address, mail_options):
            if options["to_sender"]:
                return options["to_sender"]
            envelope.mail_from = address
            envelope.mail_options.extend(mail_options)
            return "250 OK"

        async def handle_RCPT(self, server, session, envelope, address, _options):
            if options["to_recipient"] == "hang up":
                say("hung up")
                server.transport.abort()
            elif options["to_recipient"]:
                return f"{options['to_recipient']} <{address}>"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server, session, envelope):
            say(
                "mail",
                sender=envelope.mail_from,
                recipients=envelope.rcpt_tos,
                encrypted=implicit or session.ssl is not None,
                mail=decoded(envelope.content),
            )
            return "250 OK"

    def authenticate(server, session, envelope, mechanism, login):
        user, password = login.login.decode(), login.password.decode()
        say("login", user=user, encrypted=implicit or session.ssl is not None)
        right = [user, password] == options["login"]
        return AuthResult(success=right, handled=False)

    def session():
        return SMTP(
            Handler(),
            require_starttls=starttls,
            tls_context=context if starttls else None,
            authenticator=authenticate,
            auth_required=options["login"] is not None,
            auth_require_tls=starttls,
            enable_SMTPUTF8=options["beyond_ascii"],
        )

    server = await asyncio.get_running_loop().create_server(
        session, "127.0.0.1", options["port"], ssl=context if implicit else None
    )
    say("listening", port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


if sys.argv[1] == "decode":
    print(json.dumps(decoded(sys.stdin.buffer.read())))
else:
    asyncio.run(serve(json.loads(sys.argv[2])))
