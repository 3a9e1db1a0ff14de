import CNI
import JSON
import Testing

@Suite("Keys of configurations")
struct ConfigurationKeyTests {
    @Test(
        "count in any case, as with the reference",
        arguments: [
            // What containerd's library writes.
            (
                #"{"runtimeConfig":{"portMappings":[{"HostPort":8080,"ContainerPort":80,"Protocol":"tcp","HostIP":""}]}}"#,
                #"{"runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp","hostIP":""}]}}"#
            ),
            (
                #"{"runtimeConfig":{"bandwidth":{"IngressRate":1,"IngressBurst":2,"EgressRate":3,"EgressBurst":4}}}"#,
                #"{"runtimeConfig":{"bandwidth":{"ingressRate":1,"ingressBurst":2,"egressRate":3,"egressBurst":4}}}"#
            ),
            (
                #"{"runtimeConfig":{"ipRanges":[[{"Subnet":"10.0.0.0/8","RangeStart":"10.1.0.0"}]]}}"#,
                #"{"runtimeConfig":{"ipRanges":[[{"subnet":"10.0.0.0/8","rangeStart":"10.1.0.0"}]]}}"#
            ),
            (#"{"IPMASQ":true,"isgateway":true,"Foreign":1}"#, #"{"ipMasq":true,"isGateway":true,"Foreign":1}"#),
            (#"{"mtu":1400,"MTU":9000}"#, #"{"mtu":1400}"#), (#"{"MTU":9000,"mtu":1400}"#, #"{"mtu":1400}"#),
            (#"{"SysCtl":{"net.core.MTU":"1","Name":"2"}}"#, #"{"sysctl":{"net.core.MTU":"1","Name":"2"}}"#),
            (#"["Name",{"Name":null}]"#, #"["Name",{"name":null}]"#),
        ])
    func cases(written: String, read: String) throws {
        #expect(ConfigurationKeys.normalised(try JSONValue(text: written)) == (try JSONValue(text: read)))
    }
}
