internal import CLinux
internal import Netlink

/// What is to happen with a packet.
public enum Verdict: Hashable, Sendable {
    /// Let it pass this hook.
    case accept
    /// Drop it.
    case drop
    /// Go on with the next rule.
    case `continue`
    /// Go back to the chain that jumped here.
    case `return`
    /// Go to a chain and come back.
    case jump(String)
    /// Go to a chain for good.
    case goto(String)

    var code: Int32 {
        switch self {
        case .accept: NF_ACCEPT
        case .drop: NF_DROP
        case .continue: NFT_CONTINUE.rawValue
        case .return: NFT_RETURN.rawValue
        case .jump: NFT_JUMP.rawValue
        case .goto: NFT_GOTO.rawValue
        }
    }

    /// The chain that it leads to.
    public var chain: String? {
        switch self {
        case .jump(let chain), .goto(let chain): chain
        default: nil
        }
    }

    /// Appends the attribute that holds a verdict.
    func encode(to writer: inout NetlinkWriter) {
        writer.put(NFTA_DATA_VERDICT) { verdict in
            verdict.put(NFTA_VERDICT_CODE, UInt32(bitPattern: code))
            if let chain { verdict.put(NFTA_VERDICT_CHAIN, chain) }
        }
    }

    init?(_ attributes: NetlinkAttributes) {
        let chain = attributes.text(NFTA_VERDICT_CHAIN) ?? ""
        guard let code = attributes.number(NFTA_VERDICT_CODE) else { return nil }
        switch Int32(bitPattern: code) {
        case NF_ACCEPT: self = .accept
        case NF_DROP: self = .drop
        case NFT_CONTINUE.rawValue: self = .continue
        case NFT_RETURN.rawValue: self = .return
        case NFT_JUMP.rawValue: self = .jump(chain)
        case NFT_GOTO.rawValue: self = .goto(chain)
        default: return nil
        }
    }
}

extension Verdict: CustomStringConvertible {
    /// The way nft writes it: "goto endpoints-2".
    public var description: String {
        switch self {
        case .accept: "accept"
        case .drop: "drop"
        case .continue: "continue"
        case .return: "return"
        case .jump(let chain): "jump \(chain)"
        case .goto(let chain): "goto \(chain)"
        }
    }
}
