public import Addresses

extension ClusterPlan {
    /// Something of which there is only so much.
    public struct Limit: Sendable, Hashable {
        /// What is used up.
        public enum Resource: String, Sendable, Hashable {
            /// Blocks of pod addresses.
            case blocks
            /// Cluster IPs.
            case services
        }

        /// What is used up.
        public let resource: Resource
        /// Its family.
        public let family: IPFamily
        /// How much there is.
        public let capacity: UInt128
        /// How much is used today.
        public let used: UInt128
        /// The first day on which more is needed than there is, 0 being today; nil when that is not within 100 years, or when
        /// nothing is known about growth.
        public let day: Int?

        /// The used part of what there is, 0 to 1 or more.
        var share: Double { capacity == 0 ? 1 : Double(used) / Double(capacity) }
    }

    /// Days that are looked at: a hundred years.
    static let horizon = 36_525

    /// What is used up first.
    public var firstLimit: Limit? { limits.first }

    static func limits(_ families: [Family], _ request: Request) -> [Limit] {
        let limits = families.flatMap { family -> [Limit] in
            var limits: [Limit] = []
            if !family.fragments.isEmpty {
                limits.append(limit(.blocks, family, family.blocks, request))
            }
            if request.servicePrefixes.contains(where: { $0.family == family.family }) {
                limits.append(limit(.services, family, family.services, request))
            }
            return limits
        }
        // Where the day is the same, what is scarcer today comes first; then what there is less of.
        return limits.sorted { left, right in
            let (first, second) = (left.day ?? .max, right.day ?? .max)
            if first != second { return first < second }
            if left.share != right.share { return left.share > right.share }
            return left.capacity < right.capacity
        }
    }

    private static func limit(
        _ resource: Limit.Resource, _ family: Family, _ capacity: UInt128, _ request: Request
    ) -> Limit {
        let used = need(resource, family, request, on: 0)
        var day: Int? = used > capacity ? 0 : nil
        if day == nil, request.growth != nil, need(resource, family, request, on: horizon) > capacity {
            day = (0...horizon).first { need(resource, family, request, on: $0) > capacity }
        }
        return Limit(resource: resource, family: family.family, capacity: capacity, used: used, day: day)
    }

    /// What is needed of a resource on a day.
    static func need(_ resource: Limit.Resource, _ family: Family, _ request: Request, on day: Int) -> UInt128 {
        func amount(_ field: KeyPath<Amounts, Double>) -> UInt128 {
            let amount = request.today[keyPath: field] + Double(day) * (request.growth?[keyPath: field] ?? 0)
            return UInt128(max(0, amount).rounded(.down))
        }
        /// Rounded up.
        func divide(_ dividend: UInt128, by divisor: UInt128) -> UInt128 {
            dividend == 0 ? 0 : (dividend - 1) / divisor + 1
        }
        switch resource {
        case .services: return amount(\.services)
        case .blocks:
            let pods = amount(\.pods)
            // No node runs more pods than it may: further pods need further nodes. They spread evenly.
            let nodes = max(amount(\.nodes), divide(pods, by: UInt128(request.podsPerNode)))
            guard nodes > 0 else { return 0 }
            let onEach = divide(pods, by: nodes)
            guard family.podsPerBlock > 0, onEach > 0 else { return nodes }
            return nodes.saturatingMultiply(divide(onEach, by: family.podsPerBlock))
        }
    }
}
