import CNI
import JSON
import RouteNetlink

/// The configuration of `tuning`: kernel parameters and attributes of the interface in the container.
struct TuningConfiguration {
    /// The attributes to change.
    let attributes: InterfaceAttributes
    /// The kernel parameters to set, in order.
    let parameters: [NetworkParameter]

    /// Where the former attributes are kept until DEL, by a configuration that may be wrong in every other respect.
    static func dataDirectory(_ configuration: NetworkConfiguration) -> String {
        let directory = configuration.json["dataDir"]?.string ?? ""
        return directory.isEmpty ? "/run/cni/tuning" : directory
    }

    /// Reads the configuration; what `args.cni` says goes before the runtime, which goes before `CNI_ARGS`.
    init(_ request: CNIRequest) throws(CNIError) {
        let json = request.configuration.json
        _ = try json.word("dataDir")
        let sources = [json, request.configuration.conventionArguments].compactMap { $0 }

        var attributes = InterfaceAttributes()
        var words: [(key: String, value: String)] = []
        for source in sources {
            if let flag = try source.optionalFlag("promisc") { attributes.isPromiscuous = flag }
            if let flag = try source.optionalFlag("allmulti") { attributes.takesAllMulticast = flag }
            if source["mtu"] != nil { attributes.mtu = try source.number("mtu") }
            if source["txQLen"] != nil { attributes.queueLength = try source.number("txQLen") }
            guard let parameters = source["sysctl"], !parameters.isNull else { continue }
            guard let members = parameters.object else { throw .malformedParameters }
            for (key, value) in members {
                guard let text = value.string else { throw .malformedParameters }
                words.removeAll { $0.key == key }
                words.append((key, text))
            }
        }
        // Promiscuous mode can be asked for, but not be asked to end; an MTU of zero says nothing.
        if attributes.isPromiscuous == false { attributes.isPromiscuous = nil }
        if attributes.mtu == 0 { attributes.mtu = nil }
        attributes.mac = try Self.mac(request)
        self.attributes = attributes

        var parameters: [NetworkParameter] = []
        for (key, value) in words {
            let parameter = try NetworkParameter(key, value, interface: request.interfaceName)
            guard !parameters.contains(where: { $0.path == parameter.path }) else {
                throw CNIError("duplicated sysctl keys are not allowed")
            }
            parameters.append(parameter)
        }
        self.parameters = parameters
    }

    private static func mac(_ request: CNIRequest) throws(CNIError) -> MACAddress? {
        let configuration = request.configuration
        var text = try configuration.json.word("mac")
        let argument = try CNIArguments(request.arguments, known: ["MAC"])["MAC"] ?? ""
        if !argument.isEmpty { text = argument }
        for source in [configuration.runtime, configuration.conventionArguments] {
            if let word = try source?.word("mac"), !word.isEmpty { text = word }
        }
        guard !text.isEmpty else { return nil }
        guard let mac = MACAddress(text) else {
            throw CNIError("invalid args \(text) for MAC addr: address \(text): invalid MAC address")
        }
        return mac
    }
}

extension CNIError {
    /// The error for a `sysctl` that is no object of texts.
    fileprivate static let malformedParameters = CNIError(
        .decodingFailure, "cannot read \"sysctl\": expected an object of strings")
}

extension JSONValue {
    /// The boolean under a key; nil when it is absent or null.
    fileprivate func optionalFlag(_ key: String) throws(CNIError) -> Bool? {
        guard let value = self[key], !value.isNull else { return nil }
        return try flag(key)
    }
}
