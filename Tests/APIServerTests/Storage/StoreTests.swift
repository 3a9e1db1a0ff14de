import APIServer
import Foundation
import JSON
import KubernetesAPI
import Logging
import Testing

@Suite("The store on disk", .serialized)
struct StoreTests {
    @Test("Opening finds what was written, and revisions go on, also after a deletion at the end")
    func reopening() async throws {
        let harness = try StoreHarness()
        let first = try harness.open()
        try await first.put(0..<50)
        try await first.put([7])
        try await first.remove(9)
        let (contents, revision) = (first.contents, first.revision)
        #expect(revision == 52)
        try await first.close()
        let second = try harness.open()
        #expect(second.contents == contents)
        #expect(second.revision == revision)
        let object = try #require(second.object(second.configMaps, ObjectKey(namespace: "default", name: "c7")))
        #expect(object.labels == ["app": "x"])
        #expect(object.fields == ["c7", ""])
        #expect(object.value.at("metadata", "resourceVersion") == "51")
        try await second.put([0])
        #expect(second.revision == revision + 1)
        try await second.close()
    }

    @Test("Superseded rows go in slices; what is left, the horizon and the revision survive a restart")
    func compaction() async throws {
        let harness = try StoreHarness()
        let first = try harness.open()
        // A single object written often, and one that is gone.
        try await first.put(0..<100)
        try await first.remove(99)
        for _ in 0..<260 {
            try await first.put(Array(repeating: 3, count: 100))
        }
        let (contents, revision) = (first.contents, first.revision)
        try await first.close()
        let second = try harness.open()
        #expect(second.contents == contents)
        #expect(second.revision == revision)
        let horizon = second.horizon(second.configMaps)
        #expect(horizon > 0 && horizon < revision)
        #expect(second.watch(second.configMaps, after: 1) == nil, "Too old")
        #expect(second.watch(second.configMaps, after: horizon) != nil)
        let backup = try StateBackup.create(harness.directory + "/copy", dataDirectory: harness.directory)
        #expect(backup.rows < 21_500, "26,000 rows were superseded")
        #expect(backup.revision == revision)
        try await second.close()
    }

    @Test("A follower that is too slow learns it, and holds no more than a portion of news at a time")
    func slowFollower() async throws {
        let harness = try StoreHarness()
        let store = try harness.open()
        let start = try #require(store.watch(store.configMaps, after: nil))
        for _ in 0..<10 {
            try await store.put(0..<10, size: 100_000)
        }
        let news = try #require(store.news(of: start.watcher, after: start.revision))
        #expect(news.hasMore && news.events.count < 10)
        #expect(news.revision == news.events.last?.object.revision)
        for _ in 0..<10 {
            try await store.put(0..<10, size: 100_000)
        }
        #expect(store.news(of: start.watcher, after: start.revision) == nil, "16 MiB have passed")
        try await store.close()
    }

    @Test("Objects expire after their last write, others stay")
    func expiry() async throws {
        let harness = try StoreHarness()
        let store = try harness.open()
        try await store.put(0..<1_200)
        let now = Timestamp.now.seconds
        let expiry = try #require(
            ObjectExpiry(store, .configMaps, seconds: 60, logger: Logger(label: "expiry")))
        var deadlines = ExpiryDeadlines(age: 60)
        // What the machine's clock says, and how much time has passed; the clock jumps both ways.
        for (clock, elapsed) in [(10, 0), (86_400, 10), (-86_400, 20), (30, 49)] as [(Int64, Int64)] {
            try await expiry.expire(&deadlines, now: now + clock, elapsed: elapsed)
            #expect(store.contents.count == 1_200, "\(elapsed) s")
        }
        try await store.put(0..<100)
        try await expiry.expire(&deadlines, now: now, elapsed: 50)
        #expect(store.contents.count == 100, "What was written anew lives on")
        try await expiry.expire(&deadlines, now: now, elapsed: 109)
        #expect(store.contents.count == 100)
        try await expiry.expire(&deadlines, now: now, elapsed: 110)
        #expect(store.contents.isEmpty)
        // After a restart only the machine's clock knows; an object of the future lives as long as a new one.
        try await store.put(0..<10)
        for (clock, lives) in [(-86_400, true), (30, true), (86_400, false)] as [(Int64, Bool)] {
            var fresh = ExpiryDeadlines(age: 60)
            let tree = store.snapshot(store.configMaps).tree
            #expect(fresh.expired(in: tree, now: now + clock, elapsed: 0).count == (lives ? 0 : 10), "\(clock)")
            guard lives else { continue }
            #expect(fresh.expired(in: tree, now: now + clock, elapsed: 60).count == 10, "\(clock)")
        }
        #expect(ObjectExpiry(store, .configMaps, seconds: 0, logger: Logger(label: "expiry")) == nil)
        try await store.close()
    }

    @Test("A database of the first layout is brought into the present one")
    func earlierLayout() async throws {
        let harness = try StoreHarness()
        let script = """
            import sqlite3, sys
            db = sqlite3.connect(sys.argv[1])
            db.executescript('''CREATE TABLE log (revision INTEGER PRIMARY KEY, resource TEXT NOT NULL,
              namespace TEXT NOT NULL, name TEXT NOT NULL, kind INTEGER NOT NULL, object BLOB NOT NULL);
              CREATE INDEX log_object ON log (resource, namespace, name, revision);
              CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL);
              INSERT INTO meta VALUES ('compacted', 3)''')
            text = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c1","resourceVersion":"5"}}'
            db.execute("INSERT INTO log VALUES (5, '/configmaps', 'default', 'c1', 0, ?)", (text,))
            db.commit()
            """
        let python = Process()
        python.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        python.arguments = ["-c", script, harness.path]
        try python.run()
        python.waitUntilExit()
        #expect(python.terminationStatus == 0)
        for _ in 0..<2 {
            let store = try harness.open()
            #expect(store.contents == ["c1": 5])
            #expect(store.revision == 5)
            #expect(store.horizon(store.configMaps) == 3)
            try await store.close()
        }
    }
}
