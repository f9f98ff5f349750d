import Glibc
public import PatchModel

/// The directory that holds `patchd.yaml` and `endpoints.d`, `/etc/patchd` as a rule.
public struct ConfigurationDirectory: Sendable {
    let path: String

    /// The directory at a path; nothing is read yet.
    public init(_ path: String) {
        self.path = path
    }

    /// Reads everything (contract §5). Without `patchd.yaml` the defaults count, without `endpoints.d` there are no
    /// endpoints; a file that holds comments only counts as absent. Only syntax and cross-references refuse it: what this
    /// host lacks is for ``check(units:)`` and each job's preflight.
    ///
    /// - Parameter units: whether endpoints may name units; the names are not looked up.
    /// - Throws: ``ConfigurationErrors`` with every problem, not just the first.
    public func load(units: KnownUnits = .ignored) throws(ConfigurationErrors) -> Configuration {
        try read(units: units, againstHost: false)
    }

    /// The same, held against this host: directories, users, groups and units that are not there are errors too.
    ///
    /// - Parameter units: what endpoints may name.
    /// - Throws: ``ConfigurationErrors`` with every problem, not just the first.
    public func check(units: KnownUnits) throws(ConfigurationErrors) -> Configuration {
        try read(units: units, againstHost: true)
    }

    private func read(units: KnownUnits, againstHost: Bool) throws(ConfigurationErrors) -> Configuration {
        let problems = Problems()
        guard ConfigurationFile.isDirectory(path) else {
            let problem = ConfigurationProblem(
                file: path, line: 0, column: 0,
                message: "there is no such configuration directory; create it, or name another with --config-dir")
            throw ConfigurationErrors(problems: [problem])
        }
        var (settings, approvers) = (DaemonSettings(), SourceLocation?.none)
        if let node = read(DaemonReader.fileName, isOptional: true, problems) {
            (settings, approvers) = DaemonReader(problems: problems).read(node)
        }
        let reader = EndpointReader(units: units, problems: problems)
        let names = endpointFiles(problems)
        let drafts = names.compactMap { name in read(name, isOptional: false, problems).flatMap(reader.read) }
        EndpointsCheck(problems: problems, followsLinks: againstHost).check(drafts)
        if againstHost { HostCheck(units: units, problems: problems).check(settings, approvers: approvers, drafts) }
        guard problems.list.isEmpty else {
            throw ConfigurationErrors(problems: problems.sorted(files: [DaemonReader.fileName] + names))
        }
        return Configuration(daemon: settings, endpoints: drafts.map(\.endpoint), hasSigners: hasSigners)
    }

    private func read(_ name: String, isOptional: Bool, _ problems: Problems) -> YAMLNode? {
        do throws(ConfigurationFile.Failure) {
            guard let bytes = try ConfigurationFile.read(path + "/" + name) else {
                if !isOptional { problems.report(at: .file(name), "the file is gone or leads nowhere") }
                return nil
            }
            return YAMLReader.read(bytes, file: name, problems: problems)
        } catch {
            problems.report(at: .file(name), error.message)
            return nil
        }
    }

    /// Sorted bytewise. Hidden files and those with other suffixes are ignored, so that a file can be disabled by
    /// renaming it; `.yml` is reported as a mistake.
    private func endpointFiles(_ problems: Problems) -> [String] {
        do throws(ConfigurationFile.Failure) {
            var files: [String] = []
            for name in try ConfigurationFile.list(path + "/" + EndpointReader.directory) where !name.hasPrefix(".") {
                let file = EndpointReader.directory + "/" + name
                if name.hasSuffix(".yaml") {
                    files.append(file)
                } else if name.hasSuffix(".yml") {
                    problems.report(
                        at: .file(file), "only *.yaml is read; rename it to \"\(name.dropLast(3))yaml\"")
                }
            }
            return files.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        } catch {
            problems.report(at: .file(EndpointReader.directory), error.message)
            return []
        }
    }
}
