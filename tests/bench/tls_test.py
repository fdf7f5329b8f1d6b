"""The certificate of the run, and the check that every server agrees on the same."""

import contextlib
import pathlib
import socket
import ssl
import tempfile
import threading
import unittest

import made_results  # noqa: F401
from compare import tls
from compare.processes import Failure

SAID = """\
CONNECTION ESTABLISHED
Protocol version: TLSv1.3
Ciphersuite: TLS_AES_128_GCM_SHA256
Peer certificate: CN = windhover-bench
Hash used: SHA256
Signature type: ECDSA
Verification: OK
Server Temp Key: X25519, 253 bits
DONE
"""


@contextlib.contextmanager
def server(folder, version=ssl.TLSVersion.TLSv1_3, own_order=False):
    """The port of one that shakes hands once; in its own order 256 bits come first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if not own_order:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.maximum_version = version
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")

    def serve(listening):
        with contextlib.suppress(OSError), listening.accept()[0] as accepted:
            with context.wrap_socket(accepted, server_side=True) as secure:
                secure.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(20)
        serving = threading.Thread(target=serve, args=(listening,))
        serving.start()
        yield listening.getsockname()[1]
        serving.join()


class Agreements(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.folder = pathlib.Path(held.name)
        tls.make_certificate(self.folder / "certificate.pem", self.folder / "key.pem")

    def test_what_openssl_says_is_understood(self):
        self.assertEqual(tls.agreement_in(SAID), tls.WANTED)
        self.assertEqual(tls.agreement_in(SAID.replace("TLSv1.3", "TLSv1.2")).version, "TLSv1.2")
        self.assertEqual(tls.agreement_in("nothing").suite, "?")

    def test_a_server_of_another_version_is_refused(self):
        with server(self.folder, ssl.TLSVersion.TLSv1_2) as port, self.assertRaisesRegex(Failure, "agrees on TLSv1.2, ECDHE"):
            tls.check_agreement(port, self.folder / "certificate.pem")

    def test_a_server_with_another_certificate_is_refused(self):
        other = self.folder / "other.pem"
        tls.make_certificate(other, self.folder / "other-key.pem")
        with server(self.folder) as port, self.assertRaisesRegex(Failure, "s_client failed"):
            tls.check_agreement(port, other)

    def test_a_server_with_a_suite_of_its_own_choice_is_refused(self):
        with server(self.folder, own_order=True) as port, self.assertRaisesRegex(Failure, "TLS_AES_256_GCM_SHA384.*and not"):
            tls.check_agreement(port, self.folder / "certificate.pem")

    def test_a_server_that_follows_the_load_generators_order_is_taken(self):
        with server(self.folder) as port:
            self.assertEqual(tls.check_agreement(port, self.folder / "certificate.pem"), tls.WANTED)

    def test_the_suites_are_offered_in_the_order_of_the_load_generator(self):
        source = pathlib.Path(__file__).resolve().parents[2] / "src" / "net" / "tls_context.cpp"
        text = source.read_text(encoding="utf-8")
        self.assertIn(f'suites_of_1_3 = "{tls.SUITES}"', text)
        self.assertIn(f'groups = "{tls.GROUPS}"', text)


if __name__ == "__main__":
    unittest.main()
