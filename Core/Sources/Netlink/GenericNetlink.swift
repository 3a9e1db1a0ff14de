internal import CLinux
internal import Linux

/// Requests to subsystems that are found by name (generic netlink, linux/genetlink.h).
public enum GenericNetlink {
    /// The size in bytes of the header before a message's attributes.
    public static let headerSize = 4

    /// Builds a request.
    ///
    /// - Parameters:
    ///   - family: the number that `genericFamily(named:)` found.
    ///   - version: the version of the subsystem's commands.
    public static func request(
        family: UInt16, command: UInt8, version: UInt8, _ attributes: (inout NetlinkWriter) -> Void
    ) -> NetlinkRequest {
        var payload = NetlinkWriter()
        payload.append(command)
        payload.append(version)
        payload.append(UInt16(0))
        attributes(&payload)
        return NetlinkRequest(type: family, payload: payload)
    }
}

extension NetlinkSocket {
    /// The number of a subsystem; `nil` when the kernel has none of that name.
    public mutating func genericFamily(named name: String) throws(NetlinkError) -> UInt16? {
        let request = GenericNetlink.request(
            family: UInt16(NLMSG_MIN_TYPE), command: UInt8(CTRL_CMD_GETFAMILY), version: 2
        ) { $0.attribute(Int(CTRL_ATTR_FAMILY_NAME), string: name) }
        do throws(NetlinkError) {
            return try execute(request, "find the kernel's \(name)").lazy.compactMap { reply in
                reply.attributes(after: GenericNetlink.headerSize)[Int(CTRL_ATTR_FAMILY_ID)]?.integer()
            }.first
        } catch {
            guard error.errno == .noEntry else { throw error }
            return nil
        }
    }
}
