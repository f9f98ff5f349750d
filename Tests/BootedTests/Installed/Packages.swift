import Foundation
import Testing

/// The Debian packages of this checkout, with the programs that the tests use.
struct Packages {
    /// Made once for all tests.
    static let built = Result { try Packages() }

    /// Where they are.
    let directory = "\(Machine.repository)/.build/booted-packages"
    /// Their version.
    let version = "0.9.0~tested"

    private init() throws {
        let arguments = ["--programs", Machine.programs, "--version", version, "--output", directory]
        // Nobody downloads these, so they may be large; and where the tests run there may be no repository with a date.
        let settings = [
            "DPKG_DEB_COMPRESSOR_TYPE": "gzip", "DPKG_DEB_COMPRESSOR_LEVEL": "1",
            "SOURCE_DATE_EPOCH": "\(Int(Date().timeIntervalSince1970))",
        ]
        let outcome = try Command.run(
            "\(Machine.repository)/scripts/deb", arguments,
            environment: ProcessInfo.processInfo.environment.merging(settings) { $1 }, timeout: .seconds(600))
        guard outcome.code == 0 else { throw Failure("scripts/deb: \(outcome.output)\(outcome.errors)") }
    }

    /// Installs some of them on a machine that runs.
    func install(_ names: [String], on machine: Machine) throws {
        try bring(names, to: machine)
        try Self.install(in: "/srv/packages", on: machine)
    }

    /// Gives them a higher version and installs that.
    func upgrade(_ names: [String], on machine: Machine) throws {
        try bring(names, to: machine)
        let outcome = try machine.run(
            """
            set -e
            cd /srv/packages
            for package in *.deb; do
                dpkg-deb -R "$package" tree
                sed -i 's/\(version)/&+1/' tree/DEBIAN/control
                dpkg-deb -Znone -b tree "$package"
                rm -r tree
            done
            """)
        guard outcome.code == 0 else { throw Failure("building newer packages: \(outcome.output)\(outcome.errors)") }
        try Self.install(in: "/srv/packages", on: machine)
    }

    private func bring(_ names: [String], to machine: Machine) throws {
        let place = machine.path("/srv/packages")
        try Command.require("/bin/mkdir", ["-p", place])
        let all = try FileManager.default.contentsOfDirectory(atPath: directory)
        let wanted = all.filter { file in names.contains { file.hasPrefix("\($0)_") } }
        guard wanted.count == names.count else { throw Failure("scripts/deb made \(all), not \(names)") }
        try Command.require("/bin/cp", wanted.map { "\(directory)/\($0)" } + [place])
    }

    private static func install(in place: String, on machine: Machine) throws {
        // As an admin does it, but for those that are only recommended, which cannot be downloaded here.
        let line = "DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \(place)/*.deb"
        let outcome = try machine.run(line, timeout: .seconds(300))
        guard outcome.code == 0 else { throw Failure("\(line): \(outcome.output)\(outcome.errors)") }
    }
}
