import JSON
import Testing

@Suite("A server over HTTPS", .serialized)
struct ServerTests {
    @Test("It answers on both families and keeps objects with the metadata that it sets")
    func basicVerbs() async throws {
        try await ServerHarness.run { server in
            #expect(try await server.send("GET", "/readyz").text == "ok")
            #expect(try await server.at("[::1]").send("GET", "/readyz").text == "ok")
            let path = "/api/v1/namespaces/default/configmaps"
            let object: JSONValue = [
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a"], "data": ["x": "1"],
            ]
            let created = try await server.send("POST", path, object)
            #expect(created.code == 201, "\(created.text)")
            #expect(created.json.at("metadata", "uid")?.string?.count == 36)
            #expect(created.json.at("metadata", "namespace") == "default")
            let again = try await server.send("POST", path, object)
            #expect(again.code == 409)
            #expect(again.json["message"] == #"configmaps "a" already exists"#)
            let list = try await server.send("GET", path)
            #expect(list.json["kind"] == "ConfigMapList")
            #expect(list.json["items"]?.array?.count == 1)
            #expect(list.json["items"]?[0]?["kind"] == nil)
            let patched = try await server.send(
                "PATCH", path + "/a", ["data": ["y": "2"]], type: "application/merge-patch+json")
            #expect(patched.json["data"] == ["x": "1", "y": "2"])
            let deleted = try await server.send("DELETE", path + "/a")
            #expect(deleted.json["status"] == "Success")
            #expect(try await server.send("GET", path + "/a").code == 404)
        }
    }
}
