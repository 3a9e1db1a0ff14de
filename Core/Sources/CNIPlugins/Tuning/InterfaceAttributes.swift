import CNI
import JSON
import Linux
import Netlink
import RouteNetlink

/// Attributes of an interface; nil stands for one that is left as it is.
struct InterfaceAttributes: Hashable {
    /// The link-layer address.
    var mac: MACAddress?
    /// Whether it takes frames for all stations.
    var isPromiscuous: Bool?
    /// The largest packet in bytes.
    var mtu: Int?
    /// Whether it takes frames for all groups.
    var takesAllMulticast: Bool?
    /// How many packets may wait to be sent.
    var queueLength: Int?

    /// The attributes of a link, those of them that `selection` has.
    init(of link: Link, where selection: InterfaceAttributes) {
        mac = selection.mac.flatMap { _ in link.mac }
        isPromiscuous = selection.isPromiscuous.map { _ in link.flags.contains(.promiscuous) }
        mtu = selection.mtu.map { _ in link.mtu }
        takesAllMulticast = selection.takesAllMulticast.map { _ in link.flags.contains(.allMulticast) }
        queueLength = selection.queueLength.map { _ in link.queueLength }
    }

    /// No attribute.
    init() {}

    /// Whether nothing is to be changed.
    var isEmpty: Bool { self == InterfaceAttributes() }

    /// Changes a link; the first failure ends it.
    func apply(to index: Int32, _ routes: inout RouteSocket) throws(NetlinkError) {
        if let mac { try routes.setMAC(index, mac) }
        if let isPromiscuous { try routes.setPromiscuous(index, isPromiscuous) }
        if let mtu { try routes.setMTU(index, mtu) }
        if let takesAllMulticast { try routes.setAllMulticast(index, takesAllMulticast) }
        if let queueLength { try routes.setQueueLength(index, queueLength) }
    }

    /// Verifies that a link has them; one that is promiscuous unasked is an error too.
    func verify(_ link: Link) throws(CNIError) {
        let name = link.name
        if let mac, mac != link.mac {
            throw CNIError(
                "Error: Tuning configured Ethernet of \(name) is \(mac), current value is \(link.mac?.description ?? "")"
            )
        }
        let present = link.flags.contains(.promiscuous)
        guard (isPromiscuous ?? false) == present else {
            throw CNIError(
                "Error: Tuning link \(name) configured promisc is \(!present), current value is \(present ? 1 : 0)")
        }
        if let mtu, mtu != link.mtu {
            throw CNIError("Error: Tuning configured MTU of \(name) is \(mtu), current value is \(link.mtu)")
        }
        if let takesAllMulticast, takesAllMulticast != link.flags.contains(.allMulticast) {
            throw CNIError(
                "Error: Tuning configured all-multicast mode of \(name) is \(takesAllMulticast), "
                    + "current value is \(!takesAllMulticast)")
        }
        if let queueLength, queueLength != link.queueLength {
            throw CNIError(
                "Error: Tuning configured Transmit Queue Length of \(name) is \(queueLength), "
                    + "current value is \(link.queueLength)")
        }
    }
}

/// The file that keeps the former attributes of an interface until DEL, in the reference plugin's form.
struct AttributeBackup {
    private let directory: String
    private let path: String

    /// Names the file of an attachment.
    init(_ directory: String, _ request: CNIRequest) {
        self.directory = directory
        path = "\(directory)/\(request.containerID)_\(request.interfaceName).json"
    }

    /// Writes the file.
    func save(_ attributes: InterfaceAttributes) throws(SystemError) {
        try FileSystem.makeDirectory(directory, mode: 0o600)
        try FileSystem.writeFileAtomically(path, Array(Self.json(attributes).text(pretty: true).utf8), mode: 0o600)
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

    static func json(_ attributes: InterfaceAttributes) -> JSONValue {
        var value: JSONValue = .object([:])
        if let mac = attributes.mac { value["mac"] = .string(mac.description) }
        if let flag = attributes.isPromiscuous { value["promisc"] = .bool(flag) }
        if let mtu = attributes.mtu { value["mtu"] = .integer(Int64(mtu)) }
        if let flag = attributes.takesAllMulticast { value["allmulti"] = .bool(flag) }
        if let length = attributes.queueLength { value["txQLen"] = .integer(Int64(length)) }
        return value
    }

    static func attributes(_ json: JSONValue) -> InterfaceAttributes {
        var attributes = InterfaceAttributes()
        attributes.mac = (json["mac"]?.string).flatMap { MACAddress($0) }
        attributes.isPromiscuous = json["promisc"]?.bool
        attributes.mtu = json["mtu"]?.int
        attributes.takesAllMulticast = json["allmulti"]?.bool
        attributes.queueLength = json["txQLen"]?.int
        return attributes
    }
}
