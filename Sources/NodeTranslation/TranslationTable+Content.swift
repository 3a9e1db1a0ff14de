package import Addresses
package import NFTables

extension TranslationTable {
    /// What its sets hold, and what of it the kernel does not know yet.
    ///
    /// A pod that changes costs its own elements, however many others there are.
    package struct Content: Sendable {
        /// The pods by the private addresses that stand for them.
        package private(set) var translated: [IPv4Address: IPv6Address] = [:]
        /// The pods by the private addresses that stand for their CLAT.
        package private(set) var clat: [IPv4Address: IPv6Address] = [:]
        /// The private addresses of pods' CLAT by the host's ends of the pods' links.
        package private(set) var links: [Int32: IPv4Address] = [:]
        /// By which address packets of a private one leave, where it is not that of the link.
        package private(set) var egress: [IPv4Address: IPv4Address] = [:]
        /// Which destinations are refused.
        package private(set) var destinations = Destinations(allowed: [], refused: [:])
        /// What has changed since it was taken last.
        private var change = Change()

        package init() {}

        /// Takes a pod's new state in place of a former one.
        ///
        /// - Parameters:
        ///   - link: the host's end of the pod's link, where it has a CLAT.
        ///   - formerLink: the one that it had.
        package mutating func replace(
            _ old: TranslatedPod?, by new: TranslatedPod?, link: Int32? = nil, formerLink: Int32? = nil
        ) {
            if let old {
                // Another pod may have got the address meanwhile.
                if let address = old.translated, translated[address] == old.ipv6 { setTranslated(address, nil) }
                if let address = old.clat, clat[address] == old.ipv6 { setCLAT(address, nil) }
                if let formerLink, links[formerLink] == old.clat { setLink(formerLink, nil) }
            }
            guard let new else { return }
            if let address = new.translated { setTranslated(address, new.ipv6) }
            if let address = new.clat {
                setCLAT(address, new.ipv6)
                if let link { setLink(link, address) }
            }
        }

        /// Says by which address packets of another one leave; nil for that of the link.
        package mutating func setEgress(_ address: IPv4Address, _ value: IPv4Address?) {
            Self.set(&egress, address, value, .egress, &change) { Element(Key(.v4($0)), .data(Key(.v4($1)))) }
        }

        /// Says which destinations are refused.
        package mutating func setDestinations(_ new: Destinations) {
            guard destinations != new else { return }
            let (old, kept) = (Set(destinations.spans), Set(new.spans))
            for span in destinations.spans where !kept.contains(span) { change.remove(span) }
            for span in new.spans where !old.contains(span) { change.add(span) }
            destinations = new
        }

        /// Takes what has changed since the last call.
        package mutating func takeChange() -> Change {
            defer { change = Change() }
            return change
        }

        private mutating func setTranslated(_ address: IPv4Address, _ pod: IPv6Address?) {
            Self.set(&translated, address, pod, .translated, &change) { Element(Key(.v4($0)), .data(Key(.v6($1)))) }
        }

        private mutating func setCLAT(_ address: IPv4Address, _ pod: IPv6Address?) {
            Self.set(&clat, address, pod, .clat, &change) { Element(Key(.v4($0)), .data(Key(.v6($1)))) }
        }

        private mutating func setLink(_ link: Int32, _ address: IPv4Address?) {
            Self.set(&links, link, address, .links, &change) {
                Element(Key(bytes: UInt32(bitPattern: $0).registerBytes), .data(Key(.v4($1))))
            }
        }

        private static func set<Name: Hashable, Value: Equatable>(
            _ values: inout [Name: Value], _ name: Name, _ value: Value?, _ set: SetName, _ change: inout Change,
            _ element: (Name, Value) -> Element
        ) {
            let old = values[name]
            guard old != value else { return }
            values[name] = value
            if let old { change.remove(element(name, old), from: set) }
            if let value { change.add(element(name, value), to: set) }
        }
    }

    /// The elements that come and go.
    package struct Change: Sendable {
        private var removed: [SetName: Set<Element>] = [:]
        private var added: [SetName: Set<Element>] = [:]
        private var removedSpans: Set<Destinations.Span> = []
        private var addedSpans: Set<Destinations.Span> = []

        fileprivate init() {}

        fileprivate mutating func remove(_ element: Element, from set: SetName) {
            if added[set]?.remove(element) == nil { removed[set, default: []].insert(element) }
        }

        fileprivate mutating func add(_ element: Element, to set: SetName) {
            if removed[set]?.remove(element) == nil { added[set, default: []].insert(element) }
        }

        fileprivate mutating func remove(_ span: Destinations.Span) {
            if addedSpans.remove(span) == nil { removedSpans.insert(span) }
        }

        fileprivate mutating func add(_ span: Destinations.Span) {
            if removedSpans.remove(span) == nil { addedSpans.insert(span) }
        }

        /// How the kernel learns of it.
        package var transaction: Transaction {
            var transaction = Transaction()
            // A range may only be added once those inside it are gone.
            for set in SetName.allCases {
                transaction.append(.deleteElements(table, set: set.rawValue, Array(removed[set] ?? [])))
            }
            let spans = SetName.destinations.rawValue
            // Both ends of a span go and come together, in order, since the kernel looks for overlaps as elements come.
            transaction.append(.deleteElements(table, set: spans, Self.elements(removedSpans)))
            for set in SetName.allCases {
                transaction.append(.addElements(table, set: set.rawValue, Array(added[set] ?? [])))
            }
            transaction.append(.addElements(table, set: spans, Self.elements(addedSpans)))
            return transaction
        }

        private static func elements(_ spans: Set<Destinations.Span>) -> [Element] {
            spans.sorted { $0.first < $1.first }.flatMap(TranslationTable.elements)
        }
    }
}
