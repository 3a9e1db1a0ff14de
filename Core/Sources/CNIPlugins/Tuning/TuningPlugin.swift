public import CNI
import Linux
import RouteNetlink

/// The tuning plugin: changes kernel parameters and attributes of an interface that a plugin before it made.
public struct TuningPlugin: CNIPlugin {
    /// The name under which a runtime executes it.
    public let name = "tuning"

    /// Makes the plugin.
    public init() {}

    /// Sets parameters and attributes, and keeps the former attributes for DEL; undoes all of it when one fails.
    public func add(_ request: CNIRequest) throws -> CNIResult {
        let configuration = try TuningConfiguration(request)
        try ParameterAllowList.current()?.check(configuration.parameters)
        var result = try request.requiredPreviousResult("Required prevResult missing")
        var namespace = try ContainerNamespace(request.namespacePath)
        let formerValues = try namespace.run { try Self.set(configuration.parameters) }
        do {
            try change(request, configuration, &namespace)
        } catch {
            namespace.restore(formerValues)
            throw error
        }
        for index in result.interfaces.indices
        where result.interfaces[index].name == request.interfaceName && result.interfaces[index].sandbox != nil {
            if let mac = configuration.attributes.mac { result.interfaces[index].mac = mac.description }
            if let mtu = configuration.attributes.mtu { result.interfaces[index].mtu = mtu }
        }
        return result
    }

    /// Gives the interface its former attributes back; an interface or namespace that is gone is no error.
    public func delete(_ request: CNIRequest) throws {
        let backup = AttributeBackup(request)
        if let attributes = backup.load(), var namespace = try ContainerNamespace.ifPresent(request.namespacePath),
            let link = try namespace.routes.link(named: request.interfaceName)
        {
            try attributes.apply(to: link.index, &namespace.routes)
        }
        try backup.remove()
    }

    /// Verifies parameters and attributes.
    public func check(_ request: CNIRequest) throws {
        let configuration = try TuningConfiguration(request)
        _ = try request.requiredPreviousResult("Required prevResult missing")
        var namespace = try ContainerNamespace(request.namespacePath)
        try namespace.run {
            for parameter in configuration.parameters {
                let current = try parameter.current()
                guard parameter.isMet(by: current) else {
                    throw CNIError(
                        "Error: Tuning configured value of /proc/sys/\(parameter.path) is \(parameter.value), "
                            + "current value is \(current)")
                }
            }
        }
        guard let link = try namespace.routes.link(named: request.interfaceName) else {
            throw CNIError("Cannot find container link \(request.interfaceName)")
        }
        try configuration.attributes.verify(link)
    }

    /// Removes the former attributes of interfaces that are gone.
    public func collectGarbage(_ request: CNIRequest) throws {
        try AttributeBackup.collectGarbage(request)
    }

    /// Always able to serve.
    public func status(_ request: CNIRequest) throws {}

    /// Sets parameters in this thread's namespace; returns the former values of those that can be read.
    private static func set(_ parameters: [NetworkParameter]) throws -> [(name: String, value: String)] {
        var former: [(name: String, value: String)] = []
        for parameter in parameters {
            if let value = try? parameter.current() { former.append((parameter.path, value)) }
            do {
                try Sysctl.write(parameter.path, parameter.value)
            } catch {
                for (name, value) in former { try? Sysctl.write(name, value) }
                throw error
            }
        }
        return former
    }

    private func change(
        _ request: CNIRequest, _ configuration: TuningConfiguration, _ namespace: inout ContainerNamespace
    ) throws {
        let attributes = configuration.attributes
        if attributes.isEmpty { return }
        guard let link = try namespace.routes.link(named: request.interfaceName) else {
            throw CNIError("failed to get \"\(request.interfaceName)\": Link not found")
        }
        let former = InterfaceAttributes(of: link, where: attributes)
        let backup = AttributeBackup(request)
        try backup.save(former)
        do {
            try attributes.apply(to: link.index, &namespace.routes)
        } catch {
            try? former.apply(to: link.index, &namespace.routes)
            try? backup.remove()
            throw error
        }
    }
}

extension ContainerNamespace {
    /// Writes parameters back after a failure, which is the one to tell.
    fileprivate func restore(_ parameters: [(name: String, value: String)]) {
        try? run {
            for (name, value) in parameters { try? Sysctl.write(name, value) }
        }
    }
}
