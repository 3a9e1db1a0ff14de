import JSON
import PodRuntime
import Testing

@Suite("A list of network plugins")
struct NetworkListTests {
    @Test("tells each plugin what must stay, in the version that knows how to collect")
    func collections() throws {
        let list = try #require(
            NetworkList(
                """
                {"cniVersion": "1.0.0", "cniVersions": ["1.0.0", "1.1.0"], "name": "duet", "plugins": [
                  {"type": "ptp", "ipam": {"type": "host-local"}},
                  {"type": "portmap", "capabilities": {"portMappings": true}}, {"type": "../evil"}]}
                """))
        let told = list.collections(keeping: ["a", "b"])
        #expect(told.map(\.type) == ["ptp", "portmap"])
        #expect(
            told.map(\.configuration) == [
                [
                    "type": "ptp", "ipam": ["type": "host-local"], "cniVersion": "1.1.0", "name": "duet",
                    "cni.dev/valid-attachments": [
                        ["containerID": "a", "ifname": "eth0"], ["containerID": "b", "ifname": "eth0"],
                    ],
                ],
                [
                    "type": "portmap", "cniVersion": "1.1.0", "name": "duet",
                    "cni.dev/valid-attachments": [
                        ["containerID": "a", "ifname": "eth0"], ["containerID": "b", "ifname": "eth0"],
                    ],
                ],
            ] as [JSONValue])
    }

    @Test(
        "of an older version, without a name or with collection turned off is left alone",
        arguments: [
            #"{"cniVersion": "1.0.0", "name": "x", "plugins": []}"#,
            #"{"cniVersion": "1.1.0", "plugins": []}"#,
            #"{"cniVersion": "1.1.0", "name": "x", "disableGC": true, "plugins": []}"#, "[", "",
        ])
    func refused(text: String) {
        #expect(NetworkList(text) == nil)
    }
}
