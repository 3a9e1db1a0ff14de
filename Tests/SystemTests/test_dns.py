"""`duet dns` as resolvers meet it: against the names of a real server, and beside unbound and BIND on the same questions."""
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import resolvers
from server import SERVICES, Server, free_port
from support import DUET, eventually, run

RANGES = "10.96.0.0/16,fd00:10:96::/112"
ADDRESSES = ("10.96.0.10", "fd00:10:96::a")
# An address of this machine that is no loopback, as one stands in a resolv.conf.
OUTSIDE = "198.51.98.7"

ZONE = """$ORIGIN example.test.
$TTL 300
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
four A 198.51.99.1
four A 198.51.99.2
both A 198.51.99.3
both AAAA 2001:db8::3
six AAAA 2001:db8::4
mapped A 198.51.99.5
mapped AAAA ::ffff:198.51.99.5
alias CNAME four
chain CNAME alias
text TXT "only text"
mail MX 10 four
service SRV 0 0 80 four
"""


def service(name, **spec):
    return {"metadata": {"name": name}, "spec": {"ports": [{"name": "http", "port": 80}], **spec}}


class Process:
    """A process that ends with the test."""

    def __init__(self, test, *command):
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (test.addClassCleanup if isinstance(test, type) else test.addCleanup)(self.stop)

    def stop(self, with_signal=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(timeout=30)


def dig(address, *arguments, port=53):
    return run("dig", f"@{address}", "-p", str(port), "+tries=3", "+time=10", *arguments).stdout.strip()


class ClusterNames(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.files)
        cls.server = Server(None, "--service-cluster-ip-range", RANGES)
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()
        cls.addClassCleanup(cls.remove_addresses)
        run("ip", "address", "add", f"{OUTSIDE}/32", "dev", "lo")
        cls.authority, cls.metrics = free_port(), free_port()
        cls.start_authority()
        for body in [
            service("web", clusterIP="10.96.0.50", clusterIPs=["10.96.0.50", "fd00:10:96::50"],
                    ipFamilyPolicy="RequireDualStack", ipFamilies=["IPv4", "IPv6"]),
            service("old", clusterIP="10.96.0.51", ipFamilyPolicy="SingleStack", ipFamilies=["IPv4"]),
            service("ext", type="ExternalName", externalName="chain.example.test"),
            service("db", clusterIP="None", ipFamilyPolicy="RequireDualStack"),
        ]:
            status, answer = cls.server.call("POST", SERVICES, body)
            assert status == 201, answer
        for family, addresses in [("IPv4", ["10.244.0.7"]), ("IPv6", ["fd00:10:244::7", "fd00:10:244::"])]:
            status, answer = cls.server.call("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
                "metadata": {"name": f"db-{family.lower()}", "labels": {"kubernetes.io/service-name": "db"}},
                "addressType": family, "endpoints": [{"addresses": [a]} for a in addresses],
                "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}]})
            assert status == 201, answer
        cls.dns = cls.start_dns()
        for address in ADDRESSES:
            eventually(lambda: "NXDOMAIN" in dig(address, "nope.default.svc.cluster.local"), f"answers on {address}")

    @classmethod
    def start_dns(cls):
        return Process(
            cls, DUET, "dns", "--kubeconfig", f"{cls.server.files}/admin.kubeconfig", "--dns-upstream",
            f"127.0.0.1:{cls.authority}", "--dns64-prefix", "64:ff9b::/96", "--dns-dual-stack-pods", "synthesize",
            "--dns-metrics-port", str(cls.metrics), "--dns-handover", f"{cls.files}/dns.sock", "--dns-lameduck", "1")

    @classmethod
    def remove_addresses(cls):
        for address in (*ADDRESSES, OUTSIDE):
            run("ip", "address", "del", f"{address}/{128 if ':' in address else 32}", "dev", "lo", check=False)

    @classmethod
    def start_authority(cls):
        with open(f"{cls.files}/example.test.zone", "w") as file:
            file.write(ZONE)
        Process(cls, "knotd", "-c", resolvers.knot(
            cls.files, "knot", [f"127.0.0.1@{cls.authority}", f"{OUTSIDE}@53"], {"example.test": "example.test.zone"}))
        eventually(lambda: "198.51.99.1" in run(
            "dig", "@127.0.0.1", "-p", str(cls.authority), "+short", "+time=1", "+tries=1", "four.example.test",
            check=False).stdout, "the authority answers")

    def test_answers_alike_on_both_families_and_transports(self):
        for address in ADDRESSES:
            for options in (["+notcp"], ["+tcp"], ["+noedns"], ["+bufsize=4096"]):
                for name, kind, expected in [
                    ("web.default.svc.cluster.local", "A", ["10.96.0.50"]),
                    ("WEB.default.SVC.cluster.local", "AAAA", ["fd00:10:96::50"]),
                    ("_http._tcp.web.default.svc.cluster.local", "SRV", ["0 100 80 web.default.svc.cluster.local."]),
                    ("db.default.svc.cluster.local", "AAAA", ["fd00:10:244::", "fd00:10:244::7"]),
                    ("fd00-10-244--0.db.default.svc.cluster.local", "AAAA", ["fd00:10:244::"]),
                    ("ext.default.svc.cluster.local", "A", [
                        "198.51.99.1", "198.51.99.2", "alias.example.test.", "chain.example.test.", "four.example.test."]),
                    ("mail.example.test", "MX", ["10 four.example.test."]),
                ]:
                    for tool in ("dig", "kdig"):
                        answer = run(tool, f"@{address}", "+short", *options, name, kind).stdout.split("\n")
                        self.assertEqual(sorted(filter(None, answer)), expected, f"{tool} {address} {options} {name}")
            self.assertEqual(dig(address, "+short", "-x", "fd00:10:96::50"), "web.default.svc.cluster.local.")

    def test_resolvers_of_musl_and_glibc_find_names(self):
        programs = resolvers.lookup_programs(self.files)
        for server in ADDRESSES:
            with open(f"{self.files}/resolv.conf", "w") as file:
                file.write(f"nameserver {server}\nsearch default.svc.cluster.local svc.cluster.local cluster.local\n"
                           "options ndots:5\n")
            for lookup in programs:
                script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
                answer = run("unshare", "--mount", "sh", "-c", script, "sh", f"{self.files}/resolv.conf", lookup, "web",
                             "old.default", "db.default.svc", "nope", "four.example.test", "nope.example.test").stdout
                found = [sorted(line.split()) for line in answer.strip().split("\n")]
                self.assertEqual(found, [
                    ["10.96.0.50", "fd00:10:96::50"], ["10.96.0.51"], ["10.244.0.7", "fd00:10:244::", "fd00:10:244::7"],
                    ["none"], ["198.51.99.1", "198.51.99.2", "64:ff9b::c633:6301", "64:ff9b::c633:6302"], ["none"],
                ], f"{lookup} with {server}")

    def test_agrees_with_unbound_and_bind(self):
        unbound, bind = free_port(), free_port()
        with open(f"{self.files}/named.conf", "w") as file:
            file.write(f"""options {{
  directory "{self.files}"; pid-file none; session-keyfile none; dnssec-validation no;
  listen-on port {bind} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  forward only; forwarders {{ 127.0.0.1 port {self.authority}; }};
  dns64 64:ff9b::/96 {{ clients {{ any; }}; }};
}};
controls {{ }};
""")
        references = [Process(type(self), "unbound", "-c", resolvers.unbound(
            self.files, unbound, forward=f"127.0.0.1@{self.authority}")),
                      Process(type(self), "named", "-g", "-c", f"{self.files}/named.conf")]
        self.addCleanup(lambda: [reference.stop() for reference in references])
        for port in (unbound, bind):
            eventually(lambda: "198.51.99.1" in run(
                "dig", "@127.0.0.1", "-p", str(port), "+short", "+time=2", "+tries=1", "four.example.test",
                check=False).stdout, "the reference answers")

        def ask(address, port, name, kind):
            text = dig(address, "+noall", "+comments", "+answer", name, kind, port=port)
            status = text.split("status: ")[1].split(",")[0]
            records = [line.split() for line in text.split("\n") if line and not line.startswith(";")]
            return status, sorted((owner.lower(), kind, " ".join(data)) for owner, _, _, kind, *data in records)

        for name in ("four", "both", "six", "mapped", "alias", "chain", "text", "mail", "service", "nope"):
            for kind in ("A", "AAAA", "TXT", "MX", "SRV"):
                answers = {where: ask(address, port, f"{name}.example.test", kind) for where, address, port in [
                    ("duet", ADDRESSES[0], 53), ("unbound", "127.0.0.1", unbound), ("bind", "127.0.0.1", bind)]}
                self.assertEqual(answers["duet"], answers["bind"], f"{name} {kind}")
                # unbound takes an IPv4-mapped address for an answer, where RFC 6147 (5.1.4) wants it left out by default.
                if (name, kind) != ("mapped", "AAAA"):
                    self.assertEqual(answers["duet"], answers["unbound"], f"{name} {kind}")

    def test_a_change_is_answered_at_once_and_a_new_process_takes_over_without_a_gap(self):
        name = "late.default.svc.cluster.local"
        queries = f"{self.files}/queries"
        with open(queries, "w") as file:
            file.write("web.default.svc.cluster.local AAAA\n")
        load = subprocess.Popen(["dnsperf", "-s", ADDRESSES[1], "-d", queries, "-l", "8", "-Q", "500", "-t", "20"],
                                stdout=subprocess.PIPE, text=True)
        old, successor = type(self).dns, self.start_dns()
        time.sleep(2)
        old.stop()
        self.assertIsNone(successor.process.poll())
        type(self).dns = successor
        report = load.communicate(timeout=60)[0]
        lost = int(report.split("Queries lost:")[1].split()[0])
        completed = int(report.split("Queries completed:")[1].split()[0])
        self.assertEqual(lost, 0, report)
        self.assertGreater(completed, 100)
        status, answer = self.server.call("POST", SERVICES, service("late", clusterIP="10.96.0.99"))
        self.assertEqual(status, 201, answer)
        eventually(lambda: dig(ADDRESSES[0], "+short", name) == "10.96.0.99", "the new Service is answered")

    def start_other(self, *options, port, prefix=()):
        """A server of its own, which answers at an address of its own."""
        process = Process(self, *prefix, DUET, "dns", "--kubeconfig", f"{self.server.files}/admin.kubeconfig", "--dns-link", "none",
                          "--dns-local-address", "127.0.0.9", "--dns-port", str(port), *options)
        eventually(lambda: "status:" in dig("127.0.0.9", "cluster.local", "SOA", port=port), "the server answers")
        return process

    def test_follows_the_file_that_names_other_servers(self):
        port, path = free_port(), f"{self.files}/resolv-followed.conf"
        # Nobody answers there.
        with open(path, "w") as file:
            file.write("nameserver 127.0.0.77\n")
        self.start_other("--dns-resolv-conf", path, port=port)
        self.assertIn("SERVFAIL", dig("127.0.0.9", "four.example.test", port=port))
        # A file that is written in one step, as all who write it do.
        with open(path + ".new", "w") as file:
            file.write(f"nameserver {OUTSIDE}\n")
        os.rename(path + ".new", path)
        eventually(lambda: "198.51.99.1" in dig("127.0.0.9", "+short", "four.example.test", port=port), "the new server is asked")
        os.remove(path)
        # Each time another name, since absence is kept as well.
        numbers = itertools.count()
        eventually(lambda: "SERVFAIL" in dig("127.0.0.9", f"new-{next(numbers)}.example.test", port=port), "no server is left")
        self.assertIn("198.51.99.1", dig("127.0.0.9", "+short", "four.example.test", port=port), "the cache")

    def test_asks_over_tls_only_those_who_prove_their_name(self):
        secure, port = free_port(), free_port()
        for command in (
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test",
             "-keyout", "ca.key", "-out", "ca.pem"],
            ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=dns.example.test", "-addext",
             "subjectAltName=DNS:dns.example.test", "-keyout", "dns.key", "-out", "dns.csr"],
            ["x509", "-req", "-in", "dns.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-copy_extensions",
             "copy", "-out", "dns.pem"],
        ):
            run("openssl", *command, cwd=self.files)
        Process(self, "unbound", "-c", resolvers.unbound(
            self.files, free_port(), f"interface: 127.0.0.1@{secure}", f"tls-port: {secure}", f'tls-service-key: "{self.files}/dns.key"',
            f'tls-service-pem: "{self.files}/dns.pem"', forward=f"127.0.0.1@{self.authority}", name="secure"))
        eventually(lambda: "198.51.99.1" in run(
            "kdig", "@127.0.0.1", "-p", str(secure), "+tls", "+short", "four.example.test", check=False).stdout, "the server speaks TLS")
        # The machine of the server trusts the authority of the certificate.
        trusting = ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/ssl/certs/ca-certificates.crt && exec "$@"',
                    f"{self.files}/ca.pem")
        for prefix, name, expected in [(trusting, "dns.example.test", True), (trusting, "other.example.test", False),
                                       ((), "dns.example.test", False)]:
            with self.subTest(name=name, trusts=bool(prefix)):
                process = self.start_other("--dns-upstream", f"tls://127.0.0.1:{secure}#{name}", port=port, prefix=prefix)
                answer = dig("127.0.0.9", "four.example.test", port=port)
                self.assertIn("NOERROR" if expected else "SERVFAIL", answer)
                self.assertEqual("198.51.99.1" in answer, expected)
                if expected:
                    # Many more, over the one connection.
                    names = [part for number in range(30) for part in (f"no-{number}.example.test", "A")]
                    self.assertEqual(dig("127.0.0.9", *names, port=port).count("NXDOMAIN"), 30)
                process.stop()

    def test_tells_what_it_does(self):
        dig(ADDRESSES[0], "old.default.svc.cluster.local", "AAAA")
        text = run("curl", "-sf", f"http://127.0.0.1:{self.metrics}/metrics").stdout
        self.assertIn('outcome="NODATA",source="cluster",type="AAAA"', text)
        self.assertIn('duet_dns_missing_family_total{family="IPv6",name="old.default.svc.cluster.local."}', text)
        self.assertRegex(text, r'duet_dns_upstream_milliseconds{server="127\.0\.0\.1:\d+"} \d+')
