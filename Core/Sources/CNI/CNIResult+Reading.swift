public import Addresses
public import JSON

extension CNIResult {
    /// Reads a result of any version; `version` is used where the value itself names none.
    ///
    /// Errors: code 6, naming the field.
    public init(json: JSONValue, version fallback: CNIVersion) throws(CNIError) {
        guard json.object != nil else { throw CNIResult.malformed("result", "an object") }
        let text = json["cniVersion"]?.string ?? ""
        guard let version = text.isEmpty ? fallback : CNIVersion(text), CNIVersion.supported.contains(version) else {
            throw CNIError(.decodingFailure, "unsupported CNI result version \"\(text)\"")
        }
        self.init()
        if version.hasAddressList {
            for value in try json.list("interfaces") { interfaces.append(try Interface(json: value)) }
            for value in try json.list("ips") { addresses.append(try Address(json: value)) }
            for value in try json.list("routes") { routes.append(try Route(json: value)) }
        } else {
            for key in ["ip4", "ip6"] {
                guard let value = json[key], !value.isNull else { continue }
                addresses.append(try Address(json: value, addressKey: "ip"))
                for route in try value.list("routes") { routes.append(try Route(json: route)) }
            }
        }
        dns = try DNS(json: json["dns"])
    }

    static func malformed(_ field: String, _ expected: String) -> CNIError {
        CNIError(.decodingFailure, "cannot read \"\(field)\": expected \(expected)")
    }
}

extension CNIResult.Interface {
    init(json: JSONValue) throws(CNIError) {
        guard let name = json["name"]?.string else {
            throw CNIResult.malformed("interfaces.name", "a string")
        }
        self.init(
            name: name, mac: json["mac"]?.string, mtu: json["mtu"]?.int, sandbox: json["sandbox"]?.string)
        socketPath = json["socketPath"]?.string
        pciID = json["pciID"]?.string
    }
}

extension CNIResult.Address {
    init(json: JSONValue, addressKey: String = "address") throws(CNIError) {
        guard let text = json[addressKey]?.string, let address = InterfaceAddress(text) else {
            throw CNIError(.decodingFailure, "invalid CIDR address: \(json[addressKey]?.string ?? "")")
        }
        self.init(address, gateway: try json.ipAddress("gateway"), interface: json["interface"]?.int)
    }
}

extension CNIResult.Route {
    /// Reads a route as results and IPAM configurations spell it.
    public init(json: JSONValue) throws(CNIError) {
        guard let text = json["dst"]?.string, let destination = IPPrefix(masking: text) else {
            throw CNIError(.decodingFailure, "invalid CIDR address: \(json["dst"]?.string ?? "")")
        }
        self.init(destination, gateway: try json.ipAddress("gw"))
        mtu = json["mtu"]?.int
        advertisedMSS = json["advmss"]?.int
        priority = json["priority"]?.int
        table = json["table"]?.int
        scope = json["scope"]?.int
    }
}

extension CNIResult.DNS {
    /// Reads resolver settings; an absent or null value gives empty ones.
    public init(json: JSONValue?) throws(CNIError) {
        self.init()
        guard let json, !json.isNull else { return }
        guard json.object != nil else { throw CNIResult.malformed("dns", "an object") }
        nameservers = try json.strings("nameservers")
        domain = json["domain"]?.string
        search = try json.strings("search")
        options = try json.strings("options")
    }
}

extension JSONValue {
    /// The array under a key; absent and null count as empty.
    public func list(_ key: String) throws(CNIError) -> [JSONValue] {
        guard let value = self[key], !value.isNull else { return [] }
        guard let array = value.array else { throw CNIResult.malformed(key, "an array") }
        return array
    }

    /// The array of strings under a key; absent and null count as empty.
    public func strings(_ key: String) throws(CNIError) -> [String] {
        var strings: [String] = []
        for value in try list(key) {
            guard let string = value.string else { throw CNIResult.malformed(key, "an array of strings") }
            strings.append(string)
        }
        return strings
    }

    /// The address under a key; absent, null and empty count as none.
    public func ipAddress(_ key: String) throws(CNIError) -> IPAddress? {
        guard let value = self[key], !value.isNull, value.string != "" else { return nil }
        guard let text = value.string, let address = IPAddress(text) else {
            throw CNIError(.decodingFailure, "invalid IP address: \(value.string ?? value.text())")
        }
        return address.unmapped
    }
}
