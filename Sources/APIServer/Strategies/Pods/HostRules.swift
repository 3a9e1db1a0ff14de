import Addresses
import JSON
import KubernetesAPI

/// What is wrong with what a pod takes from its node's network, and with the names and servers that it is given.
enum HostRules {
    private static let nameserverLimit = 3
    private static let searchLimit = 32
    private static let searchTextLimit = 2048

    static func validate(_ spec: JSONValue, at path: FieldPath) -> [FieldError] {
        let isOnHost = spec["hostNetwork"] == true
        var errors: [FieldError] = []
        var taken: Set<String> = []
        for list in ["containers", "initContainers"] {
            for (index, container) in spec.list(list).enumerated() {
                for (position, port) in container.list("ports").enumerated() {
                    let item = path.child(list)[index].child("ports")[position]
                    errors += validate(port, at: item, isOnHost: isOnHost)
                    // Init containers have ended when the others begin.
                    guard list == "containers", let number = port["hostPort"]?.int, number != 0 else { continue }
                    let place = "\(port.text("protocol"))/\(port.text("hostIP"))/\(number)"
                    if !taken.insert(place).inserted {
                        errors.append(.duplicate(item.child("hostPort"), .string(place)))
                    }
                }
            }
        }
        return errors + aliases(spec.list("hostAliases"), at: path.child("hostAliases"))
            + resolver(spec["dnsConfig"] ?? [:], policy: spec.text("dnsPolicy"), at: path.child("dnsConfig"))
    }

    private static func validate(_ port: JSONValue, at path: FieldPath, isOnHost: Bool) -> [FieldError] {
        let address = port.text("hostIP")
        var errors = address.isEmpty ? [] : AddressRules.address(address, at: path.child("hostIP"))
        if isOnHost, let number = port["hostPort"], number != port["containerPort"] {
            errors.append(
                .invalid(
                    path.child("containerPort"), port["containerPort"],
                    "must match `hostPort` when `hostNetwork` is true"))
        }
        return errors
    }

    private static func aliases(_ aliases: [JSONValue], at path: FieldPath) -> [FieldError] {
        aliases.enumerated().flatMap { index, alias -> [FieldError] in
            let names = alias.list("hostnames").enumerated().flatMap { position, name in
                NameRules.dnsSubdomain(name.string ?? "").map {
                    FieldError.invalid(path[index].child("hostnames")[position], name, $0)
                }
            }
            return AddressRules.address(alias.text("ip"), at: path[index].child("ip")) + names
        }
    }

    private static func resolver(_ configuration: JSONValue, policy: String, at path: FieldPath) -> [FieldError] {
        let (servers, serversPath) = (configuration.list("nameservers"), path.child("nameservers"))
        var errors: [FieldError] = []
        if policy == "None", servers.isEmpty {
            errors.append(
                .required(serversPath, "must provide at least one DNS nameserver when `dnsPolicy` is None"))
        }
        if servers.count > nameserverLimit {
            errors.append(
                .invalid(serversPath, .array(servers), "must not have more than \(nameserverLimit) nameservers"))
        }
        for (index, server) in servers.enumerated() {
            errors += AddressRules.address(server.string ?? "", at: serversPath[index])
        }
        let (searches, searchesPath) = (configuration.list("searches"), path.child("searches"))
        if searches.count > searchLimit {
            errors.append(
                .invalid(searchesPath, .array(searches), "must not have more than \(searchLimit) search paths"))
        }
        if searches.map({ $0.string ?? "" }).joined(separator: " ").utf8.count > searchTextLimit {
            errors.append(
                .invalid(
                    searchesPath, .array(searches),
                    "must not have more than \(searchTextLimit) characters (including spaces) in the search list"))
        }
        for (index, search) in searches.enumerated() where search != "." {
            let name = search.string ?? ""
            errors += NameRules.dnsSubdomain(name.hasSuffix(".") ? String(name.dropLast()) : name).map {
                .invalid(searchesPath[index], search, $0)
            }
        }
        for (index, option) in configuration.list("options").enumerated() where option.text("name").isEmpty {
            errors.append(.required(path.child("options")[index], "must not be empty"))
        }
        return errors
    }
}
