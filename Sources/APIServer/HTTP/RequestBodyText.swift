import HTTPTypes
import HummingbirdCore
import JSON
import KubernetesAPI
import NIOCore
import NIOHTTP1

/// A request's body as bytes, with its declared type.
struct RequestBodyText: Sendable {
    /// Largest body that is read.
    static let limit = 3 << 20

    /// The media type without parameters; empty when there is none.
    let type: String
    /// The bytes.
    let bytes: [UInt8]

    /// Reads the whole body.
    init(_ request: Request) async throws {
        type = request.headers[.contentType].map { MediaRange($0).type } ?? ""
        do {
            bytes = [UInt8](buffer: try await request.body.collect(upTo: Self.limit))
        } catch is NIOTooManyBytesError {
            throw StatusError.requestEntityTooLarge(limit: Self.limit)
        } catch let error as HTTPParserError {
            throw StatusError.badRequest("the body cannot be read: \(error)")
        }
    }

    /// The value, from JSON, YAML or the binary form, and the paths of keys that occurred twice.
    func decode() throws(StatusError) -> (value: JSONValue, duplicates: [String]) {
        switch type {
        case "", "application/json": return try Self.json(bytes)
        case "application/yaml", "application/x-yaml", "text/yaml":
            return (try YAMLText.read(String(decoding: bytes, as: UTF8.self)), [])
        case "application/vnd.kubernetes.protobuf":
            do throws(ProtobufError) {
                return (try ProtobufBody.decode(bytes), [])
            } catch {
                throw .badRequest("the object provided is unrecognized: \(error)")
            }
        default: throw .unsupportedMediaType(accepted: OutputFormat.supported)
        }
    }

    /// The value of JSON text.
    static func json(_ bytes: [UInt8]) throws(StatusError) -> (value: JSONValue, duplicates: [String]) {
        var reader = JSONReader()
        do throws(JSONError) {
            return (try reader.read(bytes), reader.duplicateKeys)
        } catch {
            throw .badRequest("the object provided is unrecognized (must be JSON or YAML): \(error)")
        }
    }
}
