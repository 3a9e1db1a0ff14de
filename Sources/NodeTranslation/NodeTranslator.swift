internal import Addresses
internal import Foundation
internal import KubernetesAPI
package import Logging
internal import PodRouting
package import RouteNetlink

/// Keeps translators, pods' links and rules of this node what the objects of the cluster call for.
package actor NodeTranslator {
    /// What must be known before anything is given out or taken back.
    package enum Source: Hashable, Sendable, CaseIterable {
        case pods, namespaces, nodes, networks, serviceRanges, services
    }

    private let options: NodeTranslationOptions
    private let logger: Logger
    private let metrics: NodeTranslationMetrics
    private var plan: TranslationPlan
    private var table: TranslationTableReconciler
    private var links: PodLinks
    private var inside = PodCLAT()
    /// The pods that have got a CLAT, and those among them that have to lose it.
    private var clatPods: Set<IPv6Address> = []
    /// The host's ends of the links of pods with a CLAT.
    private var clatLinks: [IPv6Address: Link] = [:]
    private var content = TranslationTable.Content()
    private var userspace: UserspaceTranslator?
    private var kernel: KernelTranslator?
    private var owned: [IPv4Address] = []
    private var exit = TranslationExit.own
    private var reportedAnnotation: String?
    private var reportedAbsent: Set<IPv4Address> = []
    private var unknown = Set(Source.allCases)
    private var hasStarted = false
    private var reported: Set<String> = []
    private var reportedUnserved: Set<ObjectKey> = []
    /// Whether the last attempt left something undone.
    package private(set) var needsRetry = false

    /// Works in the network namespace of the calling thread.
    package init(
        options: NodeTranslationOptions, nodeName: String, metrics: NodeTranslationMetrics, logger: Logger
    ) throws {
        self.options = options
        self.logger = logger
        self.metrics = metrics
        plan = TranslationPlan(options: options, nodeName: nodeName)
        table = try TranslationTableReconciler(ranges: options.ranges)
        links = try PodLinks(range: options.podRange)
    }

    // MARK: Objects

    /// Takes changes of objects; nothing is done before `flush`.
    package func note(_ change: @Sendable (inout TranslationPlan) -> Void) { change(&plan) }

    /// All objects of a kind are known, or there is no such kind.
    package func synced(_ source: Source) { unknown.remove(source) }

    /// Does what the objects call for since the last call.
    package func flush() {
        guard unknown.isEmpty else { return }
        guard hasStarted else { return start() }
        attempt("follow pods") { try apply() }
    }

    private func start() {
        attempt("adopt what an earlier agent left") {
            let owners = try table.adopted()
            clatPods = Set(owners.values.filter { $0.purpose == .clat }.map(\.pod))
            plan.adopt(owners)
            // What the pods that are there have stays theirs.
            _ = plan.update()
            plan.releaseAdopted()
            // Nothing else knows of those to the addresses of another range.
            try links.removeRoutes(to: owners.keys.filter { !options.podRange.contains(.v4($0)) })
            hasStarted = true
        }
        if hasStarted { audit() }
    }

    /// - Complexity: that of what has changed.
    private func apply() throws {
        let changes = plan.update()
        if plan.exit != exit { try applyExit() }
        for (old, new) in changes { try note(new, from: old) }
        noteSenders()
        content.setDestinations(plan.destinations())
        try table.apply(&content)
        reportUnserved()
        guard !changes.isEmpty else { return }
        userspace?.change(changes)
        for (old, new) in changes {
            if let old, let new {
                try change(new, from: old)
            } else if let old {
                try links.remove(old)
                try kernel?.remove(old.ipv6)
                inside.forget(old.ipv6)
                clatPods.remove(old.ipv6)
            } else if let new {
                try change(new, from: nil)
            }
        }
        metrics.note(translated: plan.translatedCount, clat: plan.clatCount)
    }

    /// Takes a pod's change into what the table has to hold.
    private func note(_ new: TranslatedPod?, from old: TranslatedPod?) throws {
        guard let pod = new ?? old else { return }
        let formerLink = clatLinks[pod.ipv6]
        clatLinks[pod.ipv6] = new?.clat == nil ? nil : try links.link(of: pod.ipv6)
        content.replace(old, by: new, link: clatLinks[pod.ipv6]?.index, formerLink: formerLink?.index)
        for address in old?.privateAddresses ?? []
        where content.translated[address] == nil && content.clat[address] == nil {
            content.setEgress(address, nil)
        }
        for address in new?.privateAddresses ?? [] { content.setEgress(address, egress(of: address)) }
    }

    /// Takes nodes that came and went into what the table has to hold.
    private func noteSenders() {
        let (gone, new) = plan.updateSenders()
        for address in gone { content.setEgress(address, nil) }
        for address in new { content.setEgress(address, egress(of: address)) }
    }

    private func change(_ pod: TranslatedPod, from old: TranslatedPod?) throws {
        if pod.isNode {
            try applyNodeSource()
        } else if let address = pod.translated {
            try kernel?.set(address, for: pod.ipv6)
        } else {
            try kernel?.remove(pod.ipv6)
        }
        try links.apply(pod, former: old, kernel)
        if pod.clat != nil || clatPods.contains(pod.ipv6) { try applyCLAT(pod.ipv6, pod.clat) }
        logger.debug("translating for a pod", metadata: ["pod": "\(pod.key)", "address": "\(pod.privateAddresses)"])
    }

    /// Lets the node's own packets to the prefix carry the address that the translator knows the node by.
    private func applyNodeSource() throws {
        guard let link = userspace?.link else { return }
        try links.keepSource(plan.ownAddress, ofRouteTo: options.prefix.prefix, through: link)
    }

    /// Gives a pod its CLAT, or takes it away where `address` is nil.
    private func applyCLAT(_ pod: IPv6Address, _ address: IPv4Address?) throws {
        // Where the pod is gone it has taken its CLAT with it.
        if let link = try links.link(of: pod), try inside.apply(address != nil, to: pod, behind: link) {
            logger.info(
                "the CLAT of a pod is set",
                metadata: ["pod": "\(pod)", "address": "\(address.map { "\($0)" } ?? "none")"])
        }
        if address == nil { clatPods.remove(pod) } else { clatPods.insert(pod) }
    }

    /// What the table has to hold, from the beginning.
    private func wantedContent() -> TranslationTable.Content {
        var content = TranslationTable.Content()
        for pod in plan.pods.values { content.replace(nil, by: pod, link: clatLinks[pod.ipv6]?.index) }
        content.setDestinations(plan.destinations())
        _ = plan.updateSenders()
        for address in [content.translated, content.clat].flatMap(\.keys) + plan.senderAddresses {
            content.setEgress(address, egress(of: address))
        }
        return content
    }

    /// By which address packets of another one leave: always the same as long as there are the same ones; nil for the link's.
    private func egress(of address: IPv4Address) -> IPv4Address? {
        switch exit {
        case .own: TranslationExit.choose(owned, for: address)
        case .gateway(let egress): TranslationExit.choose(egress.isEmpty ? owned : egress, for: address)
        case .sender(let own, _): own
        }
    }

    /// Lets packets leave by whom the nodes call for.
    private func applyExit() throws {
        let wanted = plan.exit
        // What lies in the gateway's table means nothing before a rule leads there, and the reverse would lead nowhere.
        if try links.keepGatewayRules(wanted.sender != nil) || wanted != exit {
            switch wanted {
            case .own: logger.notice("translated packets leave by this node")
            case .gateway(let egress):
                logger.notice(
                    "translated packets of other nodes leave by this one",
                    metadata: ["addresses": "\(egress.isEmpty ? "the link's, or of --nat64-egress" : "\(egress)")"])
            case .sender(let address, let gateway):
                logger.notice(
                    "translated packets leave by a gateway", metadata: ["node": "\(gateway)", "as": "\(address)"])
            }
        }
        exit = wanted
        metrics.note(wanted)
        for address in [content.translated, content.clat].flatMap(\.keys) + plan.senderAddresses {
            content.setEgress(address, egress(of: address))
        }
    }

    // MARK: The kernel

    /// Takes note of what changed in the kernel, nil when anything may have; repairs what that spoilt.
    ///
    /// - Returns: whether it had to be looked at.
    package func changed(_ changes: [RouteChange]?) -> Bool {
        guard hasStarted else { return false }
        if let changes {
            guard changes.contains(where: isAffected) else { return false }
        }
        audit()
        return true
    }

    private func isAffected(by change: RouteChange) -> Bool {
        switch change.object {
        case .link(let link): return link.name == UserspaceTranslator.deviceName && change.port == 0
        case .address(let entry): return options.egress.contains { $0.contains(entry.address.address) }
        case .route(let route):
            guard change.port != links.port else { return false }
            if case .v6(let pod) = route.destination.address, route.destination.length == 128 {
                return !change.isRemoval && plan.pods[pod] != nil
            }
            return options.podRange.contains(route.destination) || route.destination == options.prefix.prefix
        case .neighbour, .forwarding, .packetForwarding: return false
        }
    }

    /// Compares everything with the kernel and repairs what differs.
    package func audit() {
        guard hasStarted else { return }
        needsRetry = false
        attempt("start translating") { try ensureTranslators() }
        attempt("look up the node's addresses") { owned = try links.ownAddresses(in: options.egress) }
        attempt("lead packets to their gateway") { try applyExit() }
        reportGateway()
        attempt("set up rules") {
            _ = plan.update()
            clatLinks = [:]
            for pod in plan.pods.values where pod.clat != nil { clatLinks[pod.ipv6] = try links.link(of: pod.ipv6) }
            content = wantedContent()
            if try table.audit(&content) { logger.info("the rules of translation are set up") }
        }
        attempt("set up pods' links") {
            let pods = Array(plan.pods.values)
            let translated = Dictionary(
                uniqueKeysWithValues: pods.filter { !$0.isNode }.compactMap { pod in
                    pod.translated.map { (pod.ipv6, $0) }
                })
            var changes = try userspace?.repair() ?? []
            // A change that failed halfway has not come to the device.
            if let userspace, userspace.audit(plan.pods.compactMapValues(\.translated)) {
                changes.append("the device's pods")
            }
            if let kernel, try kernel.audit(translated) { changes.append("the programs' pods") }
            changes += try links.audit(pods, kernel)
            try applyNodeSource()
            if !changes.isEmpty {
                logger.info("translation is set up", metadata: ["changes": "\(changes.joined(separator: ", "))"])
            }
        }
        let wanted = plan.pods.compactMapValues(\.clat)
        for pod in clatPods.union(wanted.keys) {
            attempt("set up the CLAT of pod \(pod)") { try applyCLAT(pod, wanted[pod]) }
        }
        reportUnserved()
        metrics.note(translated: plan.translatedCount, clat: plan.clatCount)
    }

    private func ensureTranslators() throws {
        if let error = userspace?.error {
            logger.error("the translator in userspace has ended, and is started anew", metadata: ["error": "\(error)"])
            (userspace, kernel) = (nil, nil)
            metrics.note(nil, nil)
        }
        guard userspace == nil else { return }
        let started = try UserspaceTranslator(
            options, own: plan.addresses.own, processors: ProcessInfo.processInfo.activeProcessorCount)
        switch options.path {
        case .userspace: kernel = nil
        case .kernel: kernel = try KernelTranslator(options, slowLink: started.link)
        case .auto:
            do {
                kernel = try KernelTranslator(options, slowLink: started.link)
            } catch {
                kernel = nil
                logger.warning(
                    "the kernel cannot translate: userspace does all", metadata: ["reason": "\(error)"])
            }
        }
        if kernel == nil { try KernelTranslator.removeMaps() }
        started.change(plan.pods.values.map { (nil, $0) })
        userspace = started
        metrics.note(started, kernel)
        logger.notice(
            "translating for pods with IPv6 alone",
            metadata: [
                "prefix": "\(options.prefix.prefix)", "path": "\(kernel == nil ? "userspace" : "kernel")",
                "addresses": "\(options.podRange)",
            ])
    }

    // MARK: Reports

    private func reportUnserved() {
        for key in plan.unserved.subtracting(reportedUnserved) {
            logger.error(
                "a pod has no private IPv4 address and reaches no IPv4: all are taken; enlarge --nat64-pod-range",
                metadata: ["pod": "\(key)", "range": "\(options.podRange)"])
        }
        reportedUnserved = plan.unserved
    }

    private func reportGateway() {
        if let text = plan.unreadableGateway, text != reportedAnnotation {
            logger.error(
                "this node is no gateway: its annotation is neither \"enabled\" nor IPv4 addresses separated by commas",
                metadata: ["annotation": "\(TranslationGateway.annotation)", "value": "\(text)"])
        }
        reportedAnnotation = plan.unreadableGateway
        guard case .gateway(let egress) = exit else { return }
        attempt("look for the addresses of the annotation on this gateway") {
            let absent = Set(egress).subtracting(try links.ownAddresses())
            for address in absent.subtracting(reportedAbsent).sorted() {
                logger.warning(
                    "an address of the annotation is on no link of this gateway: answers come only if the network routes it here",
                    metadata: ["address": "\(address)", "annotation": "\(TranslationGateway.annotation)"])
            }
            reportedAbsent = absent
        }
    }

    /// Performs a step; when it fails, says why once and lets it be tried again.
    private func attempt(_ step: String, _ body: () throws -> Void) {
        do {
            try body()
            reported = reported.filter { !$0.hasPrefix("\(step):") }
        } catch {
            needsRetry = true
            guard reported.insert("\(step): \(error)").inserted else { return }
            logger.error("cannot \(step); trying again", metadata: ["error": "\(error)"])
        }
    }
}
