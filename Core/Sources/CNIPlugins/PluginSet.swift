public import CNI
import HostLocalIPAM

/// The plugins of the binary, by the name under which a runtime executes each.
public enum PluginSet {
    /// The names of all of them.
    public static let names = ["bandwidth", "bridge", "firewall", "host-local", "loopback", "portmap", "ptp", "tuning"]

    /// The plugin of a name; nil when there is none.
    ///
    /// A process is one plugin, so that no other is made.
    public static func plugin(named name: String) -> (any CNIPlugin)? {
        switch name {
        case "bandwidth": BandwidthPlugin()
        case "bridge": BridgePlugin()
        case "firewall": FirewallPlugin()
        case "host-local": HostLocalPlugin()
        case "loopback": LoopbackPlugin()
        case "portmap": PortMapPlugin()
        case "ptp": PointToPointPlugin()
        case "tuning": TuningPlugin()
        default: nil
        }
    }
}
