import Addresses
import Foundation
import HummingbirdCore
import HummingbirdTLS
import KubernetesAPI
import Linux
public import Logging
import NIOCore
import NIOPosix
import NIOSSL
public import ServiceLifecycle

/// The API of a cluster: Kubernetes' REST conventions over HTTPS, with state in one directory.
public final class APIServer: ServiceLifecycle.Service {
    private let configuration: APIServerConfiguration
    private let logger: Logger
    private let lock: DirectoryLock
    private let store: Store
    private let upkeep: ClusterUpkeep
    private let pki: ClusterPKI
    private let tls: TLSConfiguration
    private let kubeconfig: String
    private let tokens: StaticTokens
    private let accountTokens: ServiceAccountTokens

    /// The port that is listened on, known once the server runs.
    private let listening = AsyncStream<Int>.makeStream()

    /// Takes the data directory, recovers the state and makes certificates; nothing listens yet.
    ///
    /// - Throws: `ConfigurationError` that says what is wrong with the directory or the configuration.
    public init(configuration: APIServerConfiguration, logger: Logger) async throws {
        self.configuration = configuration
        self.logger = logger
        try configuration.validate()
        tokens = try configuration.tokenAuthFile.map { try StaticTokens(path: $0) } ?? .none
        let directory = configuration.dataDirectory
        do {
            try FileSystem.makeDirectory(directory, mode: 0o700, intermediate: true)
        } catch {
            throw ConfigurationError(
                "cannot create the data directory \(directory): \(error); choose another --data-dir")
        }
        lock = try DirectoryLock(directory)
        pki = try ClusterPKI(dataDirectory: directory)
        let strategies = StrategyCatalog(
            serviceRanges: configuration.serviceClusterIPRanges, nodePorts: configuration.serviceNodePortRange,
            defaultFamilyPolicy: configuration.defaultIPFamilyPolicy.rawValue)
        store = try Store(
            path: directory + "/state.sqlite",
            definitions: ResourceRegistry.definitions { strategies[$0] }, logger: logger)
        let names = ServerNames(configuration)
        tls = try Self.tls(pki, pki.server(addresses: names.addresses, names: names.names))
        kubeconfig = try pki.administratorKubeconfig(serverURL: names.url)
        accountTokens = try pki.serviceAccountTokens(store)
        try await AccessBootstrap(store: store).run()
        let bootstrap = Bootstrap(store: store, configuration: configuration, logger: logger)
        try await bootstrap.run()
        upkeep = ClusterUpkeep(store: store, bootstrap: bootstrap, network: strategies.network, logger: logger)
    }

    /// Serves until it is told to stop.
    ///
    /// - Throws: `ConfigurationError` when the address or port cannot be used.
    public func run() async throws {
        defer { listening.continuation.finish() }
        let nodes = try NodeClient(authority: pki.authorityCertificate, credentials: try pki.nodeClient(), store)
        let revoked = RevokedCertificates(
            path: ClusterPKI.revokedCertificates(dataDirectory: configuration.dataDirectory), logger: logger)
        let handler = APIHandler(
            store: store, nodes: nodes, tokens: accountTokens,
            authenticator: Authenticator(tokens: tokens, accounts: accountTokens, revoked: revoked), logger: logger)
        let names = ServerNames(configuration)
        let served = ResourceRegistry.served(store.definitions).map(\.definition)
        let responder = APIResponder(
            handler: handler,
            discovery: DiscoveryDocuments(served, serverAddress: names.authority), openAPI: OpenAPIDocuments(served),
            issuer: IssuerDiscovery(accountTokens, serverURL: names.url))
        let limits = configuration.limits
        let limited = LimitedResponder(responder, limits)
        // Its notes on connections are of interest to nobody.
        var libraryLogger = logger
        libraryLogger.logLevel = max(logger.logLevel, .warning)
        let server = Server(
            childChannelSetup: try TLSChannel(
                ConnectionChannel(responder: limited.respond(to:_:), limits: limits), tlsConfiguration: tls),
            configuration: ServerConfiguration(
                address: .hostname(configuration.bindAddress, port: configuration.securePort), backlog: 1_024,
                availableConnectionsDelegate: .maximum(limits.maximumConnections, logger: libraryLogger)),
            onServerRunning: { [self] channel in
                let port = channel.localAddress?.port ?? configuration.securePort
                logger.info("serving", metadata: ["address": "\(configuration.bindAddress)", "port": "\(port)"])
                listening.continuation.yield(port)
            },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: libraryLogger)
        let expiry = ObjectExpiry(store, .events, seconds: configuration.eventTTL, logger: logger)
        let expiring = Task { await expiry?.run() }
        defer { expiring.cancel() }
        let reading = Task(priority: .background) { [store] in store.readMembers() }
        defer { reading.cancel() }
        // Whoever finds the server ready finds this, too.
        do {
            try FileSystem.writeFileAtomically(
                configuration.dataDirectory + "/admin.kubeconfig", Array(kubeconfig.utf8), mode: 0o600)
        } catch {
            logger.error("cannot write the administrator's kubeconfig", metadata: ["error": "\(error)"])
        }
        let result: Result<Void, any Error>
        do {
            async let _ = upkeep.run()
            result = .success(try await server.run())
        } catch let error as IOError {
            result = .failure(
                ConfigurationError(
                    "cannot listen on \(configuration.bindAddress) port \(configuration.securePort): "
                        + "\(Errno(rawValue: error.errnoCode)); "
                        + "stop what uses it, or choose another --secure-port or --bind-address"))
        } catch {
            result = .failure(error)
        }
        try await nodes.shutdown()
        try await store.close()
        try result.get()
    }

    /// Waits until the server listens; false when it ended before.
    public func waitUntilListening() async -> Bool {
        for await _ in listening.stream { return true }
        return false
    }

    private static func tls(_ pki: ClusterPKI, _ pair: KeyPair) throws -> TLSConfiguration {
        let authority = try NIOSSLCertificate.fromPEMBytes(Array(pki.authorityCertificate.utf8))
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(pair.certificate.utf8)).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(pair.privateKey.utf8), format: .pem)))
        tls.trustRoots = .certificates(authority)
        tls.certificateVerification = .optionalVerification
        tls.sendCANameList = true
        tls.minimumTLSVersion = .tlsv12
        tls.applicationProtocols = ["http/1.1"]
        return tls
    }
}

/// Under which addresses and names the server is reached.
struct ServerNames {
    /// Addresses.
    let addresses: [IPAddress]
    /// DNS names.
    let names: [String]
    /// Host and port for clients.
    let authority: String

    init(_ configuration: APIServerConfiguration) {
        let loopbacks: [IPAddress] = [.loopback(.ipv4), .loopback(.ipv6)]
        let services = configuration.serviceClusterIPRanges.compactMap { $0.address(at: 1) }
        let bound = IPAddress(configuration.bindAddress).map { $0.isUnspecified ? [] : [$0] } ?? []
        var addresses: [IPAddress] = []
        for address in loopbacks + bound + configuration.advertiseAddresses + services
        where !addresses.contains(address) {
            addresses.append(address)
        }
        self.addresses = addresses
        names = [
            "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
        ]
        let reached = configuration.advertiseAddresses.first ?? bound.first ?? .loopback(.ipv4)
        authority = "\(reached.uriHost):\(configuration.securePort)"
    }

    /// URL for clients.
    var url: String { "https://\(authority)" }
}
