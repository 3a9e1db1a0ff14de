"""What Python programs do with a cluster: run as `python_clients.py SESSION KUBECONFIG`, sessions as at the end."""
import json
import queue
import sys
import threading


def with_kubernetes(kubeconfig):
    """A session with the official client."""
    from kubernetes import client, config, watch

    config.load_kube_config(kubeconfig)
    core = client.CoreV1Api()
    assert "v1" in client.CoreApi().get_api_versions().versions
    assert any(group.name == "apps" for group in client.ApisApi().get_api_versions().groups)

    labels = {"client": "kubernetes"}
    seen = []
    ready = threading.Event()

    def follow():
        start = core.list_namespaced_config_map("default", label_selector="client=kubernetes").metadata.resource_version
        ready.set()
        for event in watch.Watch().stream(
                core.list_namespaced_config_map, "default", label_selector="client=kubernetes", resource_version=start,
                timeout_seconds=30):
            seen.append((event["type"], event["object"].metadata.name))
            if event["type"] == "DELETED":
                return

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    assert ready.wait(10)
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="py", labels=labels), data={"a": "1"})
    created = core.create_namespaced_config_map("default", body)
    assert created.metadata.uid
    core.patch_namespaced_config_map("py", "default", {"data": {"b": "2"}})
    assert core.read_namespaced_config_map("py", "default").data == {"a": "1", "b": "2"}
    created.data = {"c": "3"}
    try:
        core.replace_namespaced_config_map("py", "default", created)
        raise AssertionError("an old resource version was accepted")
    except client.ApiException as error:
        assert error.status == 409, error
    core.delete_namespaced_config_map("py", "default")
    thread.join(20)
    assert seen == [("ADDED", "py"), ("MODIFIED", "py"), ("DELETED", "py")], seen

    service = core.create_namespaced_service("default", client.V1Service(
        metadata=client.V1ObjectMeta(name="py"),
        spec=client.V1ServiceSpec(ip_family_policy="PreferDualStack", ports=[client.V1ServicePort(port=80)])))
    assert service.spec.ip_families == ["IPv4", "IPv6"], service.spec
    assert len(service.spec.cluster_ips) == 2
    for index in range(5):
        core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name=f"page-{index}")))
    names, token = [], None
    while token != "":
        page = core.list_namespaced_config_map("default", limit=2, _continue=token)
        assert len(page.items) <= 2
        names += [item.metadata.name for item in page.items]
        token = page.metadata._continue or ""
    assert [name for name in names if name.startswith("page-")] == [f"page-{index}" for index in range(5)]
    core.delete_collection_namespaced_config_map("default", field_selector="metadata.name!=kube-root-ca.crt")
    core.delete_namespaced_service("py", "default")
    patches_with_kubernetes(client, core)
    dynamic_with_kubernetes(client)
    resumed_watch_with_kubernetes(client, core, watch)


def patches_with_kubernetes(client, core):
    """The kinds of patches, what they conflict with, and dry runs."""
    container = client.V1Container(name="c", image="i", env=[client.V1EnvVar(name="A", value="1")])
    core.create_namespaced_pod("default", client.V1Pod(
        metadata=client.V1ObjectMeta(name="py"), spec=client.V1PodSpec(node_selector={"no": "where"}, containers=[container])))
    patched = core.patch_namespaced_pod("py", "default", {"spec": {"containers": [{"name": "c", "image": "j"}]}})
    assert (patched.spec.containers[0].image, patched.spec.containers[0].env[0].value) == ("j", "1"), patched.spec
    # A list is a JSON patch.
    patched = core.patch_namespaced_pod("py", "default", [{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}])
    assert patched.metadata.labels == {"a": "b"}, patched.metadata
    tried = core.patch_namespaced_pod("py", "default", {"metadata": {"labels": {"a": "c"}}}, dry_run="All")
    assert tried.metadata.labels == {"a": "c"}, tried.metadata
    assert core.read_namespaced_pod("py", "default").metadata.labels == {"a": "b"}
    for body, code in (([{"op": "test", "path": "/metadata/labels/a", "value": "x"}], 422),
                       ({"metadata": {"resourceVersion": "1"}}, 409), ({"spec": {"hostname": "h"}}, 422)):
        try:
            core.patch_namespaced_pod("py", "default", body)
            raise AssertionError(f"{body} was accepted")
        except client.ApiException as error:
            assert error.status == code, error
    addresses = [{"ip": "fd00::1"}, {"ip": "10.0.0.1"}]
    status = core.patch_namespaced_pod_status("py", "default", {"status": {"podIPs": addresses}}).status
    # The attribute of podIPs has another name in each version of the client.
    status = client.ApiClient().sanitize_for_serialization(status)
    assert (status["podIP"], status["podIPs"]) == ("fd00::1", addresses), status
    core.create_namespaced_binding("default", client.V1Binding(
        metadata=client.V1ObjectMeta(name="py"), target=client.V1ObjectReference(kind="Node", name="none")), _preload_content=False)
    assert core.read_namespaced_pod("py", "default").spec.node_name == "none"
    core.delete_namespaced_pod("py", "default", grace_period_seconds=0)


def dynamic_with_kubernetes(client):
    """The client that learns from discovery what there is, and server-side apply."""
    from kubernetes.dynamic import DynamicClient
    from kubernetes.dynamic.exceptions import ConflictError, NotFoundError

    dynamic = DynamicClient(client.ApiClient())
    services = dynamic.resources.get(api_version="v1", kind="Service")
    assert [found.metadata.name for found in services.get(namespace="default", label_selector="component=apiserver").items] == ["kubernetes"]
    maps = dynamic.resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"a": "1"}}
    maps.server_side_apply(body, namespace="default", field_manager="first")
    body["data"] = {"b": "2"}
    applied = maps.server_side_apply(body, namespace="default", field_manager="first")
    assert applied.data.to_dict() == {"b": "2"}, applied
    body["data"] = {"b": "3"}
    try:
        maps.server_side_apply(body, namespace="default", field_manager="second")
        raise AssertionError("another's field was taken without force")
    except ConflictError as error:
        assert 'conflict with "first"' in json.loads(error.body)["message"], error.body
    taken = maps.server_side_apply(body, namespace="default", field_manager="second", force_conflicts=True)
    assert taken.data.to_dict() == {"b": "3"}
    assert {entry.manager for entry in taken.metadata.managedFields} == {"first", "second"} or len(taken.metadata.managedFields) == 1
    maps.delete("applied", "default")
    try:
        maps.get(name="applied", namespace="default")
        raise AssertionError("the object is still there")
    except NotFoundError:
        pass


def resumed_watch_with_kubernetes(client, core, watch):
    """A watch that goes on where another has ended."""
    start = core.list_namespaced_config_map("default").metadata.resource_version
    for name in ("w1", "w2", "w3"):
        core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name)))
    names, version = [], start
    while len(names) < 3:
        follower = watch.Watch()
        for event in follower.stream(core.list_namespaced_config_map, "default", resource_version=version, timeout_seconds=30):
            names.append(event["object"].metadata.name)
            version = event["object"].metadata.resource_version
            follower.stop()
    assert names == ["w1", "w2", "w3"], names
    for name in names:
        core.delete_namespaced_config_map(name, "default")


def pods_with_kubernetes(kubeconfig):
    """Commands, logs and ports of the pods of test_exec."""
    from kubernetes import client, config, stream, watch

    config.load_kube_config(kubeconfig)
    core = client.CoreV1Api()

    def command(*words, pod="tool", **options):
        return stream.stream(core.connect_get_namespaced_pod_exec, pod, "default", command=list(words), stderr=True, stdout=True,
                             tty=False, _preload_content=False, **{"stdin": False, **options})

    session = command("sh", "-c", "echo out; echo err >&2; exit 3")
    session.run_forever(timeout=60)
    assert (session.read_stdout(), session.read_stderr(), session.returncode) == ("out\n", "err\n", 3)
    session = command("head", "-n", "2", stdin=True)
    session.write_stdin("one\ntwo\n")
    session.run_forever(timeout=60)
    assert (session.read_stdout(), session.returncode) == ("one\ntwo\n", 0)
    session = command("sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x")
    count = 0
    while session.is_open():
        session.update(timeout=1)
        count += len(session.read_stdout() if session.peek_stdout() else "")
    assert count == 3_000_000, count
    try:
        stream.stream(core.connect_get_namespaced_pod_exec, "tool", "default", command=["x"], container="absent", stdout=True)
        raise AssertionError("a command ran in no container")
    except client.ApiException as error:
        assert "container absent is not valid for pod tool" in str(error), error

    assert "line 5\n" in core.read_namespaced_pod_log("done", "default")
    assert core.read_namespaced_pod_log("done", "default", tail_lines=1, limit_bytes=3) in ("bad", "lin")
    ticks = []
    follower = watch.Watch()
    for line in follower.stream(core.read_namespaced_pod_log, "pair", "default", container="talker"):
        ticks.append(line)
        if len(ticks) == 3:
            follower.stop()
    assert ticks == ["tick"] * 3, ticks


def pods_with_lightkube(kubeconfig):
    """Logs of the pods of test_exec."""
    from lightkube import ApiError, Client, KubeConfig
    from lightkube.resources.core_v1 import Pod

    client = Client(config=KubeConfig.from_file(kubeconfig), namespace="default")
    assert "line 1" in [line.strip() for line in client.log("done")]
    assert [line.strip() for line in client.log("done", tail_lines=6)][0] in ("line 1", "bad")
    for line in client.log("pair", container="talker", follow=True):
        assert line.strip() == "tick", line
        break
    try:
        list(client.log("pair"))
        raise AssertionError("the log of no container")
    except ApiError as error:
        assert "a container name must be specified for pod pair" in error.status.message, error.status
    client.wait(Pod, "tool", for_conditions=["Ready"])


def with_lightkube(kubeconfig):
    """A session with a client that is generated from the API's description."""
    from lightkube import ApiError, Client, KubeConfig
    from lightkube.models.core_v1 import ServicePort, ServiceSpec
    from lightkube.models.meta_v1 import ObjectMeta
    from lightkube.resources.core_v1 import ConfigMap, Service

    client = Client(config=KubeConfig.from_file(kubeconfig), namespace="default", field_manager="lightkube")
    events = queue.Queue()

    def follow():
        for kind, found in client.watch(ConfigMap, labels={"client": "lightkube"}, server_timeout=30):
            events.put((kind, found.metadata.name))
            if kind == "DELETED":
                return

    client.create(ConfigMap(metadata=ObjectMeta(name="light", labels={"client": "lightkube"}), data={"a": "1"}))
    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    assert events.get(timeout=20) == ("ADDED", "light")
    client.patch(ConfigMap, "light", {"data": {"b": "2"}})
    assert events.get(timeout=20) == ("MODIFIED", "light")
    assert client.get(ConfigMap, "light").data == {"a": "1", "b": "2"}
    assert [found.metadata.name for found in client.list(ConfigMap, labels={"client": "lightkube"})] == ["light"]
    client.delete(ConfigMap, "light")
    assert events.get(timeout=20) == ("DELETED", "light")
    try:
        client.get(ConfigMap, "light")
        raise AssertionError("the object is still there")
    except ApiError as error:
        assert error.status.reason == "NotFound", error.status
    client.create(Service(
        metadata=ObjectMeta(name="light"), spec=ServiceSpec(ports=[ServicePort(port=80)], ipFamilyPolicy="RequireDualStack")))
    service = client.get(Service, "light")
    assert service.spec.ipFamilies == ["IPv4", "IPv6"], service.spec
    client.delete(Service, "light")
    patches_with_lightkube(client)


def patches_with_lightkube(client):
    """Server-side apply, the kinds of patches, pages and deletion of a collection."""
    from lightkube import ApiError
    from lightkube.models.meta_v1 import ObjectMeta
    from lightkube.resources.core_v1 import ConfigMap
    from lightkube.types import PatchType

    wanted = ConfigMap(apiVersion="v1", kind="ConfigMap", metadata=ObjectMeta(name="applied"), data={"a": "1"})
    assert client.apply(wanted, field_manager="first").data == {"a": "1"}
    wanted.data = {"a": "2"}
    try:
        client.apply(wanted, field_manager="second")
        raise AssertionError("another's field was taken without force")
    except ApiError as error:
        assert error.status.code == 409 and error.status.details.causes[0].reason == "FieldManagerConflict", error.status
    assert client.apply(wanted, field_manager="second", force=True).data == {"a": "2"}
    client.patch(ConfigMap, "applied", [{"op": "add", "path": "/data/b", "value": "3"}], patch_type=PatchType.JSON)
    client.patch(ConfigMap, "applied", {"data": {"a": None}}, patch_type=PatchType.MERGE)
    found = client.get(ConfigMap, "applied")
    assert found.data == {"b": "3"}, found.data
    old = found.metadata.resourceVersion
    found.data = {"c": "4"}
    assert client.replace(found).metadata.resourceVersion != old
    found.metadata.resourceVersion = old
    try:
        client.replace(found)
        raise AssertionError("an old resource version was accepted")
    except ApiError as error:
        assert error.status.reason == "Conflict", error.status
    for index in range(5):
        client.create(ConfigMap(metadata=ObjectMeta(name=f"page-{index}", labels={"page": "yes"})))
    pages = [found.metadata.name for found in client.list(ConfigMap, labels={"page": "yes"}, chunk_size=2)]
    assert pages == [f"page-{index}" for index in range(5)], pages
    client.deletecollection(ConfigMap, namespace="default")
    assert not list(client.list(ConfigMap, labels={"page": "yes"}))


if __name__ == "__main__":
    sessions = {
        "kubernetes": with_kubernetes, "lightkube": with_lightkube, "kubernetes-pods": pods_with_kubernetes,
        "lightkube-pods": pods_with_lightkube,
    }
    sessions[sys.argv[1]](sys.argv[2])
    print("ok")
