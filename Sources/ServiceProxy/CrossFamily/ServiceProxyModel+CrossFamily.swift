package import Addresses

extension ServiceProxyModel {
    /// Whether any Service is to reach endpoints of the other family.
    package var wantsTranslation: Bool { !crossFamilyServices.isEmpty }

    /// Whether a Service reaches endpoints of the other family where it can.
    func isCrossFamily(_ service: ProxiedService) -> Bool {
        options.crossFamily.map { service.wantsTranslation ?? $0.includesAll } ?? false
    }

    /// The addresses by which this node translates; nil when it does not.
    package var translationAddresses: TranslationAddresses? {
        options.crossFamily.flatMap {
            // The Node's own block stays as long as the node; others come and go.
            TranslationAddresses($0, podBlocks: node.podPrefixes.sorted() + furtherPods.sorted())
        }
    }

    /// Takes whether there is a translator: without one endpoints of the other family are none.
    package mutating func set(isTranslating: Bool) {
        guard isTranslating != self.isTranslating else { return }
        self.isTranslating = isTranslating
        dirty.formUnion(crossFamilyServices)
    }

    /// The endpoint of the other family behind each address that stands for one; before the first flush those that the
    /// kernel had.
    package var translations: [IPAddress: IPAddress] { standIns.endpoints }

    /// A Service as it is served: one without a cluster address of this family has in its place what stands for the one of
    /// the other; nil while nothing does.
    package func served(_ name: ServiceName) -> ProxiedService? {
        guard var service = services[name], service.clusterIP.family != family else { return services[name] }
        guard isTranslating, let standIn = standIns.standIn(of: service.clusterIP) else { return nil }
        service.clusterIP = standIn
        return service
    }

    /// Finds the endpoints of the other family that a Service has beyond its own, under the addresses that stand for them.
    ///
    /// A pod that has an endpoint of this family needs none of the other; and of endpoints that name no pod those of this
    /// family are enough, where there are any.
    mutating func translate(_ name: ServiceName, seeing other: ServiceProxyModel?) {
        var held: Set<IPAddress> = []
        var slices: [ProxiedSlice] = []
        lacking.remove(name)
        if isTranslating, let addresses = translationAddresses, let other, crossFamilyServices.contains(name) {
            let own = ownSlices(of: name).flatMap(\.endpoints)
            let pods = Set(own.compactMap(\.pod))
            let scheme = addresses.scheme(family)
            for slice in other.ownSlices(of: name) {
                var endpoints: [ProxiedSlice.Endpoint] = []
                for endpoint in slice.endpoints {
                    guard endpoint.pod.map({ !pods.contains($0) }) ?? own.isEmpty else { continue }
                    guard let standIn = standIns.standIn(for: endpoint.address, by: scheme) else {
                        lacking.insert(name)
                        continue
                    }
                    held.insert(endpoint.address)
                    endpoints.append(endpoint.moved(to: standIn))
                }
                guard !endpoints.isEmpty else { continue }
                slices.append(ProxiedSlice(service: name, ports: slice.ports, endpoints: endpoints))
            }
        }
        if isTranslating, let address = services[name]?.clusterIP, address.family != family,
            let scheme = translationAddresses?.scheme(family),
            standIns.standIn(for: address, by: scheme) != nil
        {
            held.insert(address)
        }
        standIns.hold(held, for: name)
        translatedSlices[name] = slices.isEmpty ? nil : slices
    }
}

extension ProxiedSlice.Endpoint {
    /// The same endpoint under another address.
    fileprivate func moved(to address: IPAddress) -> Self {
        var moved = Self(address: address, isReady: isReady, isServing: isServing, isTerminating: isTerminating)
        (moved.nodeName, moved.forNodes, moved.forZones, moved.pod) = (nodeName, forNodes, forZones, pod)
        return moved
    }
}
