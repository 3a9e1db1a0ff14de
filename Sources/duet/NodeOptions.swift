import ArgumentParser

/// Options that `duet node` and `duet agent` share.
struct NodeOptions: ParsableArguments {
    @Option(help: "Path of the kubeconfig to reach the API server with.")
    var kubeconfig: String

    @Option(help: "Name of the node.")
    var nodeName: String

    @Option(help: "Directory of CNI configurations.")
    var cniConfDir = "/etc/cni/net.d"

    @Option(help: "Directory of CNI plugins.")
    var cniBinDir = "/opt/cni/bin"
}
