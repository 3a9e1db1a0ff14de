import Addresses
import KubernetesAPI
import NFTables
import NodeTranslation
import TestSupport
import Testing

@Suite("The table of a node's translation")
struct TranslationTableTests {
    private func pod(_ number: UInt32, clat: Bool = false) -> TranslatedPod {
        TranslatedPod(
            key: ObjectKey(namespace: "default", name: "pod-\(number)"),
            ipv6: IPv6Address(rawValue: 0xfd00 << 112 | UInt128(number)),
            translated: IPv4Address(rawValue: 0x6440_0002 + number),
            clat: clat ? IPv4Address(rawValue: 0x6440_8002 + number) : nil)
    }

    private func content(_ pods: UInt32, allowed: [IPPrefix] = []) -> TranslationTable.Content {
        var content = TranslationTable.Content()
        for number in 0..<pods { add(pod(number), &content) }
        content.setDestinations(Destinations(allowed: allowed, refused: [:]))
        return content
    }

    private func add(_ pod: TranslatedPod, _ content: inout TranslationTable.Content) {
        content.replace(nil, by: pod, link: Int32(truncatingIfNeeded: pod.ipv6.rawValue) + 1)
        for address in pod.privateAddresses { content.setEgress(address, IPv4Address(rawValue: 0xC000_0200)) }
    }

    private func counts(_ change: TranslationTable.Change) -> [Int] {
        change.transaction.operations.map { operation in
            switch operation {
            case .addElements(_, _, let elements): elements.count
            case .deleteElements(_, _, let elements): -elements.count
            default: 0
            }
        }
    }

    @Test("One pod more or less is an element in each map, whatever the number of pods", arguments: [0, 10, 1000])
    func cost(pods: UInt32) {
        var content = content(pods)
        _ = content.takeChange()
        add(pod(pods), &content)
        #expect(counts(content.takeChange()) == [1, 1])
        // One with a CLAT has another private address, and a link.
        let clat = pod(pods, clat: true)
        content.replace(pod(pods), by: clat, link: 7)
        #expect(counts(content.takeChange()) == [1, 1])
        content.replace(clat, by: nil, formerLink: 7)
        #expect(counts(content.takeChange()) == [-1, -1, -1])
        // What is as it was is no change, and neither is what comes and goes.
        content.setDestinations(content.destinations)
        add(pod(pods + 1), &content)
        content.replace(pod(pods + 1), by: nil, formerLink: Int32(pods) + 2)
        content.setEgress(IPv4Address(rawValue: 0x6440_0003 + pods), nil)
        #expect(content.takeChange().transaction.isEmpty)
    }

    @Test("An address that another pod gets at once is that one's", arguments: [false, true])
    func handedOn(isFormerLast: Bool) {
        var content = content(1)
        let former = pod(0)
        let heir = TranslatedPod(
            key: ObjectKey(namespace: "default", name: "heir"), ipv6: IPv6Address(rawValue: 0xfd01 << 112),
            translated: former.translated, clat: nil)
        if isFormerLast {
            content.replace(nil, by: heir)
            content.replace(former, by: nil)
        } else {
            content.replace(former, by: nil)
            content.replace(nil, by: heir)
        }
        #expect(content.translated.values.map(\.self) == [heir.ipv6])
    }

    @Test("Changes lead to what building anew has", arguments: 1...5 as ClosedRange<UInt64>)
    func change(seed: UInt64) throws {
        let ranges = TranslationTable.Ranges(
            pods: try #require(IPPrefix("100.64.0.0/16")), nodes: try #require(IPPrefix("100.65.0.0/16")))
        var random = SeededGenerator(seed: seed)
        let networks = ["10.0.0.0/16", "10.0.0.0/8", "192.168.7.0/24", "172.16.0.0/13"].compactMap { IPPrefix($0) }
        var content = TranslationTable.Content()
        var fake = NFTablesFake()
        try fake.commit(TranslationTable.rebuilding(ranges, content))
        _ = content.takeChange()
        var present: [UInt32: TranslatedPod] = [:]
        for step in 0..<60 {
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                let number = UInt32.random(in: 0..<8, using: &random)
                let new = Bool.random(using: &random) ? pod(number, clat: .random(using: &random)) : nil
                content.replace(present[number], by: new, link: Int32(number) + 1, formerLink: Int32(number) + 1)
                present[number] = new
                content.setEgress(
                    IPv4Address(rawValue: 0x6440_0002 + number),
                    Bool.random(using: &random) ? IPv4Address(rawValue: 0xC000_0200 + number) : nil)
            }
            content.setDestinations(
                Destinations(allowed: networks.filter { _ in Bool.random(using: &random) }, refused: [:]))
            if step % 2 == 1 { try fake.commit(content.takeChange().transaction) }
            guard step % 2 == 1 else { continue }
            var anew = TranslationTable.Content()
            for pod in present.values {
                anew.replace(nil, by: pod, link: Int32(truncatingIfNeeded: pod.ipv6.rawValue) + 1)
            }
            for (address, egress) in content.egress { anew.setEgress(address, egress) }
            anew.setDestinations(content.destinations)
            var other = NFTablesFake()
            try other.commit(TranslationTable.rebuilding(ranges, anew))
            for set in other.sets(of: TranslationTable.table) {
                let elements = Set(fake.elements(of: TranslationTable.table, set: set.name))
                #expect(
                    elements == Set(other.elements(of: TranslationTable.table, set: set.name)),
                    "\(set.name) at step \(step) of seed \(seed)")
            }
        }
    }
}
