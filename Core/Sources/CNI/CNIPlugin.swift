/// One plugin: what it does for each command, given a checked request.
///
/// A thrown `CNIError` is printed as it is, any other error with code 999.
public protocol CNIPlugin: Sendable {
    /// The name under which a runtime executes it.
    var name: String { get }

    /// Attaches a container; leaves nothing behind when it throws.
    func add(_ request: CNIRequest) throws -> CNIResult

    /// Detaches a container; what is gone already is no error.
    func delete(_ request: CNIRequest) throws

    /// Verifies that an attachment is as ADD made it.
    func check(_ request: CNIRequest) throws

    /// Removes what belongs to none of the valid attachments.
    func collectGarbage(_ request: CNIRequest) throws

    /// Throws when ADD cannot be served.
    func status(_ request: CNIRequest) throws
}
