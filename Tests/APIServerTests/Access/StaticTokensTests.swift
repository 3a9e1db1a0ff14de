import APIServer
import Testing

@Suite("Tokens from a file")
struct StaticTokensTests {
    @Test(
        "A line gives token, user, uid and groups",
        arguments: [
            ("t,alice,1", "alice", "1", ["system:authenticated"]),
            ("t,alice,1,", "alice", "1", ["system:authenticated"]),
            ("t,alice,1,dev", "alice", "1", ["dev", "system:authenticated"]),
            ("t,alice,1,\"dev,ops\"\r", "alice", "1", ["dev", "ops", "system:authenticated"]),
            ("\n\"t\",\"al\"\"ice\",\"a,b\"\n", "al\"ice", "a,b", ["system:authenticated"]),
            ("t,root,,system:masters", "root", "", ["system:masters", "system:authenticated"]),
        ])
    func lines(text: String, name: String, uid: String, groups: [String]) throws {
        let user = try #require(try StaticTokens(text: text, source: "f")["t"])
        #expect(user == User(name: name, uid: uid, groups: groups))
        #expect(user.isSuperuser == groups.contains("system:masters"))
    }

    @Test(
        "A malformed line is named",
        arguments: [
            ("t,alice", "f, line 1: expected token,user,uid and optionally \"group,group\""),
            ("t,a,1\n,alice,1", "f, line 2: expected token,user,uid and optionally \"group,group\""),
            ("t,\"alice,1", "f, line 1: a quotation mark is not closed or not doubled"),
            ("t,al\"ice,1", "f, line 1: a quotation mark is not closed or not doubled"),
            ("t,\"a\"b,1", "f, line 1: a quotation mark is not closed or not doubled"),
            ("t,a,1\nt,b,2", "f, line 2: the token is given twice"),
        ])
    func malformed(text: String, message: String) {
        #expect {
            try StaticTokens(text: text, source: "f")
        } throws: { error in
            "\(error)" == message
        }
    }

    @Test("A token opens the server, another one does not")
    func server() async throws {
        try await ServerHarness.run(tokens: "secret-1,root,1,system:masters\n") { server in
            let path = "/api/v1/namespaces/default"
            let clients = [
                (server.with(token: "secret-1"), 200), (server.with(token: "secret-2"), 401),
                (server.withoutCredentials(), 401),
            ]
            for (client, code) in clients {
                let answer = try await client.send("GET", path)
                #expect(answer.code == code)
            }
        }
    }
}
