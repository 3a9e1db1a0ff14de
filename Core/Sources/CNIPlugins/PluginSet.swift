public import CNI
import HostLocalIPAM

/// The plugins of the binary, by the name under which a runtime executes each.
public enum PluginSet {
    /// All of them.
    public static let all: [any CNIPlugin] = [
        BandwidthPlugin(), BridgePlugin(), FirewallPlugin(), HostLocalPlugin(), LoopbackPlugin(), PointToPointPlugin(),
        PortMapPlugin(),
        TuningPlugin(),
    ]

    /// The plugin of a name; nil when there is none.
    public static func plugin(named name: String) -> (any CNIPlugin)? { all.first { $0.name == name } }
}
