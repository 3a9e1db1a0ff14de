import JSON
import Testing

@Suite("Reading selected members")
struct JSONSelectionTests {
    private static let text = #"""
        {"kind":"Pod", "metadata":{"name":"a\"}","labels":{"app":"x","n":"1"},"annotations":{"k":"[\\\"{"}},
         "spec":{"containers":[{"env":[{"value":"]}"}]},2.5e3,true,null],"nodeName":"n1"} ,"status":{"phase":"Running"}}
        """#

    @Test(
        "What the paths lead to is there, nothing else is",
        arguments: [
            (["kind"], #"{"kind":"Pod"}"#),
            (["metadata.labels"], #"{"metadata":{"labels":{"app":"x","n":"1"}}}"#),
            (["metadata.name", "status.phase"], #"{"metadata":{"name":"a\"}"},"status":{"phase":"Running"}}"#),
            (["spec.nodeName"], #"{"spec":{"nodeName":"n1"}}"#),
            (
                ["spec", "spec.nodeName"],
                #"{"spec":{"containers":[{"env":[{"value":"]}"}]},2500.0,true,null],"nodeName":"n1"}}"#
            ),
            (["kind.name", "spec.containers.env"], #"{"kind":null,"spec":{"containers":null}}"#),
            (["absent"], "{}"),
        ])
    func select(paths: [String], expected: String) throws {
        let selection = JSONSelection(paths: paths.map { $0.split(separator: ".").map(String.init) })
        #expect(try JSONValue(parsing: Array(Self.text.utf8), only: selection) == JSONValue(text: expected))
    }

    @Test("A text that is cut off anywhere is refused or has what came before, and never traps")
    func cutOff() throws {
        let bytes = Array(Self.text.utf8)
        let selection = JSONSelection(paths: [["spec", "nodeName"], ["metadata", "labels"]])
        for end in 0..<bytes.count - 1 {
            #expect(throws: JSONError.self) { try JSONValue(parsing: Array(bytes[..<end]), only: selection) }
        }
    }
}
