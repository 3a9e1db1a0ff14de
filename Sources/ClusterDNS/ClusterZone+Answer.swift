import Addresses
package import DNSMessage

extension ClusterZone {
    /// What the zone knows about a question.
    package enum Answer: Hashable, Sendable {
        /// Records of the asked name; those of the asked type are the answer.
        case records([DNSRecordData])
        /// The name is another name for a target, which may be anywhere.
        case alias(DNSName)
        /// The name exists, but has no record of the asked type.
        case noData
        /// The name does not exist.
        case nameError
        /// The zone does not answer such questions.
        case refused
        /// The content is not complete yet.
        case notReady
        /// The name is not in the zone.
        case outside
    }

    /// Answers a question from the content of the zone.
    package func answer(_ question: DNSQuestion) -> Answer {
        guard question.name.isInside(domain) else { return reverseAnswer(question) }
        guard question.type != .axfr, question.type != .ixfr else { return .refused }
        guard let records = records(of: question.name) else {
            return isComplete ? .nameError : .notReady
        }
        if question.type == .soa, question.name == domain { return .records([authority]) }
        if case .cname(let target)? = records.first { return .alias(target) }
        guard records.contains(where: { question.type == .any || $0.type == question.type }) else {
            return isComplete ? .noData : .notReady
        }
        return .records(records)
    }

    /// Answers for the addresses of Services and endpoints; other reverse names are not the zone's.
    private func reverseAnswer(_ question: DNSQuestion) -> Answer {
        guard let address = IPAddress(reverse: question.name) else { return .outside }
        let names = names(of: address)
        guard !names.isEmpty else { return .outside }
        return question.type == .ptr || question.type == .any ? .records(names.map { .ptr($0) }) : .noData
    }
}
