import PatchJSON
import PatchModel

@testable import PatchConfig

/// `patchd.yaml`, and each file of `endpoints.d`: what has no problem is kept so that the same is read again.
enum ConfigurationTarget {
    static func run(_ bytes: [UInt8]) throws {
        let daemon = Problems()
        if let node = YAMLReader.read(bytes, file: DaemonReader.fileName, problems: daemon) {
            _ = DaemonReader(problems: daemon).read(node)
        }
        let problems = Problems()
        guard let node = YAMLReader.read(bytes, file: "a.yaml", problems: problems),
            let draft = EndpointReader(units: .ignored, problems: problems).read(node)
        else { return }
        EndpointsCheck(problems: problems, followsLinks: false).check([draft])
        guard problems.list.isEmpty else { return }
        let again = try? JSONText.read(Endpoint.self, JSONText.line(draft.endpoint))
        try hold(again == draft.endpoint, "an endpoint is not read again as it was written")
    }
}

/// `allowed_signers`.
enum SignersTarget {
    static func run(_ bytes: [UInt8]) {
        let signers = AllowedSigners(bytes)
        _ = (signers.hasLines, signers.problems)
    }
}
