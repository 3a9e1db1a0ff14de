import CNI
import HostLocalIPAM

/// The plugin that a configuration's `ipam` delegates to: within this process for our own, by execution for others.
enum AddressManagement {
    private static let own = HostLocalPlugin()

    /// Asks for addresses; at least one comes back.
    static func add(_ request: CNIRequest) throws -> CNIResult {
        let type = request.configuration.ipamType
        let result = try type == own.name ? own.add(request) : PluginExecutor.run(type, request)
        guard let result, !result.addresses.isEmpty else {
            throw CNIError("IPAM plugin returned missing IP config")
        }
        return result
    }

    /// Passes on any command but ADD.
    static func forward(_ request: CNIRequest) throws {
        guard request.configuration.ipamType == own.name else {
            try PluginExecutor.run(request.configuration.ipamType, request)
            return
        }
        switch request.command {
        case .delete: try own.delete(request)
        case .check: try own.check(request)
        case .collectGarbage: try own.collectGarbage(request)
        case .status: try own.status(request)
        case .add, .version: break
        }
    }

    /// Gives back what `add` got, after a failure; its own failure must not hide the first one.
    static func undo(_ request: CNIRequest) {
        try? forward(request.with(command: .delete))
    }
}
