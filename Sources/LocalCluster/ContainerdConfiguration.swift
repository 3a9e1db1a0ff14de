/// The configuration of one node's containerd, as its TOML file.
struct ContainerdConfiguration: Hashable, Sendable {
    /// Directory of images and snapshots; survives a restart.
    var root: String
    /// Directory of running state.
    var state: String
    /// Path of the gRPC socket.
    var socket: String
    /// Directory of CNI plugin binaries.
    var cniBinDirectory: String
    /// Directory of CNI configurations.
    var cniConfDirectory: String
    /// Image of pod sandboxes.
    var sandboxImage: String
    /// Whether to leave OOM scores alone that only CAP_SYS_RESOURCE may lower.
    var restrictsOOMScoreAdjustment: Bool

    /// The file's text, in version 2 of containerd's format.
    var text: String {
        """
        version = 2
        root = "\(root)"
        state = "\(state)"
        disabled_plugins = [
          "io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
          "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
          "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing",
        ]

        [grpc]
          address = "\(socket)"

        [ttrpc]
          address = "\(socket).ttrpc"

        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = "\(sandboxImage)"
          disable_tcp_service = true
          stream_server_address = "127.0.0.1"
          stream_server_port = "0"
          max_container_log_line_size = 16384
          disable_apparmor = true
          disable_hugetlb_controller = true
          tolerate_missing_hugetlb_controller = true
          restrict_oom_score_adj = \(restrictsOOMScoreAdjustment)

        [plugins."io.containerd.grpc.v1.cri".containerd]
          snapshotter = "overlayfs"
          default_runtime_name = "runc"

        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
          runtime_type = "io.containerd.runc.v2"

        [plugins."io.containerd.grpc.v1.cri".cni]
          bin_dir = "\(cniBinDirectory)"
          conf_dir = "\(cniConfDirectory)"

        """
    }
}
