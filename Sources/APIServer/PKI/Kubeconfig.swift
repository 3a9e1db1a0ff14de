import Foundation

/// The text of a kubeconfig with one cluster, one user and one context.
struct Kubeconfig {
    /// URL of the server.
    let serverURL: String
    /// Certificate of the authority, PEM.
    let authority: String
    /// Name of the user.
    let user: String
    /// Certificate and key of the user.
    let credentials: KeyPair

    /// The YAML text.
    var text: String {
        """
        apiVersion: v1
        kind: Config
        clusters:
        - name: duet
          cluster:
            server: \(serverURL)
            certificate-authority-data: \(base64(authority))
        users:
        - name: "\(user)"
          user:
            client-certificate-data: \(base64(credentials.certificate))
            client-key-data: \(base64(credentials.privateKey))
        contexts:
        - name: duet
          context:
            cluster: duet
            user: "\(user)"
        current-context: duet

        """
    }

    private func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
}
