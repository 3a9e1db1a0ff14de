package import Addresses

/// What `duet explain` answers.
package struct Explanation: Sendable {
    /// How a packet leaves the node for an endpoint.
    package struct RouteAccount: Hashable, Sendable {
        /// The way `ip route` writes it.
        package let text: String
        /// The node's address on that way, which masqueraded callers get.
        package let source: IPAddress?

        package init(text: String, source: IPAddress?) {
            self.text = text
            self.source = source
        }
    }

    /// An endpoint of the Service port.
    package struct Endpoint: Sendable {
        package let account: EndpointAccount
        /// The endpoint of the other family that the account's address stands for; nil for one of the caller's.
        package let translated: Backend?
        /// The pod that has the address.
        package let pod: String?
        /// The way to it; nil when it is left out, or when there is none.
        package let route: RouteAccount?
        /// The source address that it sees; nil when it is left out, or when there is no way to it.
        package let source: IPAddress?
    }

    /// One family's part.
    package struct Family: Sendable {
        package let family: IPFamily
        /// Why there is nothing to say of this family; nil when there is.
        package var gap: String?
        package var call: Call?
        /// The Service that answers.
        package var service: ServiceName?
        /// Where else the port answers.
        package var addresses: [String] = []
        package var decision: CallDecision?
        package var endpoints: [Endpoint] = []
        /// Pods that the Service selects and that are no endpoints of this family, each with the reason.
        package var otherPods: [String] = []
        /// The name of the kernel's table.
        package var table = ""
        /// The kernel's elements that have to do with it.
        package var elements: [String] = []
        /// What the kernel has otherwise than the API says.
        package var disagreements: [String] = []

        package init(_ family: IPFamily) {
            self.family = family
        }
    }

    package let question: String
    package let node: String
    /// The family policy of the Service, and its families.
    package let policy: String?
    package let families: [Family]

    /// Whether the kernel does what the API says, as far as the question goes.
    package var isAgreed: Bool { families.allSatisfy { $0.disagreements.isEmpty } }
}
