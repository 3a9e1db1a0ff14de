internal import Addresses

extension TableLayout {
    /// An entry in the words of `nft list map`, after the name of its map: `services 10.96.0.1 . tcp . 80 : goto cluster-2`.
    ///
    /// Where nft shows the number of a shape, this has the verdict that it leads to.
    func text(_ entry: TableEntry, _ value: TableValue) -> String {
        guard let map = elements(entry, value).first?.map.name else { return "" }
        return "\(map) \(key(entry))\(self.value(entry, value).map { " : \($0)" } ?? "")"
    }

    private func key(_ entry: TableEntry) -> String {
        switch entry {
        case .action(let frontend), .outsiders(let frontend), .guarded(let frontend): frontend.text
        case .alias(let frontend): frontend.anchorText
        case .slot(let slot), .stickySlot(let slot): "\(slot.anchor.anchorText) . \(slot.number)"
        case .member(let anchor, let backend): "\(anchor.anchorText) . \(backend.elementText)"
        case .clusterAddress(let address): "\(address)"
        case .hairpin(let address): "\(address) . \(address)"
        case .localPods(let prefix), .unmasqueraded(let prefix), .nodePortRange(let prefix), .serviceRange(let prefix),
            .translated(let prefix), .unanswered(let prefix):
            "\(prefix)"
        case .standIn(let standIn): "\(standIn)"
        case .admitted(let frontend, let prefix): "\(frontend.text) . \(prefix)"
        }
    }

    private func value(_ entry: TableEntry, _ value: TableValue) -> String? {
        switch value {
        case .present: nil
        case .action(.refuse): "goto \(ChainName.refuse)"
        case .action(.drop): "drop"
        case .action(.balance):
            shape(entry, value).map { shape in
                if case .outsiders = entry { "jump \(shape.name)" } else { "goto \(shape.name)" }
            }
        case .frontend(let anchor): anchor.anchorText
        case .backend(let backend): backend.elementText
        case .address(let address): "\(address)"
        }
    }
}

extension Frontend {
    private var addressText: String { address.map { "\($0) . " } ?? "" }
    /// As the keys of frontends are written.
    fileprivate var text: String { "\(addressText)\(transport) . \(port)" }
    /// As the keys of slots are written.
    fileprivate var anchorText: String { "\(addressText)\(port) . \(transport)" }
}

extension Backend {
    fileprivate var elementText: String { "\(address) . \(port)" }
}
