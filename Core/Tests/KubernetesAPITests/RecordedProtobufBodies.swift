/// Bodies that kubectl 1.37 sent, and what `--dry-run=client -o json` says of the same commands.
enum RecordedProtobufBodies {
    struct Recorded: Sendable, CustomStringConvertible {
        let command: String
        let base64: String
        let json: String

        var description: String { command }
    }

    static let all: [Recorded] = [
        Recorded(
            command: "create namespace team",
            base64: "azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhwKFAoEdGVhbRIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA==",
            json: #"{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"team"},"spec":{},"status":{}}"#),
        Recorded(
            command: "create configmap c --from-literal=a=1 --from-literal=b=two",
            base64: "azhzAAoPCgJ2MRIJQ29uZmlnTWFwEiwKGAoBYxIAGgdkZWZhdWx0IgAqADIAOABCABIGCgFhEgExEggKAWISA3R3bx"
                + "oAIgA=",
            json: #"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"c","namespace":"default"},"data""#
                + #":{"a":"1","b":"two"}}"#),
        Recorded(
            command: "create secret generic s --from-literal=password=x",
            base64: "azhzAAoMCgJ2MRIGU2VjcmV0EisKGAoBcxIAGgdkZWZhdWx0IgAqADIAOABCABINCghwYXNzd29yZBIBeBoAGgAiAA"
                + "==",
            json: #"{"kind":"Secret","apiVersion":"v1","metadata":{"name":"s","namespace":"default"},"data":{""#
                + #"password":"eA=="}}"#),
        Recorded(
            command: "create serviceaccount robot",
            base64: "azhzAAoUCgJ2MRIOU2VydmljZUFjY291bnQSHgocCgVyb2JvdBIAGgdkZWZhdWx0IgAqADIAOABCABoAIgA=",
            json: #"{"kind":"ServiceAccount","apiVersion":"v1","metadata":{"name":"robot","namespace":"default"#
                + #""}}"#),
        Recorded(
            command: "create deployment web --image=nginx:1 --replicas=3 --port=80",
            base64: "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EsEBCiYKA3dlYhIAGgdkZWZhdWx0IgAqADIAOABCAFoKCgNhcHASA3"
                + "dlYhKIAQgDEgwKCgoDYXBwEgN3ZWIabgocCgASABoAIgAqADIAOABCAFoKCgNhcHASA3dlYhJOEjAKBW5naW54Egdu"
                + "Z2lueDoxKgAyCgoAEAAYUCIAKgBCAGoAcgCAAQCIAQCQAQCiAQAaADIAQgBKAFIAWABgAGgAggEAigEAmgEAwgEAIg"
                + "IKACgAOAAaDAgAEAAYACAAKAA4ABoAIgA=",
            json: #"{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"web","namespace":"default""#
                + #","labels":{"app":"web"}},"spec":{"replicas":3,"selector":{"matchLabels":{"app":"web"}},"te"#
                + #"mplate":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"nginx","image""#
                + #":"nginx:1","ports":[{"containerPort":80}],"resources":{}}]}},"strategy":{}},"status":{}}"#),
        Recorded(
            command: "create service nodeport web --tcp=80:8080 --node-port=30080",
            base64: "azhzAAoNCgJ2MRIHU2VydmljZRJxCiYKA3dlYhIAGgdkZWZhdWx0IgAqADIAOABCAFoKCgNhcHASA3dlYhJDCh0KBz"
                + "gwLTgwODASA1RDUBhQIgcIABCQPxoAKIDrARIKCgNhcHASA3dlYhoAIghOb2RlUG9ydDoAQgBSAFoAYABoABoCCgAa"
                + "ACIA",
            json: #"{"kind":"Service","apiVersion":"v1","metadata":{"name":"web","namespace":"default","labels"#
                + #"":{"app":"web"}},"spec":{"ports":[{"name":"80-8080","protocol":"TCP","port":80,"targetPort"#
                + #"":8080,"nodePort":30080}],"selector":{"app":"web"},"type":"NodePort"},"status":{"loadBalan"#
                + #"cer":{}}}"#),
        Recorded(
            command: "create service clusterip web --tcp=80:http --clusterip=None",
            base64: "azhzAAoNCgJ2MRIHU2VydmljZRJ3CiYKA3dlYhIAGgdkZWZhdWx0IgAqADIAOABCAFoKCgNhcHASA3dlYhJJCh4KBz"
                + "gwLWh0dHASA1RDUBhQIgoIARAAGgRodHRwKAASCgoDYXBwEgN3ZWIaBE5vbmUiCUNsdXN0ZXJJUDoAQgBSAFoAYABo"
                + "ABoCCgAaACIA",
            json: #"{"kind":"Service","apiVersion":"v1","metadata":{"name":"web","namespace":"default","labels"#
                + #"":{"app":"web"}},"spec":{"ports":[{"name":"80-http","protocol":"TCP","port":80,"targetPort"#
                + #"":"http"}],"selector":{"app":"web"},"clusterIP":"None","type":"ClusterIP"},"status":{"load"#
                + #"Balancer":{}}}"#),
        Recorded(
            command: "create service externalname e --external-name=example.org",
            base64: "azhzAAoNCgJ2MRIHU2VydmljZRJbCiIKAWUSABoHZGVmYXVsdCIAKgAyADgAQgBaCAoDYXBwEgFlEjESCAoDYXBwEg"
                + "FlGgAiDEV4dGVybmFsTmFtZToAQgBSC2V4YW1wbGUub3JnWgBgAGgAGgIKABoAIgA=",
            json: #"{"kind":"Service","apiVersion":"v1","metadata":{"name":"e","namespace":"default","labels":"#
                + #"{"app":"e"}},"spec":{"selector":{"app":"e"},"type":"ExternalName","externalName":"example."#
                + #"org"},"status":{"loadBalancer":{}}}"#),
    ]
}
