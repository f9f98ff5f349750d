import Glibc
import PatchConfig
import PatchModel
import Testing

/// A key that nobody has the other half of.
private let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKwtU/NFDQ6rXjzsi3h2PqXLzWmqvVlH6Wyz1UwGCv5V"

@Suite struct `Signatures` {
    @Test(arguments: [
        (DaemonSettings.Signature.auto, false, false), (.auto, true, true), (.required, false, true),
        (.required, true, true), (.off, false, false), (.off, true, false),
    ])
    func `are required as the setting and the file of signers say`(
        setting: DaemonSettings.Signature, hasSigners: Bool, isRequired: Bool
    ) throws {
        #expect(setting.isRequired(hasSigners: hasSigners) == isRequired)
        var files = ["patchd.yaml": "signature: \(setting)\n"]
        if hasSigners { files["allowed_signers"] = "" }
        let configuration = try load(files)
        #expect(configuration.requiresSignature(hasSigners: hasSigners) == isRequired)
        // It was there when the configuration was read.
        if hasSigners { #expect(configuration.requiresSignature(hasSigners: false) == isRequired) }
    }

    @Test func `are required with whatever has the name of that file`() throws {
        let directory = try TemporaryDirectory()
        let place = ConfigurationDirectory(directory.path)
        #expect(!place.hasSigners)
        #expect(symlink("/nowhere", directory.path + "/allowed_signers") == 0)
        #expect(place.hasSigners)
        let configuration = try place.load()
        #expect(configuration.requiresSignature(hasSigners: place.hasSigners))
        #expect(throws: SignerKeys.Failure.self) { _ = try place.signerKeys(of: configuration) }
    }

    @Test func `have no keys where the file is missing or empty, and it is not known where it cannot be read`() throws {
        func failure(_ prepare: (TemporaryDirectory) throws -> Void) throws -> SignerKeys.Failure? {
            let directory = try TemporaryDirectory()
            try directory.write("signature: required\n", to: "patchd.yaml")
            try prepare(directory)
            let place = ConfigurationDirectory(directory.path)
            do throws(SignerKeys.Failure) {
                _ = try place.signerKeys(of: Configuration(endpoints: []))
                return nil
            } catch { return error }
        }
        func isNobody(_ failure: SignerKeys.Failure?) -> Bool { if case .nobody = failure { true } else { false } }
        #expect(isNobody(try failure { _ in }))
        #expect(isNobody(try failure { try $0.write("", to: "allowed_signers") }))
        #expect(isNobody(try failure { try $0.write("# nobody yet\n\n", to: "allowed_signers") }))
        #expect(try failure { try $0.write("a \(key)\n", to: "allowed_signers") } == nil)
        let unreadable = try failure { try $0.directory("allowed_signers") }
        #expect(unreadable != nil && !isNobody(unreadable))
        let revoked = try failure {
            try $0.write("a \(key)\n", to: "allowed_signers")
            try $0.directory("revoked_keys")
        }
        #expect(
            revoked != nil && !isNobody(revoked), "keys are not believed while it is unknown which of them are revoked")
    }

    private func warnings(_ lines: String, mode: mode_t = 0o644, settings: String = "") throws -> [String] {
        let directory = try TemporaryDirectory()
        try directory.write(lines, to: "allowed_signers")
        #expect(chmod(directory.path + "/allowed_signers", mode) == 0)
        if !settings.isEmpty { try directory.write(settings, to: "patchd.yaml") }
        let place = ConfigurationDirectory(directory.path)
        return place.signerWarnings(of: try place.load()).map(\.description)
    }

    @Test(arguments: [
        "vendor@acme \(key)", "  \"a b,c*\" \(key) with a comment", "a,b cert-authority \(key)", "# a comment",
        "a namespaces=\"patchd,git x\",valid-after=\"20260101\",valid-before=\"20270101120000Z\" \(key)",
        "a CERT-AUTHORITY,namespaces=\"patchd\" \(key)\r",
    ])
    func `by the keys of a good line need no warning`(line: String) throws {
        #expect(try warnings("x \(key)\n\(line)\n") == [])
    }

    @Test(arguments: [
        ("vendor@acme", "no key"), ("vendor@acme ssh-ed25519", "no key"), (key, "no option"),
        ("a ssh-ed25519 AAAA", "no public key"), ("a ssh-rsa \(key.split(separator: " ")[1])", "no public key"),
        ("a rubbish \(key)", "no option"), ("a valid-before=20260101 \(key)", "a time in quotes"),
        ("a valid-before=\"2026-01-01\" \(key)", "a time in quotes"), ("a namespaces=\"x \(key)", "quote"),
        ("a namespaces=patchd \(key)", "no option"), ("a cert-authority key AAAA", "no type"),
    ])
    func `by a line that is wrong are warned of with its number`(line: String, reason: String) throws {
        let found = try warnings("x \(key)\n\n\(line)\n")
        #expect(found.count == 1 && found[0].hasPrefix("allowed_signers:3:1:") && found[0].contains(reason), "\(found)")
    }

    @Test func `by keys that others may change are warned of`() throws {
        #expect(try warnings("x \(key)\n", mode: 0o646).contains { $0.contains("chmod go-w") })
        #expect(try warnings("x \(key)\n", mode: 0o664).contains { $0.contains("chmod go-w") })
        #expect(try warnings("", settings: "signature: off\n").contains { $0.contains("not used") })
        #expect(try warnings("").contains { $0.contains("every archive is refused") })
    }
}
