/// Gives the links of a page in HTML the prefix below which a proxy serves it, piece by piece while the page passes.
///
/// A link is the value of an attribute that holds an address. Those to a path of the backend get the prefix; all other
/// bytes stay as they are, those of scripts, style sheets and comments among them. No more of a page is held than the
/// beginning of one value.
package struct LinkRewriter: Sendable {
    private enum State {
        case text
        /// Behind `<`, `</` and `<!`.
        case tagOpen, endTagOpen, declaration
        /// In `<!-- … -->`, and in what else ends with the next `>`.
        case comment, markup
        case tagName, insideTag, attributeName, behindName, beforeValue, value
        /// In an element that holds no tags but its own end.
        case raw
    }

    private static let links: Set<String> = [
        "action", "background", "cite", "codebase", "formaction", "href", "icon", "longdesc", "manifest", "poster",
        "profile", "src",
    ]
    private static let rawElements: Set<String> = [
        "script", "style", "textarea", "title", "xmp", "noembed", "noframes",
    ]
    /// Longest name that is kept for comparison; the others are none of those above.
    private static let nameLimit = 16
    /// Bytes of a value that are kept: more than any name of a backend has.
    private static let valueLimit = 4096

    private let path: ProxyPath
    private let hosts: [String]
    private var state = State.text
    private var tag: [UInt8] = []
    private var isEndTag = false
    private var attribute: [UInt8] = []
    /// What ends the value; nil for one without quotation marks.
    private var quote: UInt8?
    /// The beginning of a link that is not yet complete; nil for other values.
    private var link: [UInt8]?
    /// Dashes before this byte of a comment or declaration, or how much of its end tag a raw element shows.
    private var matched = 0

    /// Prepares for one page.
    ///
    /// - Parameters:
    ///   - path: The page's place behind the proxy.
    ///   - hosts: The names by which the backend knows itself, with port.
    package init(_ path: ProxyPath, of hosts: [String]) {
        self.path = path
        self.hosts = hosts
    }

    /// Takes the next part of the page; returns as much as is certain.
    package mutating func rewrite(_ part: some Collection<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(part.count + Self.valueLimit)
        for byte in part { take(byte, &output) }
        return output
    }

    /// Ends the page; returns the rest.
    package mutating func finish() -> [UInt8] {
        defer { link = nil }
        return link ?? []
    }

    private mutating func take(_ byte: UInt8, _ output: inout [UInt8]) {
        if state == .value {
            takeValue(byte, &output)
            return
        }
        output.append(byte)
        switch state {
        case .text: if byte == UInt8(ascii: "<") { state = .tagOpen }
        case .tagOpen: open(byte)
        case .endTagOpen:
            if byte.isLetter {
                begin(byte, isEndTag: true)
            } else {
                state = byte == UInt8(ascii: ">") ? .text : .markup
            }
        case .declaration:
            matched = byte == UInt8(ascii: "-") ? matched + 1 : 0
            if matched == 2 {
                state = .comment
            } else if matched == 0 {
                state = byte == UInt8(ascii: ">") ? .text : .markup
            }
        case .comment:
            if byte == UInt8(ascii: ">"), matched >= 2 { state = .text }
            matched = byte == UInt8(ascii: "-") ? matched + 1 : 0
        case .markup: if byte == UInt8(ascii: ">") { state = .text }
        case .raw: matchEnd(byte)
        default: takeInTag(byte, &output)
        }
    }

    private mutating func open(_ byte: UInt8) {
        switch byte {
        case _ where byte.isLetter: begin(byte, isEndTag: false)
        case UInt8(ascii: "/"): state = .endTagOpen
        case UInt8(ascii: "!"): (state, matched) = (.declaration, 0)
        case UInt8(ascii: "?"): state = .markup
        case UInt8(ascii: "<"): break
        default: state = .text
        }
    }

    private mutating func begin(_ byte: UInt8, isEndTag: Bool) {
        (state, tag, self.isEndTag) = (.tagName, [byte.lowercase], isEndTag)
    }

    /// Looks for the end tag of a raw element.
    private mutating func matchEnd(_ byte: UInt8) {
        let end = Array("</".utf8) + tag
        if matched == end.count {
            if byte.isSpace || byte == UInt8(ascii: "/") || byte == UInt8(ascii: ">") {
                (state, isEndTag) = (byte == UInt8(ascii: ">") ? .text : .insideTag, true)
                return
            }
        } else if byte.lowercase == end[matched] {
            matched += 1
            return
        }
        matched = byte == UInt8(ascii: "<") ? 1 : 0
    }

    private mutating func takeInTag(_ byte: UInt8, _ output: inout [UInt8]) {
        switch (state, byte) {
        case (_, UInt8(ascii: ">")): endTag()
        case (.tagName, _) where !byte.isSpace && byte != UInt8(ascii: "/"):
            if tag.count <= Self.nameLimit { tag.append(byte.lowercase) }
        case (.attributeName, UInt8(ascii: "=")), (.behindName, UInt8(ascii: "=")): state = .beforeValue
        case (.attributeName, _) where !byte.isSpace && byte != UInt8(ascii: "/"):
            if attribute.count <= Self.nameLimit { attribute.append(byte.lowercase) }
        case (.attributeName, _) where byte.isSpace: state = .behindName
        case (.behindName, _) where byte.isSpace, (.beforeValue, _) where byte.isSpace: break
        case (.beforeValue, UInt8(ascii: "\"")), (.beforeValue, UInt8(ascii: "'")): beginValue(quote: byte)
        case (.beforeValue, _):
            output.removeLast()
            beginValue(quote: nil)
            takeValue(byte, &output)
        case (_, _) where byte.isSpace || byte == UInt8(ascii: "/"): state = .insideTag
        default: (state, attribute) = (.attributeName, [byte.lowercase])
        }
    }

    private mutating func endTag() {
        let isRaw = !isEndTag && Self.rawElements.contains(String(decoding: tag, as: UTF8.self))
        (state, matched) = (isRaw ? .raw : .text, 0)
    }

    private mutating func beginValue(quote: UInt8?) {
        self.quote = quote
        let name = String(decoding: attribute, as: UTF8.self)
        let isLink = Self.links.contains(name) || (name == "data" && tag.elementsEqual("object".utf8))
        (state, link) = (.value, isLink && !isEndTag ? [] : nil)
    }

    private mutating func takeValue(_ byte: UInt8, _ output: inout [UInt8]) {
        let isEnd = quote.map { byte == $0 } ?? (byte.isSpace || byte == UInt8(ascii: ">"))
        if isEnd || link?.count == Self.valueLimit, let begun = link {
            output += moved(begun)
            link = nil
        }
        if isEnd {
            output.append(byte)
            if quote == nil, byte == UInt8(ascii: ">") { endTag() } else { state = .insideTag }
        } else if link != nil {
            link?.append(byte)
        } else {
            output.append(byte)
        }
    }

    /// A link as it has to be behind the proxy.
    private func moved(_ link: [UInt8]) -> [UInt8] {
        guard let (length, head) = path.replacement(String(decoding: link, as: UTF8.self), of: hosts) else {
            return link
        }
        return head.utf8.flatMap(Self.quoted) + link.dropFirst(length)
    }

    /// A byte of a path so that it cannot end the value that it stands in.
    private static func quoted(_ byte: UInt8) -> [UInt8] {
        guard "\"'<>& ".utf8.contains(byte) else { return [byte] }
        return Array("%\(String(byte, radix: 16, uppercase: true))".utf8)
    }
}

extension UInt8 {
    fileprivate var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
    fileprivate var isSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
    fileprivate var lowercase: UInt8 { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self }
}
