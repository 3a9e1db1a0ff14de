"""Suite `cni`: attaching pods to the network and detaching them, and finding free addresses, beside Debian's plugins."""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../Tests/SystemTests"))
from plugins import REFERENCE, Node, install, ip
from report import Suite

ROUNDS = 15
PARALLEL = 8
SUBNETS = (("10.9.0.0/16", "0.0.0.0/0"), ("fd00:9::/64", "::/0"))
RANGE = (("10.9.0.0/16", None),)


def milliseconds(node, binaries, command, configuration, pods):
    """The time until plugins that start together have all ended, each for a pod of its own."""
    calls = [node.prepare(binaries, command, configuration, pod=pod) for pod in pods]
    start = time.monotonic()
    for call in calls:
        call.start()
    statuses = [os.waitpid(call.pid, 0)[1] for call in calls]
    elapsed = (time.monotonic() - start) * 1000
    answers = [call.answer(status) for call, status in zip(calls, statuses)]
    for answer in answers:
        if not answer.ok:
            raise RuntimeError(f"{command} failed: {answer}")
    return elapsed


def answers(pod_address):
    """Whether a pod answers the first packet that it is sent."""
    ping = ["ping", "-c", "1", "-W", "1", pod_address]
    return subprocess.run(ping, capture_output=True, timeout=30).returncode == 0


def kernel_alone(binaries, kind, pods):
    """The time until the links of attached pods are gone when `ip` deletes them together: no DEL can take less."""
    with Node() as node:
        configuration = node.configuration(kind, subnets=SUBNETS, isGateway=True)
        for pod in range(pods):
            node.pod(pod)
        milliseconds(node, binaries, "ADD", configuration, range(pods))
        start = time.monotonic()
        calls = [subprocess.Popen(["ip", "-n", node.pod(pod), "link", "del", "eth0"]) for pod in range(pods)]
        if any([call.wait() for call in calls]):
            raise RuntimeError("a link cannot be deleted")
        return (time.monotonic() - start) * 1000


def attachments(suite, ours):
    for kind in ("ptp", "bridge"):
        for parallel in (1, PARALLEL):
            times = {(binaries, command): [] for binaries in (ours, REFERENCE) for command in ("ADD", "DEL")}
            answered, floor = {ours: 0, REFERENCE: 0}, []
            nodes = {binaries: Node() for binaries in (ours, REFERENCE)}
            rounds = ROUNDS if parallel == 1 else ROUNDS // 2
            for turn in range(rounds + 1):
                floor.append(kernel_alone(ours, kind, parallel))
                for binaries in (ours, REFERENCE):
                    # Each on a host of its own: a round begins without anything that the other left.
                    with nodes[binaries] as node:
                        pods = range(parallel)
                        for pod in pods:
                            node.pod(pod)
                        configuration = node.configuration(kind, subnets=SUBNETS, isGateway=True)
                        # The first attachment of a host makes the bridge and turns forwarding on.
                        milliseconds(node, binaries, "ADD", configuration, [parallel])
                        for command in ("ADD", "DEL"):
                            elapsed = milliseconds(node, binaries, command, configuration, pods)
                            if turn > 0:
                                times[binaries, command].append(elapsed)
                            if command == "ADD" and parallel == 1:
                                answered[binaries] += answers("fd00:9::3")
            for command in ("ADD", "DEL"):
                mine, theirs = (statistics.median(times[binaries, command]) for binaries in (ours, REFERENCE))
                alone = mine / statistics.median(a / b for a, b in zip(times[ours, command], floor[1:]))
                goal, kind_of_median = 6, "median"
                if parallel > 1:
                    # What else goes on on the machine changes over seconds, so that each turn's proportion is what counts.
                    theirs = mine / statistics.median(a / b for a, b in zip(times[ours, command], times[REFERENCE, command]))
                    goal, kind_of_median = theirs / 3, "median, of the other's proportion as well,"
                aim = f"the aim is {goal:.0f}"
                if command == "DEL" and alone > goal:
                    aim += f"; the kernel alone takes {alone:.1f} to delete as many such links (ip link del), so the goal is a tenth more"
                    goal = alone * 1.1
                at_a_time = "one call" if parallel == 1 else f"{parallel} calls that start together, until the last has ended"
                suite.add(f"{kind} {command}, {parallel} at a time", mine, "ms", round(goal, 3),
                          f"{at_a_time}, with host-local, both families; from the start of the process to its end; {kind_of_median} "
                          f"of {rounds} turns, ours and Debian's {kind} in turn; {aim}", peer=theirs)
            if parallel == 1:
                mine, theirs = (100 * answered[binaries] / (rounds + 1) for binaries in (ours, REFERENCE))
                suite.add(f"{kind}, IPv6 at once", mine, "%", 100, "attachments whose pod answers the first ICMPv6 packet, sent as soon "
                          "as the plugin has returned", peer=theirs, higher_is_better=True)


def fill(directory, count):
    """Makes the files of allocations, as host-local does."""
    os.makedirs(directory)
    for number in range(2, count + 2):
        with open(f"{directory}/10.9.{number >> 8}.{number & 255}", "w", newline="") as file:
            file.write(f"filler-{number}\r\neth0")
    with open(f"{directory}/last_reserved_ip.0", "w") as file:
        file.write(f"10.9.{(count + 1) >> 8}.{(count + 1) & 255}")


def allocations(suite, ours):
    for count in (1, 10_000, 60_000):
        times = {ours: [], REFERENCE: []}
        with Node() as node:
            configurations = {}
            for name, binaries in (("ours", ours), ("theirs", REFERENCE)):
                fill(f"{node.directory}/{name}", count)
                configurations[binaries] = node.configuration("host-local", network=name, subnets=RANGE)
            # With so many files a call of the reference takes seconds.
            for turn in range(ROUNDS if count < 60_000 else 4):
                for binaries, configuration in configurations.items():
                    for command in ("ADD", "DEL"):
                        elapsed = milliseconds(node, binaries, command, configuration, [turn])
                        if turn > 0:
                            times[binaries].append(elapsed)
        mine, theirs = statistics.median(times[ours]), statistics.median(times[REFERENCE])
        suite.add(f"address, {count:,} taken", mine, "ms", 3, "one call of host-local, ADD or DEL, with so many other addresses of a /16 "
                  "taken; median, ours and Debian's in turn; the first call, which makes the index, is not counted", peer=theirs)


def main():
    suite = Suite("cni")
    directory = tempfile.mkdtemp(prefix="dt-bench-cni-")
    try:
        ours = install(os.path.join(os.path.dirname(os.environ["DUET"]), "duet-cni"), directory)
        attachments(suite, ours)
        allocations(suite, ours)
    finally:
        shutil.rmtree(directory)
    print(suite.table())


main()
