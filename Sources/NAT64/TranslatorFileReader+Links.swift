import Addresses

extension TranslatorFileReader {
    /// Refuses names that no link can have, and those that stand twice.
    func checkNames(device: String) throws(TranslatorConfigurationError) {
        try Self.check(device, "device")
        try check(file.links, "links", device)
        try check(file.announce?.links, "announce.links", device)
        if file.announce?.links.isEmpty == true {
            throw TranslatorConfigurationError("announce.links", "name at least one link, or leave announce out")
        }
    }

    private func check(
        _ names: [String]?, _ key: String, _ device: String
    ) throws(TranslatorConfigurationError) {
        for (index, name) in (names ?? []).enumerated() {
            try Self.check(name, key)
            guard name != device else {
                throw TranslatorConfigurationError(key, "\(name) is the translator's own device; name links of hosts")
            }
            guard names?.firstIndex(of: name) == index else {
                throw TranslatorConfigurationError(key, "\(name) stands there twice")
            }
        }
    }

    /// The kernel's rules (`dev_valid_name`), and no pattern that it makes a name of.
    private static func check(_ name: String, _ key: String) throws(TranslatorConfigurationError) {
        guard !name.isEmpty, name.utf8.count < 16, ![".", "..", "all", "default"].contains(name),
            !name.contains(where: { "/:%".contains($0) || $0.isWhitespace })
        else {
            throw TranslatorConfigurationError(
                key, "\"\(name)\" is no name of a link, which has 1 to 15 bytes without any of space, /, : and %")
        }
    }
}
