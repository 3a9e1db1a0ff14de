import Addresses
public import JSON

extension CNIResult {
    /// The value to print for a runtime that speaks `version`.
    ///
    /// Before 0.3.0 a result holds one address of each family at most, so the first of each is kept; none at all is an
    /// error there.
    public func json(version: CNIVersion) throws(CNIError) -> JSONValue {
        var value: JSONValue = .object(["cniVersion": .string(version.description)])
        if version.hasAddressList {
            if !interfaces.isEmpty { value["interfaces"] = .array(interfaces.map { $0.json(version: version) }) }
            if !addresses.isEmpty { value["ips"] = .array(addresses.map { $0.json(version: version) }) }
            if !routes.isEmpty { value["routes"] = .array(routes.map { $0.json(version: version) }) }
        } else {
            guard !addresses.isEmpty else { throw CNIError("cannot convert: no valid IP addresses") }
            for family in IPFamily.allCases {
                guard let address = addresses.first(where: { $0.address.address.family == family }) else { continue }
                value["ip\(family.rawValue)"] = legacyJSON(address, version: version)
            }
        }
        value["dns"] = dns.json
        return value
    }

    /// The single `ip4` or `ip6` object of a version before 0.3.0.
    private func legacyJSON(_ address: Address, version: CNIVersion) -> JSONValue {
        var value: JSONValue = .object(["ip": .string(address.address.description)])
        if let gateway = address.gateway { value["gateway"] = .string(gateway.description) }
        let own = routes.filter { $0.destination.family == address.address.address.family }
        if !own.isEmpty { value["routes"] = .array(own.map { $0.json(version: version) }) }
        return value
    }
}

extension CNIResult.Interface {
    func json(version: CNIVersion) -> JSONValue {
        var value: JSONValue = .object(["name": .string(name)])
        if let mac { value["mac"] = .string(mac) }
        if version >= CNIVersion(1, 1, 0) {
            if let mtu { value["mtu"] = .integer(Int64(mtu)) }
            if let socketPath { value["socketPath"] = .string(socketPath) }
            if let pciID { value["pciID"] = .string(pciID) }
        }
        if let sandbox { value["sandbox"] = .string(sandbox) }
        return value
    }
}

extension CNIResult.Address {
    func json(version: CNIVersion) -> JSONValue {
        var value: JSONValue = .object([:])
        if version.namesAddressFamily { value["version"] = .string("\(address.address.family.rawValue)") }
        if let interface { value["interface"] = .integer(Int64(interface)) }
        value["address"] = .string(address.description)
        if let gateway { value["gateway"] = .string(gateway.description) }
        return value
    }
}

extension CNIResult.Route {
    func json(version: CNIVersion) -> JSONValue {
        var value: JSONValue = .object(["dst": .string(destination.description)])
        if let gateway { value["gw"] = .string(gateway.description) }
        guard version >= CNIVersion(1, 1, 0) else { return value }
        let numbers = [
            ("mtu", mtu), ("advmss", advertisedMSS), ("priority", priority), ("table", table), ("scope", scope),
        ]
        for (key, number) in numbers {
            if let number { value[key] = .integer(Int64(number)) }
        }
        return value
    }
}

extension CNIResult.DNS {
    var json: JSONValue {
        var value: JSONValue = .object([:])
        if !nameservers.isEmpty { value["nameservers"] = .array(nameservers.map { .string($0) }) }
        if let domain, !domain.isEmpty { value["domain"] = .string(domain) }
        if !search.isEmpty { value["search"] = .array(search.map { .string($0) }) }
        if !options.isEmpty { value["options"] = .array(options.map { .string($0) }) }
        return value
    }
}
