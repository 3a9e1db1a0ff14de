import Foundation
import JSON
import Testing

/// The objects that stand for the addresses of Services, through the server's own API.
@Suite struct ServiceAddressTests {
    private let services = "/api/v1/namespaces/default/services"
    private let addresses = "/apis/networking.k8s.io/v1/ipaddresses"
    private let ranges = "/apis/networking.k8s.io/v1/servicecidrs"

    private func names(_ server: ServerHarness) async throws -> [String] {
        let list = try await server.send("GET", addresses).json
        return (list["items"]?.array ?? []).compactMap { $0.at("metadata", "name")?.string }.sorted()
    }

    @Test func `an address has an object for as long as its Service`() async throws {
        try await ServerHarness.run { server in
            #expect(try await names(server) == ["10.96.0.1", "fd00:10:96::1"])
            let created = try await server.send(
                "POST", services,
                [
                    "metadata": ["name": "web"],
                    "spec": ["ipFamilyPolicy": "RequireDualStack", "ports": [["port": 80]]],
                ])
            #expect(created.code == 201)
            let held = (created.json.at("spec", "clusterIPs")?.array ?? []).compactMap(\.string)
            #expect(held.count == 2)
            let object = try await server.send("GET", "\(addresses)/\(held[0])").json
            #expect(
                object.at("spec", "parentRef")
                    == ["group": "", "resource": "services", "namespace": "default", "name": "web"])
            #expect(object.at("metadata", "labels", "ipaddress.kubernetes.io/ip-family") == "IPv4")
            #expect(object.at("metadata", "labels", "ipaddress.kubernetes.io/managed-by") == "ipallocator.k8s.io")

            let single = try await server.send(
                "PATCH", "\(services)/web", ["spec": ["ipFamilyPolicy": "SingleStack"]],
                type: "application/merge-patch+json")
            #expect(single.code == 200)
            #expect(try await server.send("GET", "\(addresses)/\(held[1])").code == 404)
            #expect(try await server.send("GET", "\(addresses)/\(held[0])").code == 200)
            _ = try await server.send("DELETE", "\(services)/web")
            #expect(try await names(server) == ["10.96.0.1", "fd00:10:96::1"])
        }
    }

    @Test func `writes that fail or are only tried leave no address behind`() async throws {
        try await ServerHarness.run { server in
            let service: JSONValue = [
                "metadata": ["name": "web"], "spec": ["clusterIP": "10.96.7.7", "ports": [["port": 80]]],
            ]
            let tried = try await server.send("POST", services + "?dryRun=All", service)
            #expect(tried.code == 201)
            var wrong = service
            wrong.set("NodePort", at: "spec", "type")
            wrong.set([["port": 80, "nodePort": 80]], at: "spec", "ports")
            #expect(try await server.send("POST", services, wrong).code == 422)
            #expect(try await names(server) == ["10.96.0.1", "fd00:10:96::1"])
            #expect(try await server.send("POST", services, service).code == 201)
            #expect(try await server.send("POST", services, service).code == 422)
            #expect(try await names(server) == ["10.96.0.1", "10.96.7.7", "fd00:10:96::1"])
        }
    }

    @Test func `an address that someone else holds is not given`() async throws {
        try await ServerHarness.run { server in
            let made = try await server.send(
                "POST", addresses,
                [
                    "metadata": ["name": "10.96.9.9"],
                    "spec": ["parentRef": ["group": "example.com", "resource": "gateways", "name": "g"]],
                ])
            #expect(made.code == 201)
            let service: JSONValue = [
                "metadata": ["name": "web"], "spec": ["clusterIP": "10.96.9.9", "ports": [["port": 80]]],
            ]
            #expect(
                try await server.send("POST", services, service).json["message"]
                    == #"Service "web" is invalid: spec.clusterIPs: Invalid value: ["10.96.9.9"]: failed to allocate IP 10.96.9.9: provided IP is already allocated"#
            )
            #expect(try await server.send("DELETE", "\(addresses)/10.96.9.9").code == 200)
            #expect(try await server.send("POST", services, service).code == 201)
        }
    }

    @Test func `a full cluster grows by another range, which stays while it is used`() async throws {
        try await ServerHarness.run(ranges: ["10.96.0.0/30"], advertise: ["192.0.2.10"]) { server in
            func create(_ name: String) async throws -> ServerHarness.Answer {
                try await server.send(
                    "POST", services, ["metadata": ["name": .string(name)], "spec": ["ports": [["port": 80]]]])
            }
            #expect(try await server.send("GET", "\(ranges)/kubernetes").json.at("spec", "cidrs") == ["10.96.0.0/30"])
            #expect(try await create("a").code == 201)
            #expect(try await create("b").code == 500)
            let range = try await server.send(
                "POST", ranges, ["metadata": ["name": "more"], "spec": ["cidrs": ["10.97.0.0/30"]]])
            #expect(range.code == 201)
            let grown = try await create("b")
            #expect(grown.code == 201)
            #expect(grown.json.at("spec", "clusterIP")?.string?.hasPrefix("10.97.0.") == true)

            _ = try await server.send("DELETE", "\(ranges)/more")
            let end = ContinuousClock.now + .seconds(20)
            var reason: JSONValue?
            while reason != "Terminating", ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(20))
                reason = try await server.send("GET", "\(ranges)/more").json.at("status", "conditions")?[0]?["reason"]
            }
            #expect(reason == "Terminating")
            #expect(try await create("c").code == 500)
        }
    }
}
