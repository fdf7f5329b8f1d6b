"""The certificate of the servers that are measured over TLS, and what a client agrees on with them."""

import re
import shutil
import subprocess
from dataclasses import dataclass

from .processes import Failure

# In the order in which the load generator offers them (src/net/tls_context.cpp). OpenSSL and Bun follow the client's.
SUITES = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
GROUPS = "X25519:P-256:P-384"


@dataclass(frozen=True)
class Agreement:
    version: str
    suite: str
    group: str
    signature: str

    def __str__(self):
        return ", ".join((self.version, self.suite, self.group, self.signature))


# Whoever agrees on anything else does another work, and is not compared.
WANTED = Agreement("TLSv1.3", "TLS_AES_128_GCM_SHA256", "X25519", "ECDSA")


def run_openssl(*words):
    if not shutil.which("openssl"):
        raise Failure("openssl is not on PATH")
    try:
        done = subprocess.run(["openssl", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=10, check=False)
    except subprocess.TimeoutExpired:
        raise Failure(f"openssl {words[0]} did not end") from None
    said = done.stdout + done.stderr
    if done.returncode != 0:
        raise Failure(f"openssl {words[0]} failed: {(said.strip().splitlines() or ['it said nothing'])[-1].strip()}")
    return said


def make_certificate(certificate, key):
    """One for 127.0.0.1 that answers for itself, with a key of ECDSA on P-256, in two files."""
    run_openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 2, "-subj",
                "/CN=windhover-bench", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate)


def agreement_in(said):
    """Of what `openssl s_client -brief` says."""
    def value(pattern):
        found = re.search(rf"^{pattern}: ([\w.-]+)", said, re.MULTILINE)
        return found.group(1) if found else "?"

    return Agreement(value("Protocol version"), value("Ciphersuite"), value("(?:Server|Peer) Temp Key"),
                     value("Signature type"))


def check_agreement(port, certificate):
    """What a server on this machine agrees on; a Failure, if it is not what all have to."""
    found = agreement_in(run_openssl("s_client", "-brief", "-connect", f"127.0.0.1:{port}", "-CAfile", certificate,
                                     "-verify_return_error", "-ciphersuites", SUITES, "-groups", GROUPS))
    if found != WANTED:
        raise Failure(f"it agrees on {found}, and not on {WANTED}")
    return found
