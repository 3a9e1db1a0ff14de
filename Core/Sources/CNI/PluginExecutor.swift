import JSON
import Linux

/// Runs another plugin the way a runtime does: the configuration on its input, the result on its output.
public enum PluginExecutor {
    /// Executes the plugin `type` out of the request's search path; returns its result, nil when it printed none.
    ///
    /// Errors: the plugin's own, with its code; or that it is missing, did not start, or printed no valid result.
    @discardableResult
    public static func run(_ type: String, _ request: CNIRequest) throws -> CNIResult? {
        let path = try find(type, in: request.searchPath)
        // Plugins of other makers may have settings of their own in it, and look for tools such as iptables in PATH.
        var environment = ProcessInformation.environment.merging(request.environment) { $1 }
        if (environment["PATH"] ?? "").isEmpty {
            environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        }
        let output = try ChildProcess.output(
            of: ChildProcess.Specification(executable: path, environment: environment),
            input: request.configuration.json.serialized())
        let printed = try? JSONValue(parsing: output.standardOutput)
        guard output.status.isSuccess else {
            if let printed, let error = CNIError(json: printed) { throw error }
            throw CNIError("netplugin \(type) failed (\(output.status)): \(output.errorText)")
        }
        guard request.command == .add else { return nil }
        guard let printed else { throw CNIError(.decodingFailure, "\(path) printed no valid result") }
        return try CNIResult(json: printed, version: request.configuration.version)
    }

    static func find(_ type: String, in searchPath: [String]) throws(CNIError) -> String {
        guard !type.isEmpty else { throw CNIError("no plugin name provided") }
        // A configuration must not reach outside the plugin directories.
        guard !type.contains("/") else { throw CNIError("invalid plugin name: \(type)") }
        for directory in searchPath {
            let path = "\(directory)/\(type)"
            if let status = try? FileSystem.status(path), status.kind == .file { return path }
        }
        throw CNIError("failed to find plugin \"\(type)\" in path [\(searchPath.joined(separator: " "))]")
    }
}
