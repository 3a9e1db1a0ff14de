"""What `make run` does, for each of the four kinds of cluster."""
import ipaddress
import unittest

from support import EXAMPLES, ClusterTest, duet, eventually, get, kubectl, up


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


class DualStack(ClusterKind, ClusterTest):
    options = ("--families", "ipv4,ipv6")
    families = ("IPv4", "IPv6")


class DualStackIPv6First(ClusterKind, ClusterTest):
    options = ("--families", "ipv6,ipv4")
    families = ("IPv6", "IPv4")


class IPv4Only(ClusterKind, ClusterTest):
    options = ("--families", "ipv4")
    families = ("IPv4",)


class IPv6Only(ClusterKind, ClusterTest):
    options = ("--families", "ipv6")
    families = ("IPv6",)


if __name__ == "__main__":
    unittest.main()
