import APIServer
import Foundation
import JSON
import KubernetesAPI
import Logging
import Testing

/// A store in a directory of its own, without a server around it.
final class StoreHarness {
    /// The directory.
    let directory = NSTemporaryDirectory() + "dt-store-" + UUID().uuidString
    /// Path of the database.
    var path: String { directory + "/state.sqlite" }

    init() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Opens the store; the recovery of a killed server is the same as that of one that was closed.
    func open() throws -> Store {
        var logger = Logger(label: "store")
        logger.logLevel = .critical
        return try Store(
            path: path, definitions: ResourceRegistry.definitions { _ in ConfigMapStrategy() }, logger: logger)
    }

    /// What opening the store is refused with.
    func refusal() -> String {
        do {
            _ = try open()
            Issue.record("the store was opened")
            return ""
        } catch {
            return "\(error)"
        }
    }

    /// Changes bytes of a file.
    func edit(_ file: String, _ change: (inout Data) -> Void) throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: file))
        change(&data)
        try data.write(to: URL(fileURLWithPath: file))
    }
}

extension Store {
    /// Index of ConfigMaps.
    nonisolated var configMaps: Int { index(of: .configMaps) ?? 0 }

    /// Writes objects `c0`, `c1` … in one transaction, each with a value of a number of bytes.
    func put(_ names: some Sequence<Int> & Sendable, size: Int = 8) async throws {
        let index = configMaps
        try await write { transaction throws(StatusError) in
            for number in names {
                let object: JSONValue = [
                    "apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": ["name": .string("c\(number)"), "labels": ["app": "x"]],
                    "data": ["value": .string(String(repeating: "v", count: size))],
                ]
                _ = transaction.put(object, index, ObjectKey(namespace: "default", name: "c\(number)"))
            }
        }
    }

    /// Removes an object.
    func remove(_ number: Int) async throws {
        let index = configMaps
        try await write { transaction throws(StatusError) in
            _ = transaction.remove([:], index, ObjectKey(namespace: "default", name: "c\(number)"))
        }
    }

    /// Names and revisions of all objects.
    nonisolated var contents: [String: Int64] {
        var found: [String: Int64] = [:]
        snapshot(configMaps).tree.forEach { object in
            found[object.key.name] = object.revision
            return true
        }
        return found
    }
}
