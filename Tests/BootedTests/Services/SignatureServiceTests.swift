import Foundation
import Support
import Testing

@Suite(.bootsMachines) struct `The service that checks a signature` {
    let machine: Machine

    init() throws {
        machine = try Machine()
        try machine.install()
        try machine.prepare("systemctl disable patchd.service")
        try machine.boot()
    }

    private func prepare(_ id: String, options: String = "") throws -> String {
        let own = "/var/lib/patchd/intake/\(id)"
        try machine.run("install -d \(own)/content \(own)/signature")
        try ExampleUpdate().pack(to: machine.path("\(own)/content/archive.zip"))
        let keys = try SigningKeys(in: machine.path(own))
        try keys.make("vendor")
        try keys.sign(machine.path("\(own)/content/archive.zip"), by: "vendor")
        try machine.run("mv \(own)/content/archive.zip.sig \(own)/signature/")
        try machine.write("\(own)/signature/allowed_signers", "vendor@acme \(options) \(keys.line("vendor"))\n")
        try machine.write("\(own)/signature/time", "2026-11-21T10:15:00.123Z")
        try machine.run("chmod -R a+rX \(own)/signature")
        return own
    }

    @Test func `says who signed, and leaves no unit behind`() throws {
        let own = try prepare("one")
        let outcome = try machine.run("systemctl start patchd-signature@one")
        #expect(outcome.code == 0, "\(outcome.errors)")
        let verdict = try machine.read("\(own)/signer.json")
        #expect(verdict.contains(#""signer":"vendor@acme""#), "\(verdict)")
        #expect(try machine.run("systemctl list-units --all --no-legend 'patchd-signature@*'").output == "")
    }

    @Test func `says why a signature does not count`() throws {
        let own = try prepare("two", options: "valid-after=\"20261121101501Z\"")
        #expect(try machine.run("systemctl start patchd-signature@two").code == 0)
        let verdict = try machine.read("\(own)/signer.json")
        #expect(verdict.contains("signatureInvalid") && verdict.contains("not yet valid"), "\(verdict)")
    }
}
