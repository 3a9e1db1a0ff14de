import Addresses
import CNI
import JSON
import Testing

/// A plugin that answers every ADD with one address of each family and refuses the rest of its work by name.
struct EchoPlugin: CNIPlugin {
    let name = "echo"

    func add(_ request: CNIRequest) throws -> CNIResult {
        if request.containerID == "broken" { throw CNIError("no luck") }
        var result = CNIResult()
        for text in ["10.0.0.2/24", "fd00::2/64"] {
            result.addresses.append(CNIResult.Address(try #require(InterfaceAddress(text))))
        }
        return result
    }
    func delete(_ request: CNIRequest) throws {}
    func check(_ request: CNIRequest) throws {}
    func collectGarbage(_ request: CNIRequest) throws {}
    func status(_ request: CNIRequest) throws { throw CNIError(.unavailable, "full") }
}

struct DispatcherCase: Sendable, CustomTestStringConvertible {
    let remark: String
    var environment: [String: String] = [:]
    var input = #"{"cniVersion":"1.0.0","name":"net"}"#
    let code: Int
    let message: String
    var details: String?

    var testDescription: String { remark }

    static let complete = [
        "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c1", "CNI_IFNAME": "eth0", "CNI_NETNS": "/none", "CNI_PATH": "/none",
    ]

    /// Codes and texts that the reference library gives for the same input.
    static let all = [
        DispatcherCase(
            remark: "missing variables", environment: ["CNI_CONTAINERID": "", "CNI_NETNS": ""], code: 4,
            message: "required env variables [CNI_CONTAINERID,CNI_NETNS] missing"),
        DispatcherCase(
            remark: "GC needs the path only", environment: ["CNI_COMMAND": "GC", "CNI_PATH": "", "CNI_IFNAME": ""],
            code: 4, message: "required env variables [CNI_PATH] missing"),
        DispatcherCase(
            remark: "unknown command", environment: ["CNI_COMMAND": "FOO"], code: 4,
            message: "unknown CNI_COMMAND: FOO"),
        DispatcherCase(
            remark: "no name", input: #"{"cniVersion":"1.0.0"}"#, code: 7, message: "missing network name"),
        DispatcherCase(
            remark: "wrong name", input: #"{"cniVersion":"1.0.0","name":"a b"}"#, code: 7,
            message: "invalid characters found in network name", details: "a b"),
        DispatcherCase(
            remark: "future version", input: #"{"cniVersion":"1.9.0","name":"net"}"#, code: 1,
            message: "incompatible CNI versions",
            details: #"config is "1.9.0", plugin supports ["0.1.0" "0.2.0" "0.3.0" "0.3.1" "0.4.0" "1.0.0" "1.1.0"]"#),
        DispatcherCase(
            remark: "a version that is not written out", input: #"{"cniVersion":"1.0","name":"net"}"#, code: 1,
            message: "incompatible CNI versions",
            details: #"config is "1.0", plugin supports ["0.1.0" "0.2.0" "0.3.0" "0.3.1" "0.4.0" "1.0.0" "1.1.0"]"#),
        DispatcherCase(
            remark: "a version that is a number", input: #"{"cniVersion":1,"name":"net"}"#, code: 6,
            message: #"cannot read "cniVersion": expected a string"#),
        DispatcherCase(
            remark: "a name that is a number", input: #"{"cniVersion":"1.0.0","name":7}"#, code: 6,
            message: #"cannot read "name": expected a string"#),
        DispatcherCase(
            remark: "ipam that is a list", input: #"{"cniVersion":"1.0.0","name":"net","ipam":[]}"#, code: 6,
            message: #"cannot read "ipam": expected an object"#),
        DispatcherCase(
            remark: "a type that is a number", input: #"{"cniVersion":"1.0.0","name":"net","ipam":{"type":1}}"#,
            code: 6, message: #"cannot read "type": expected a string"#),
        DispatcherCase(
            remark: "arguments that are a text", input: #"{"cniVersion":"1.0.0","name":"net","args":{"cni":"x"}}"#,
            code: 6, message: #"cannot read "cni": expected an object"#),
        DispatcherCase(
            remark: "CHECK before it existed", environment: ["CNI_COMMAND": "CHECK"],
            input: #"{"cniVersion":"0.3.1","name":"net"}"#, code: 1, message: "config version does not allow CHECK"),
        DispatcherCase(
            remark: "GC before it existed", environment: ["CNI_COMMAND": "GC"], code: 1,
            message: "config version does not allow GC"),
        DispatcherCase(
            remark: "STATUS before it existed", environment: ["CNI_COMMAND": "STATUS"], code: 1,
            message: "config version does not allow STATUS"),
        DispatcherCase(
            remark: "container that looks like an option", environment: ["CNI_CONTAINERID": "-x"], code: 4,
            message: "invalid characters in containerID", details: "-x"),
        DispatcherCase(
            remark: "long interface", environment: ["CNI_IFNAME": "abcdefghijklmnop"], code: 4,
            message: "interface name is too long", details: "interface name should be less than 16 characters"),
        DispatcherCase(
            remark: "dots", environment: ["CNI_IFNAME": ".."], code: 4, message: "interface name is . or .."),
        DispatcherCase(
            remark: "colon", environment: ["CNI_IFNAME": "a:b"], code: 4,
            message: "interface name contains / or : or whitespace characters"),
        DispatcherCase(
            remark: "space", environment: ["CNI_IFNAME": "a b"], code: 4,
            message: "interface name contains / or : or whitespace characters"),
        DispatcherCase(
            remark: "the plugin's own namespace", environment: ["CNI_NETNS": "/own"], code: 8,
            message: "plugin's netns and netns from CNI_NETNS should not be the same"),
        DispatcherCase(
            remark: "the plugin fails", environment: ["CNI_CONTAINERID": "broken"], code: 999, message: "no luck"),
        DispatcherCase(
            remark: "STATUS fails with its code", environment: ["CNI_COMMAND": "STATUS"],
            input: #"{"cniVersion":"1.1.0","name":"net"}"#, code: 50, message: "full"),
    ]
}

@Suite struct `A plugin's entry` {
    private func run(_ environment: [String: String], _ input: String) -> CNIDispatcher.Outcome {
        CNIDispatcher(EchoPlugin(), isOwnNamespace: { $0 == "/own" })
            .run(environment: { environment[$0] }, input: { Array(input.utf8) })
    }

    @Test(arguments: DispatcherCase.all)
    func `refuses with the reference's code and text`(row: DispatcherCase) throws {
        let environment = DispatcherCase.complete.merging(row.environment) { $1 }
        let outcome = run(environment, row.input)
        #expect(outcome.status == 1)
        let printed = try JSONValue(text: outcome.output)
        #expect(printed["code"]?.int == row.code)
        #expect(printed["msg"]?.string == row.message)
        #expect(printed["details"]?.string == row.details)
    }

    @Test func `refuses bytes that are not JSON with code 6`() throws {
        let outcome = run(DispatcherCase.complete, "{x")
        let printed = try JSONValue(text: outcome.output)
        #expect(printed["code"]?.int == 6)
        #expect(printed["msg"]?.string?.hasPrefix("error unmarshall network config: ") == true)
    }

    @Test func `reports unreadable input with code 5`() throws {
        let outcome = CNIDispatcher(EchoPlugin(), isOwnNamespace: { _ in false })
            .run(environment: { DispatcherCase.complete[$0] }, input: { throw CNIError("gone") })
        #expect(try JSONValue(text: outcome.output)["code"]?.int == 5)
    }

    @Test func `tells about itself when no command is given`() {
        let outcome = run([:], "")
        #expect(outcome.status == 0)
        #expect(outcome.output.isEmpty)
        #expect(outcome.log.contains("CNI protocol versions supported: 0.1.0, 0.2.0"))
    }

    @Test(arguments: [("", "1.1.0"), (#"{"cniVersion":"0.4.0"}"#, "0.4.0")])
    func `answers VERSION in the version asked in`(input: String, version: String) throws {
        let outcome = run(["CNI_COMMAND": "VERSION"], input)
        let printed = try JSONValue(text: outcome.output)
        #expect(printed["cniVersion"]?.string == version)
        #expect(printed["supportedVersions"]?.array?.count == 7)
    }

    @Test(arguments: ["1", "true", "TRUE"])
    func `works in its own namespace when told to`(override: String) {
        let extra = ["CNI_NETNS": "/own", "CNI_NETNS_OVERRIDE": override]
        let outcome = run(DispatcherCase.complete.merging(extra) { $1 }, #"{"cniVersion":"1.0.0","name":"net"}"#)
        #expect(outcome.status == 0)
    }

    @Test func `deletes whatever the shape of the rest`() {
        let environment = DispatcherCase.complete.merging(["CNI_COMMAND": "DEL"]) { $1 }
        let outcome = run(environment, #"{"cniVersion":"1.0.0","name":"net","ipam":[],"args":"x","runtimeConfig":1}"#)
        #expect(outcome.status == 0)
    }

    @Test func `prints nothing for DEL`() {
        let outcome = run(
            DispatcherCase.complete.merging(["CNI_COMMAND": "DEL", "CNI_NETNS": ""]) { $1 }, #"{"name":"net"}"#)
        #expect((outcome.status, outcome.output, outcome.log) == (0, "", ""))
    }
}
