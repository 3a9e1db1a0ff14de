import JSON

/// What the server says about itself.
enum ServerVersion {
    /// The version of Kubernetes whose API is served; clients compare its minor number with their own.
    private static let (major, minor) = ("1", "33")

    /// The answer to `/version`.
    static let document: JSONValue = [
        "major": .string(major), "minor": .string(minor), "gitVersion": .string("v\(major).\(minor).0+duet"),
        "gitCommit": "", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none",
        "compiler": "swift", "platform": "linux/amd64",
    ]
}
