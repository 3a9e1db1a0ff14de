import CNI
import JSON
import Linux
import RouteNetlink

/// The file that keeps the former attributes of an interface until DEL, in the reference plugin's form, with the network
/// beside them, by which GC knows its own.
struct AttributeBackup {
    private let directory: String
    private let path: String
    private let network: String

    /// Names the file of an attachment.
    init(_ request: CNIRequest) {
        directory = TuningConfiguration.dataDirectory(request.configuration)
        path = "\(directory)/\(Self.name(request.attachment))"
        network = request.network
    }

    private static func name(_ attachment: NetworkConfiguration.Attachment) -> String {
        "\(attachment.containerID)_\(attachment.interfaceName).json"
    }

    /// Writes the file.
    func save(_ attributes: InterfaceAttributes) throws(SystemError) {
        try FileSystem.makeDirectory(directory, mode: 0o600)
        var json = Self.json(attributes)
        json["network"] = .string(network)
        try FileSystem.writeFileAtomically(path, Array(json.text(pretty: true).utf8), mode: 0o600)
    }

    /// Reads the file; nil when there is none or it says nothing.
    func load() -> InterfaceAttributes? {
        guard let bytes = try? FileSystem.readFile(path), let json = try? JSONValue(parsing: bytes) else { return nil }
        return Self.attributes(json)
    }

    /// Removes the file; none is no error.
    func remove() throws(SystemError) {
        try FileSystem.removeTree(path)
    }

    /// Removes the files of a request's network that belong to none of its valid attachments.
    ///
    /// Those that the reference plugin wrote do not tell their network, and stay.
    static func collectGarbage(_ request: CNIRequest) throws {
        let directory = TuningConfiguration.dataDirectory(request.configuration)
        guard FileSystem.exists(directory) else { return }
        let valid = Set(try request.configuration.validAttachments().map(name))
        for file in try FileSystem.list(directory) where file.hasSuffix(".json") && !valid.contains(file) {
            let path = "\(directory)/\(file)"
            guard let bytes = try? FileSystem.readFile(path), let json = try? JSONValue(parsing: bytes),
                json["network"]?.string == request.network
            else { continue }
            try FileSystem.removeTree(path)
        }
    }

    private static func json(_ attributes: InterfaceAttributes) -> JSONValue {
        var value: JSONValue = .object([:])
        if let mac = attributes.mac { value["mac"] = .string(mac.description) }
        if let flag = attributes.isPromiscuous { value["promisc"] = .bool(flag) }
        if let mtu = attributes.mtu { value["mtu"] = .integer(Int64(mtu)) }
        if let flag = attributes.takesAllMulticast { value["allmulti"] = .bool(flag) }
        if let length = attributes.queueLength { value["txQLen"] = .integer(Int64(length)) }
        return value
    }

    private static func attributes(_ json: JSONValue) -> InterfaceAttributes {
        var attributes = InterfaceAttributes()
        attributes.mac = (json["mac"]?.string).flatMap { MACAddress($0) }
        attributes.isPromiscuous = json["promisc"]?.bool
        attributes.mtu = json["mtu"]?.int
        attributes.takesAllMulticast = json["allmulti"]?.bool
        attributes.queueLength = json["txQLen"]?.int
        return attributes
    }
}
