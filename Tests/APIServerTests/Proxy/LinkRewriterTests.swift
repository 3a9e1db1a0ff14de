import APIServer
import Testing

/// Links of pages that come through a proxy.
@Suite struct LinkRewriterTests {
    private static func rewritten(_ page: String, pieces: Int = .max) -> String {
        var rewriter = LinkRewriter(ProxyPath("/p/proxy/here", depth: 2), of: ["10.0.0.1:80"])
        var rest = Array(page.utf8)[...]
        var output: [UInt8] = []
        while !rest.isEmpty {
            output += rewriter.rewrite(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
        }
        return String(decoding: output + rewriter.finish(), as: UTF8.self)
    }

    /// Columns: the page of the backend, the page of the client.
    private static let pages = [
        (#"<a href="/x">t</a>"#, #"<a href="/p/proxy/x">t</a>"#),
        (#"<a href='/x'>"#, #"<a href='/p/proxy/x'>"#), ("<a href=/x>", "<a href=/p/proxy/x>"),
        ("<a href=/x class=y>", "<a href=/p/proxy/x class=y>"), ("<A HREF = \"/x\" >", "<A HREF = \"/p/proxy/x\" >"),
        (#"<a href="/">"#, #"<a href="/p/proxy/">"#), (#"<img src="/i.png"/>"#, #"<img src="/p/proxy/i.png"/>"#),
        (#"<form action="/f?a=1&amp;b=2">"#, #"<form action="/p/proxy/f?a=1&amp;b=2">"#),
        (#"<base href="http://10.0.0.1:80">"#, #"<base href="/p/proxy/">"#),
        (#"<link rel="x" href="https://10.0.0.1:80/s.css">"#, #"<link rel="x" href="/p/proxy/s.css">"#),
        (
            #"<script src="/s.js"></script><a href="/x">"#,
            #"<script src="/p/proxy/s.js"></script><a href="/p/proxy/x">"#
        ),
        (#"<object data="/o"><param data="/o">"#, #"<object data="/p/proxy/o"><param data="/o">"#),
        (#"<video poster="/v" src=/w>"#, #"<video poster="/p/proxy/v" src=/p/proxy/w>"#),
        (#"<a title="a > b" href="/x">"#, #"<a title="a > b" href="/p/proxy/x">"#),
        ("<!-- \"> --><a href=\"/x\">", "<!-- \"> --><a href=\"/p/proxy/x\">"),
        ("<!--><a href=\"/x\">", "<!--><a href=\"/p/proxy/x\">"),
        ("<!doctype html><a href=\"/x\">", "<!doctype html><a href=\"/p/proxy/x\">"),
        ("<title>a <b</title><a href=/x>", "<title>a <b</title><a href=/p/proxy/x>"),
        (
            "<script>if (a<b) '</scrip>'</script ><a href=/x>",
            "<script>if (a<b) '</scrip>'</script ><a href=/p/proxy/x>"
        ),
        ("<a hidden href=/x>", "<a hidden href=/p/proxy/x>"), ("1 < 2 <a href=/x>", "1 < 2 <a href=/p/proxy/x>"),
        ("<<a href=/x>", "<<a href=/p/proxy/x>"),
    ]
    /// What stays as it is.
    private static let unchanged = [
        "", "text", #"<a href="x">"#, #"<a href="../x">"#, #"<a href="//other/x">"#, #"<a href="http://other/x">"#,
        #"<a href="/p/proxy/x">"#, ##"<a href="#x">"##, #"<a href="">"#, "<a href=>", "<a href>", #"<a title="/x">"#,
        #"<a data-href="/x">"#, #"<a hrefs="/x">"#, #"</a href="/x">"#, #"<!-- <a href="/x"> -->"#,
        #"<script>"<a href='/x'>"</script>"#, "<style>a{background:url(/x)}</style>",
        #"<textarea><a href="/x"></textarea>"#,
        #"<?php <a href="/x" ?>"#, #"<a href="/x"#, "<a href=/x", "<", "</", "<!", "<!-", "<a",
        #"<![CDATA[ a="/x" ]]>"#,
    ]

    @Test(arguments: pages) func `links to paths of the backend get the prefix`(page: String, expected: String) {
        #expect(Self.rewritten(page) == expected)
        #expect(Self.rewritten(expected) == expected, "once is enough")
    }

    @Test(arguments: unchanged) func `everything else stays as it is`(page: String) {
        #expect(Self.rewritten(page) == page)
    }

    @Test func `a page may come in pieces of any length`() {
        let page = Self.pages.map(\.0).joined(separator: "\n")
        let expected = Self.rewritten(page)
        for pieces in 1...40 { #expect(Self.rewritten(page, pieces: pieces) == expected) }
    }

    @Test func `no more than a few kilobytes are held back, whatever the page`() {
        var rewriter = LinkRewriter(ProxyPath("/p/proxy", depth: 2), of: [])
        var (taken, given, most) = (0, 0, 0)
        for part in [#"<a href="/"#] + Array(repeating: String(repeating: "x", count: 1000), count: 100) + ["<b "]
            + Array(repeating: String(repeating: "y", count: 1000), count: 100)
        {
            taken += part.utf8.count
            given += rewriter.rewrite(part.utf8).count
            most = max(most, taken - given)
        }
        #expect(most <= 5000)
        given += rewriter.finish().count
        #expect(given == taken + "/p/proxy".utf8.count)
    }

    @Test func `bytes that are no text pass, and no path ends a value`() {
        var rewriter = LinkRewriter(ProxyPath("/p\"'<>/proxy", depth: 2), of: [])
        let page: [UInt8] = [0xFF, 0x00] + Array(#"<a href="/"#.utf8) + [0xE9, 0x80] + Array(#"">"#.utf8) + [0xC3]
        let expected: [UInt8] =
            [0xFF, 0x00] + Array(#"<a href="/p%22%27%3C%3E/proxy/"#.utf8) + [0xE9, 0x80] + Array(#"">"#.utf8) + [0xC3]
        let found = rewriter.rewrite(page) + rewriter.finish()
        #expect(found == expected)
    }
}
