import Foundation
import KubernetesClient
import Testing

@Suite struct ClientConfigurationTests {
    static func read(_ text: String) throws -> ClientConfiguration {
        try ClientConfiguration(kubeconfig: text, source: "test", directory: URL(fileURLWithPath: "/"))
    }

    @Test func `The current context names cluster and user`() throws {
        let configuration = try Self.read(
            """
            apiVersion: v1
            kind: Config
            current-context: two
            contexts:
            - {name: one, context: {cluster: a, user: a}}
            - {name: two, context: {cluster: b, user: b, namespace: n}}
            clusters:
            - {name: b, cluster: {server: "https://[::1]:6443/", certificate-authority-data: Q0E=}}
            users:
            - {name: b, user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ, token: t}}
            """)
        #expect(configuration.serverURL == "https://[::1]:6443")
        #expect(configuration.certificateAuthority == Array("CA".utf8))
        #expect(configuration.clientCertificate == Array("CERT".utf8))
        #expect(configuration.clientKey == Array("KEY".utf8))
        #expect(configuration.token == .text("t"))
        #expect(configuration.namespace == "n")
    }

    @Test(arguments: [
        ("current-context: a", "current-context"),
        ("[", "not a kubeconfig"),
        ("{current-context: a, contexts: [{name: a, context: {cluster: c}}]}", "cluster \"c\""),
        (
            """
            {current-context: a, contexts: [{name: a, context: {cluster: c}}],
             clusters: [{name: c, cluster: {server: x, certificate-authority-data: "%%"}}]}
            """, "base64"
        ),
        (
            """
            {current-context: a, contexts: [{name: a, context: {cluster: c}}],
             clusters: [{name: c, cluster: {server: x, certificate-authority: none/ca}}]}
            """, "/none/ca cannot be read"
        ),
    ])
    func `Errors say what is wrong`(text: String, expected: String) {
        let error = #expect(throws: ClientConfigurationError.self) { try Self.read(text) }
        #expect(error?.description.contains(expected) ?? false, "\(error?.description ?? "")")
    }

    @Test func `A pod's environment is refused outside a pod`() {
        #expect(throws: ClientConfigurationError.self) { try ClientConfiguration.inCluster(environment: [:]) }
    }

    @Test func `Queries are escaped`() {
        let target = KubernetesClient.target(path: "/api", query: [("labelSelector", "a in (b,c)"), ("x", "é")])
        #expect(target == "/api?labelSelector=a%20in%20%28b%2Cc%29&x=%C3%A9")
    }
}

@Suite struct LineSplitterTests {
    @Test func `Lines come out whole however the bytes arrive`() throws {
        let text = Array("first\n\nsecond line\nlast\nrest".utf8)
        for size in 1...text.count {
            var splitter = LineSplitter()
            var lines: [String] = []
            var start = 0
            while start < text.count {
                try splitter.append(text[start..<min(start + size, text.count)])
                start += size
                while let line = splitter.next() {
                    lines.append(String(decoding: line, as: UTF8.self))
                }
            }
            #expect(lines == ["first", "second line", "last"])
        }
    }
}
