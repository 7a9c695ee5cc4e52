"""TLS as programs of others speak it: Python's own ``ssl``, on the system's OpenSSL."""

import ssl

from protocol.identity import TlsFiles
from protocol.tls import joining_context


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """A client with a certificate of our CA."""
    context = joining_context(files.ca_pem)
    context.load_cert_chain(files.chain, files.key, password=files.passphrase)
    return context
