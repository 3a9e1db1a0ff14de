"""What Python programs do with a cluster: run as `python_clients.py kubernetes|lightkube KUBECONFIG`."""
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


if __name__ == "__main__":
    {"kubernetes": with_kubernetes, "lightkube": with_lightkube}[sys.argv[1]](sys.argv[2])
    print("ok")
