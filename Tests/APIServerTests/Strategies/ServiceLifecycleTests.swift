import APIServer
import Addresses
import JSON
import KubernetesAPI
import Testing

/// What Services take from the cluster, and when they give it back.
@Suite struct ServiceLifecycleTests {
    private let harness: StrategyHarness

    init() throws {
        harness = try StrategyHarness(.services, ranges: ["10.96.0.0/29", "fd00:10:96::/125"])
    }

    private func service(_ spec: String) throws -> JSONValue {
        try harness.created(#"{"spec":{"ports":[{"port":80}],"selector":{"a":"b"},\#(spec)}}"#)
    }

    private func take(_ address: String) -> [String] {
        harness.refusal { try service(#""clusterIP":"\#(address)","ipFamilyPolicy":"SingleStack""#) }
    }

    private let taken = [
        #"spec.clusterIPs: Invalid value: ["10.96.0.2"]: failed to allocate IP 10.96.0.2: provided IP is already allocated"#
    ]

    @Test func `a deleted Service gives back its addresses`() throws {
        let object = try service(#""clusterIP":"10.96.0.2""#)
        #expect(take("10.96.0.2") == taken)
        harness.strategy.didDelete(object)
        #expect(take("10.96.0.2") == [])
    }

    @Test func `a refused Service gives back its addresses`() throws {
        let refusal = harness.refusal {
            try service(#""clusterIP":"10.96.0.2","type":"NodePort","ports":[{"port":80,"nodePort":80}]"#)
        }
        #expect(refusal.count == 1)
        #expect(take("10.96.0.2") == [])
    }

    @Test func `a write that was not stored gives back its addresses`() throws {
        var object = try JSONValue(
            text: #"{"metadata":{"name":"t"},"spec":{"clusterIP":"10.96.0.2","ports":[{"port":80}]}}"#)
        let reservation = try harness.strategy.admitCreate(&object, AdmissionContext())
        #expect(take("10.96.0.2") == taken)
        reservation.rollback()
        #expect(take("10.96.0.2") == [])
    }

    @Test func `a dry run takes nothing`() throws {
        let object = try harness.created(
            #"{"spec":{"clusterIP":"10.96.0.2","ports":[{"port":80}],"type":"NodePort"}}"#, isDryRun: true)
        #expect((object.at("spec", "ports")?[0]?["nodePort"]?.int ?? 0) >= 30000)
        #expect(take("10.96.0.2") == [])
    }

    @Test func `a Service that becomes single-stack gives back the second address once stored`() throws {
        let dual = try service(
            #""clusterIP":"10.96.0.2","clusterIPs":["10.96.0.2","fd00:10:96::2"],"ipFamilyPolicy":"RequireDualStack""#)
        var single = dual
        single.set("SingleStack", at: "spec", "ipFamilyPolicy")
        let reservation = try harness.strategy.admitUpdate(&single, replacing: dual, AdmissionContext())
        #expect(single.at("spec", "clusterIPs") == ["10.96.0.2"])
        #expect(!take("fd00:10:96::2").isEmpty)
        reservation.commit()
        #expect(take("fd00:10:96::2") == [])
    }

    @Test func `a restarted server knows what stored Services hold`() throws {
        let object = try service(#""clusterIP":"10.96.0.2","type":"NodePort""#)
        let again = try StrategyHarness(.services, ranges: ["10.96.0.0/29", "fd00:10:96::/125"])
        again.strategy.recover(object)
        #expect(
            again.refusal {
                try again.created(#"{"spec":{"clusterIP":"10.96.0.2","ports":[{"port":80}]}}"#)
            } == taken)
        let port = object.at("spec", "ports")?[0]?["nodePort"]?.int ?? 0
        #expect(
            again.refusal {
                try again.created(#"{"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":\#(port)}]}}"#)
            } == ["spec.ports[0].nodePort: Invalid value: \(port): provided port is already allocated"])
    }

    @Test func `an exhausted range is an internal error`() throws {
        for _ in 0..<6 { _ = try service(#""ipFamilyPolicy":"SingleStack""#) }
        let error = #expect(throws: StatusError.self) { try service(#""ipFamilyPolicy":"SingleStack""#) }
        #expect(error?.code == 500)
        #expect(error?.message == "Internal error occurred: failed to allocate a serviceIP: range is full")
    }

    @Test func `ports of one number share a node port`() throws {
        let object = try harness.created(
            """
            {"spec":{"type":"NodePort","ports":[{"name":"u","port":53,"protocol":"UDP"},
            {"name":"t","port":53,"protocol":"TCP","nodePort":31053}]}}
            """)
        #expect(object.at("spec", "ports")?.array?.map { $0["nodePort"] } == [31053, 31053])
    }

    @Test func `an old Service reads as its addresses say`() throws {
        var object: JSONValue = ["spec": ["type": "ClusterIP", "clusterIP": "fd00:10:96::5"]]
        harness.strategy.defaultOnRead(&object)
        #expect(object.at("spec", "clusterIPs") == ["fd00:10:96::5"])
        #expect(object.at("spec", "ipFamilies") == ["IPv6"])
        #expect(object.at("spec", "ipFamilyPolicy") == "SingleStack")
    }

    @Test func `status is written by itself`() throws {
        let object = try service(#""type":"LoadBalancer""#)
        let balanced = try harness.updated(
            object, #"{"spec":{"type":"ClusterIP"},"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.1"}]}}}"#,
            subresource: "status")
        #expect(balanced["spec"] == object["spec"])
        #expect(
            balanced.at("status", "loadBalancer", "ingress") == [["ip": "192.0.2.1", "ipMode": "VIP"]])
        let renamed = try harness.updated(balanced, #"{"status":null,"metadata":{"labels":{"a":"b"}}}"#)
        #expect(renamed["status"] == balanced["status"])
        let plain = try harness.updated(renamed, #"{"spec":{"type":"ClusterIP"}}"#)
        #expect(plain["status"] == ["loadBalancer": [:]])
    }
}
