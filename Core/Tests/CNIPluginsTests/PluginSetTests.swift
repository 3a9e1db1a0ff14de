import CNI
import CNIPlugins
import Testing

@Suite struct `The set of plugins` {
    @Test func `has each plugin under its name, and no other`() throws {
        for name in PluginSet.names {
            #expect(try #require(PluginSet.plugin(named: name)).name == name)
        }
        #expect(Set(PluginSet.names).count == PluginSet.names.count)
        for name in ["", "duet-cni", "Bridge", "dhcp"] { #expect(PluginSet.plugin(named: name) == nil) }
    }
}
