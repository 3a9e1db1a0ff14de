import Packet

/// Which ICMP error of one family says what one of the other says (RFC 7915 §4.2 and §5.2).
enum ICMPErrorMap {
    /// The ICMPv6 error for an ICMPv4 error; nil if there is none.
    ///
    /// - Parameter quotedLength: the total length of the packet that the error is about.
    static func ipv6Error(
        for error: ICMPAnswer, quotedLength: Int, _ options: TranslationOptions
    ) -> ICMPAnswer? {
        switch ICMPv4Type(rawValue: error.type) {
        case .destinationUnreachable:
            let unreachable = ICMPv6Type.destinationUnreachable.rawValue
            switch error.code {
            case 0, 1, 5, 6, 7, 8, 11, 12: return ICMPAnswer(type: unreachable, code: 0)
            case 2: return ICMPAnswer(type: ICMPv6Type.parameterProblem.rawValue, code: 1, rest: 6)
            case 3: return ICMPAnswer(type: unreachable, code: 4)
            case 4:
                let told = Int(error.rest & 0xFFFF)
                let mtu = told == 0 ? plateau(below: quotedLength) : told
                return ICMPAnswer(
                    type: ICMPv6Type.packetTooBig.rawValue, code: 0,
                    rest: UInt32(max(1280, min(mtu + 20, options.ipv6MTU, options.ipv4MTU + 20))))
            case 9, 10, 13, 15: return ICMPAnswer(type: unreachable, code: 1)
            default: return nil
            }
        case .timeExceeded:
            return ICMPAnswer(type: ICMPv6Type.timeExceeded.rawValue, code: error.code)
        case .parameterProblem:
            guard error.code == 0 || error.code == 2, let pointer = ipv6Pointer(for: error.rest >> 24) else {
                return nil
            }
            return ICMPAnswer(type: ICMPv6Type.parameterProblem.rawValue, code: 0, rest: pointer)
        default:
            return nil
        }
    }

    /// The ICMPv4 error for an ICMPv6 error; nil if there is none.
    static func ipv4Error(for error: ICMPAnswer, _ options: TranslationOptions) -> ICMPAnswer? {
        let unreachable = ICMPv4Type.destinationUnreachable.rawValue
        switch ICMPv6Type(rawValue: error.type) {
        case .destinationUnreachable:
            switch error.code {
            case 0, 2, 3: return ICMPAnswer(type: unreachable, code: 1)
            case 1: return ICMPAnswer(type: unreachable, code: 10)
            case 4: return ICMPAnswer(type: unreachable, code: 3)
            default: return nil
            }
        case .packetTooBig:
            let told = max(Int(error.rest) - 20, 68)
            return ICMPAnswer(
                type: unreachable, code: 4, rest: UInt32(min(told, options.ipv4MTU, options.ipv6MTU - 20)))
        case .timeExceeded:
            return ICMPAnswer(type: ICMPv4Type.timeExceeded.rawValue, code: error.code)
        case .parameterProblem:
            if error.code == 1 { return ICMPAnswer(type: unreachable, code: 2) }
            guard error.code == 0, let pointer = ipv4Pointer(for: error.rest) else { return nil }
            return ICMPAnswer(type: ICMPv4Type.parameterProblem.rawValue, code: 0, rest: pointer << 24)
        default:
            return nil
        }
    }

    /// The next smaller MTU that links have, for a router that does not say its own (RFC 1191 §7).
    static func plateau(below length: Int) -> Int {
        switch length {
        case 65536...: 65535
        case 32001...: 32000
        case 17915...: 17914
        case 8167...: 8166
        case 4353...: 4352
        case 2003...: 2002
        case 1493...: 1492
        case 1007...: 1006
        case 509...: 508
        case 297...: 296
        default: 68
        }
    }

    /// The place in an IPv6 header of what stands at a place in an IPv4 header.
    private static func ipv6Pointer(for pointer: UInt32) -> UInt32? {
        switch pointer {
        case 0, 1: pointer
        case 2, 3: 4
        case 8: 7
        case 9: 6
        case 12...15: 8
        case 16...19: 24
        default: nil
        }
    }

    /// The place in an IPv4 header of what stands at a place in an IPv6 header.
    private static func ipv4Pointer(for pointer: UInt32) -> UInt32? {
        switch pointer {
        case 0, 1: pointer
        case 4, 5: 2
        case 6: 9
        case 7: 8
        case 8...23: 12
        case 24...39: 16
        default: nil
        }
    }

    /// Whether an ICMPv4 error of this type and code can tell the length of the packet in it, so that extensions follow
    /// (RFC 4884 §4).
    static func hasIPv4Length(_ error: ICMPAnswer) -> Bool {
        switch ICMPv4Type(rawValue: error.type) {
        case .destinationUnreachable, .timeExceeded, .parameterProblem: true
        default: false
        }
    }

    /// Whether an ICMPv6 error of this type can tell the length of the packet in it.
    static func hasIPv6Length(_ error: ICMPAnswer) -> Bool {
        switch ICMPv6Type(rawValue: error.type) {
        case .destinationUnreachable, .timeExceeded: true
        default: false
        }
    }
}
