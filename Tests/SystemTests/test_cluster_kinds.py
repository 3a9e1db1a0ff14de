"""What `make run` does, for each of the four kinds of cluster."""
import base64
import concurrent.futures
import ipaddress
import json
import os
import tempfile
import unittest

import resolvers
from support import EXAMPLES, ClusterTest, duet, eventually, get, kubectl, pid_of, run, up


def family(text):
    return f"IPv{ipaddress.ip_address(text).version}"


class ClusterKind:
    """The example on a cluster whose families are `families`."""

    families = ()

    def test_1_nodes_have_addresses_and_blocks_of_each_family(self):
        for node in get("nodes")["items"]:
            internal = [a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"]
            self.assertEqual([family(a) for a in internal], list(self.families))
            blocks = node["spec"]["podCIDRs"]
            self.assertEqual([f"IPv{ipaddress.ip_network(b).version}" for b in blocks], list(self.families))
            self.assertEqual(node["spec"]["podCIDR"], blocks[0])

    def test_2_every_service_answers_on_each_of_its_families(self):
        kubectl("apply", "-f", f"{EXAMPLES}/dual-stack-web.yaml")
        for workload in ("deployment/web", "deployment/cache", "daemonset/client"):
            kubectl("--namespace", "web", "rollout", "status", workload, "--timeout=120s")
        for pod in get("pods", "--namespace", "web")["items"]:
            addresses = [entry["ip"] for entry in pod["status"]["podIPs"]]
            self.assertEqual([family(a) for a in addresses], list(self.families))
            self.assertEqual(pod["status"]["podIP"], addresses[0])
        for service in get("services", "--namespace", "web")["items"]:
            spec = service["spec"]
            if spec["ipFamilyPolicy"] == "PreferDualStack":
                self.assertEqual(spec["ipFamilies"], list(self.families), service["metadata"]["name"])
            else:
                self.assertEqual(spec["ipFamilies"], [self.families[0]], service["metadata"]["name"])
        table = duet("verify", "--namespace", "web").stdout
        for name in self.families:
            self.assertIn(name, table)

    def test_2_resolvers_of_musl_and_glibc_find_names_in_containers(self):
        pod = get("pods", "--namespace", "web", "-l", "app=web")["items"][0]["metadata"]["name"]
        addresses = get("service", "web", "--namespace", "web")["spec"]["clusterIPs"]
        names = ("web", "web.web", "web.web.svc.cluster.local", "web.web.svc.cluster.local.", "nope", "web.nowhere")
        inside = ("exec", "--namespace", "web", "-i", pod, "--")
        # All at once: names that are not there are asked from other servers in the end, which may take their time.
        with tempfile.TemporaryDirectory() as directory, concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
            for program in resolvers.lookup_programs(directory):
                copy = f"/tmp/{os.path.basename(program)}"
                with open(program, "rb") as file:
                    text = base64.b64encode(file.read()).decode()
                kubectl(*inside, "sh", "-c", f"base64 -d > {copy} && chmod +x {copy}", input=text)
                found = list(pool.map(lambda name: sorted(kubectl(*inside, copy, name, input="").stdout.split()), names))
                self.assertEqual(found, [sorted(addresses)] * 4 + [["none"]] * 2, program)
                kubectl(*inside, "rm", copy, input="")

    def test_3_a_second_up_reuses_what_stands(self):
        before = {pod["metadata"]["uid"]: pod["status"]["podIPs"] for pod in get("pods", "-A")["items"]}
        up(*self.options)
        after = {pod["metadata"]["uid"]: pod["status"]["podIPs"] for pod in get("pods", "-A")["items"]}
        self.assertEqual(before, after)
        self.assertIn("running", duet("status").stdout)

    def test_4_slices_and_endpoints_follow_the_pods(self):
        kubectl("--namespace", "web", "scale", "deployment/web", "--replicas=1")

        def slices():
            items = get("endpointslices", "--namespace", "web", "-l", "kubernetes.io/service-name=web")["items"]
            found = {item["addressType"]: len(item.get("endpoints") or []) for item in items}
            return found == {name: 1 for name in self.families}

        eventually(slices, "one endpoint in a slice of each family")
        endpoints = get("endpoints", "web", "--namespace", "web")
        self.assertEqual([family(a["ip"]) for a in endpoints["subsets"][0]["addresses"]], [self.families[0]])

    def test_5_calls_are_explained_from_api_and_kernel(self):
        pod = get("pods", "--namespace", "web", "-l", "app=client")["items"][0]
        question = ("explain", "--namespace", "web", pod["metadata"]["name"], "web:80", "--output", "json")
        answer = json.loads(duet(*question).stdout)
        self.assertTrue(answer["kernelAgrees"])
        self.assertEqual(answer["node"], pod["spec"]["nodeName"])
        told = {part["family"]: part for part in answer["families"] if "gap" not in part}
        self.assertEqual(set(told), set(self.families))
        for name, part in told.items():
            self.assertEqual((part["outcome"], part["masqueraded"]), ("delivered", False))
            taking = [endpoint for endpoint in part["endpoints"] if endpoint["takesConnections"]]
            self.assertEqual([(family(e["address"]), e["sourceSeen"]) for e in taking], [(name, part["caller"])])

        def damaged():
            for name in self.families:
                table = "ip" if name == "IPv4" else "ip6"
                node = ("ip", "netns", "exec", f"duet-{answer['node']}")
                run(*node, "nft", "flush", "map", table, "duet-proxy", "endpoints")
            seen = duet(*question, check=False)
            # The agent may have repaired it just then.
            return seen if seen.returncode else None

        told = {part["family"]: part for part in json.loads(eventually(damaged, "a disagreement").stdout)["families"]}
        for name in self.families:
            self.assertTrue(any("it lacks endpoints" in text for text in told[name]["disagreements"]))


class DualStack(ClusterKind, ClusterTest):
    """Also with Services that reach pods of the other family."""

    options = ("--families", "ipv4,ipv6", "--cross-family-services")
    families = ("IPv4", "IPv6")

    def test_6_services_reach_endpoints_of_the_other_family_without_asking(self):
        web = get("pods", "--namespace", "web", "-l", "app=web")["items"][0]
        own = [entry["ip"] for entry in web["status"]["podIPs"] if ":" in entry["ip"]]
        objects = [
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "across"},
             "spec": {"ipFamilies": ["IPv4"], "ports": [{"port": 80}]}},
            {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
             "metadata": {"name": "across", "labels": {"network.duet.dev/service-name": "across"}},
             "addressType": "IPv6", "endpoints": [{"addresses": own}], "ports": [{"port": 80}]}]
        kubectl("--namespace", "web", "apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        client = get("pods", "--namespace", "web", "-l", "app=client")["items"][0]["metadata"]["name"]
        address = get("service", "across", "--namespace", "web")["spec"]["clusterIP"]

        def answered():
            return kubectl("--namespace", "web", "exec", client, "--", "wget", "-qO-", f"http://{address}/", check=False).stdout
        eventually(answered, "an answer by translation")
        with open(f"/proc/{pid_of('server')}/cmdline") as file:
            self.assertIn("--cross-family-services", file.read().split("\0"))


class DualStackIPv6First(ClusterKind, ClusterTest):
    """Also with calls that are led at connect time."""

    options = ("--families", "ipv6,ipv4", "--connect-time-balancing")
    families = ("IPv6", "IPv4")

    def test_5_calls_of_pods_are_led_before_they_are_packets(self):
        nodes = ("duet-node-1", "duet-node-2")
        for node in nodes:
            metrics = run("ip", "netns", "exec", node, "curl", "-s", "http://127.0.0.1:10256/metrics").stdout
            self.assertIn("duet_proxy_connect_time_active 1\n", metrics)
        addresses = get("service", "web", "--namespace", "web")["spec"]["clusterIPs"]
        for pod in get("pods", "--namespace", "web", "-l", "app=client")["items"]:
            own = [entry["ip"] for entry in pod["status"]["podIPs"]]
            for address, source in zip(addresses, own):
                url = f"http://[{address}]/" if ":" in address else f"http://{address}/"
                answer = kubectl("--namespace", "web", "exec", pod["metadata"]["name"], "--", "wget", "-qO-", url).stdout
                self.assertEqual(answer.split()[1], source)
                for node in nodes:
                    tracked = run("ip", "netns", "exec", node, "conntrack", "-L", "-f", family(address).lower(), "-s", source, "-d", address)
                    self.assertEqual(tracked.stdout, "")


class IPv4Only(ClusterKind, ClusterTest):
    options = ("--families", "ipv4")
    families = ("IPv4",)


class IPv6Only(ClusterKind, ClusterTest):
    """Also with pods that have a CLAT, which go with the cluster."""

    options = ("--families", "ipv6", "--nat64", "auto", "--nat64-clat", "enabled")
    families = ("IPv6",)

    def test_6_pods_have_a_clat(self):
        for pod in get("pods", "--namespace", "web", "-l", "app=client")["items"]:
            name = pod["metadata"]["name"]
            eventually(lambda: "192.0.0.2" in kubectl("--namespace", "web", "exec", name, "--", "ip", "address").stdout, name)


if __name__ == "__main__":
    unittest.main()
