import KubernetesAPI
import KubernetesClient
import Testing

@Suite struct InformerStoreTests {
    static func map(_ name: String, version: Int, uid: String = "u", label: String? = nil) -> ConfigMap {
        ConfigMap(
            metadata: ObjectMeta(
                name: name, namespace: "n", uid: uid, resourceVersion: "\(version)",
                labels: label.map { ["l": $0] }))
    }

    /// Everything that waits for a subscriber, as text.
    static func drain(_ subscription: InformerSubscription<ConfigMap>, _ count: Int) async -> [String] {
        var result: [String] = []
        for _ in 0..<count {
            switch await subscription.next() {
            case .added(let new): result.append("+\(new.name)@\(new.metadata.resourceVersion ?? "")")
            case .updated(let old, let new):
                result.append("\(old.metadata.resourceVersion ?? "")>\(new.metadata.resourceVersion ?? "")")
            case .deleted(let old): result.append("-\(old.name)@\(old.metadata.resourceVersion ?? "")")
            case .synced: result.append("synced")
            case nil: result.append("end")
            }
        }
        return result
    }

    @Test func `A list is compared with the content, and synced follows once`() async {
        let store = InformerStore<ConfigMap>(indexers: [:])
        let subscription = store.subscribe()
        store.replace(with: [Self.map("a", version: 1), Self.map("b", version: 2)])
        let first = await Self.drain(subscription, 3)
        #expect(first == ["+a@1", "+b@2", "synced"])
        store.replace(with: [Self.map("b", version: 2), Self.map("a", version: 4)])
        #expect(await Self.drain(subscription, 1) == ["1>4"])
        store.replace(with: [])
        #expect(Set(await Self.drain(subscription, 2)) == ["-a@4", "-b@2"])
        #expect(store.isSynced)
        #expect(store.count == 0)
    }

    @Test func `A late subscriber begins with the content`() async {
        let store = InformerStore<ConfigMap>(indexers: [:])
        store.replace(with: [Self.map("a", version: 1)])
        #expect(await Self.drain(store.subscribe(), 2) == ["+a@1", "synced"])
    }

    @Test func `Changes that a slow subscriber has not taken are joined`() async {
        let store = InformerStore<ConfigMap>(indexers: [:])
        store.replace(with: [Self.map("a", version: 1)])
        let subscription = store.subscribe()
        _ = await Self.drain(subscription, 2)
        for version in 2...100 {
            store.put(Self.map("a", version: version))
        }
        store.put(Self.map("b", version: 101))
        store.remove(Self.map("b", version: 102))
        store.put(Self.map("c", version: 103))
        #expect(await Self.drain(subscription, 2) == ["1>100", "+c@103"])
    }

    @Test func `An object that was replaced under its name is deleted and added when taken in time`() async {
        let store = InformerStore<ConfigMap>(indexers: [:])
        store.replace(with: [Self.map("a", version: 1)])
        let subscription = store.subscribe()
        _ = await Self.drain(subscription, 2)
        async let events = Self.drain(subscription, 2)
        while store.get("n", "a")?.metadata.uid != "v" {
            store.put(Self.map("a", version: 2, uid: "v"))
        }
        store.put(Self.map("z", version: 3))
        #expect(await events.first.map { $0 == "-a@1" || $0 == "1>2" } ?? false)
    }

    @Test func `Indexes follow the objects`() {
        let store = InformerStore<ConfigMap>(indexers: ["l": { $0.metadata.labels.map { Array($0.values) } ?? [] }])
        store.put(Self.map("a", version: 1, label: "x"))
        store.put(Self.map("b", version: 2, label: "x"))
        #expect(Set(store.byIndex("l", "x").map(\.name)) == ["a", "b"])
        store.put(Self.map("a", version: 3, label: "y"))
        #expect(store.byIndex("l", "x").map(\.name) == ["b"])
        #expect(store.byIndex("l", "y").map(\.name) == ["a"])
        store.remove(Self.map("b", version: 4))
        #expect(store.byIndex("l", "x").isEmpty)
        #expect(store.list(namespace: "n").map(\.name) == ["a"])
        #expect(store.list(namespace: "other").isEmpty)
    }

    @Test func `A cancelled subscription ends`() async {
        let store = InformerStore<ConfigMap>(indexers: [:])
        let subscription = store.subscribe()
        let task = Task { await Self.drain(subscription, 1) }
        task.cancel()
        #expect(await task.value == ["end"])
    }
}
