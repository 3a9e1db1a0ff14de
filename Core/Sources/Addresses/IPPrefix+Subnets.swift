extension IPPrefix {
    /// The subnet number `index` of the given length; nil if the length is shorter than this prefix or longer than an
    /// address, or if there are not so many.
    @inlinable
    public func subnet(at index: UInt128, length subnetLength: Int) -> IPPrefix? {
        guard subnetLength >= length, subnetLength <= family.bitWidth,
            index <= IPPrefix.hostMask(subnetLength - length)
        else { return nil }
        let shift = UInt128(family.bitWidth - subnetLength)
        let offset = shift == 128 ? 0 : index << shift
        return IPPrefix(IPAddress(family: family, bits: address.bits | offset), length: subnetLength)
    }

    /// The number of `subnet` among the subnets of its length; nil if it is not inside this network.
    @inlinable
    public func index(of subnet: IPPrefix) -> UInt128? {
        guard contains(subnet) else { return nil }
        return subnet.hostBits == 128 ? 0 : (subnet.address.bits ^ address.bits) >> UInt128(subnet.hostBits)
    }

    /// The address `offset` places after the first; nil if it lies outside.
    @inlinable
    public func address(at offset: UInt128) -> IPAddress? {
        guard offset <= IPPrefix.hostMask(hostBits) else { return nil }
        return IPAddress(family: family, bits: address.bits | offset)
    }

    /// The distance of `member` from the first address; nil if it is not inside.
    @inlinable
    public func offset(of member: IPAddress) -> UInt128? {
        contains(member) ? member.bits ^ address.bits : nil
    }
}
