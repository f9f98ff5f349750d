import PatchConfig
import PatchModel

/// Loads a configuration from texts.
func load(
    _ files: [String: String], units: KnownUnits = .ignored
) throws -> Configuration {
    let directory = try TemporaryDirectory()
    for (name, text) in files { try directory.write(text, to: name) }
    return try ConfigurationDirectory(directory.path).load(units: units)
}

/// What is wrong with one endpoint's file, as it is printed.
func problems(_ endpoint: String, units: KnownUnits = .ignored) throws -> [String] {
    try problems(["endpoints.d/a.yaml": endpoint], units: units)
}

/// What is wrong with a configuration, as it is printed.
func problems(_ files: [String: String], units: KnownUnits = .ignored) throws -> [String] {
    do {
        _ = try load(files, units: units)
        return []
    } catch let errors as ConfigurationErrors {
        return errors.problems.map(\.description)
    }
}

/// What `config check` reports for a configuration that loads.
func hostProblems(_ files: [String: String], units: KnownUnits = .ignored) throws -> [String] {
    let directory = try TemporaryDirectory()
    for (name, text) in files { try directory.write(text, to: name) }
    _ = try ConfigurationDirectory(directory.path).load(units: units)
    do throws(ConfigurationErrors) {
        _ = try ConfigurationDirectory(directory.path).check(units: units)
        return []
    } catch {
        return error.problems.map(\.description)
    }
}

/// The least endpoint, with more keys before its folders, which begin in line 4 where there are none.
func endpoint(_ more: String = "", folders: String = "  - {name: PAIE}") -> String {
    "endpoint: payroll\npath: /srv/payroll\n\(more)folders:\n\(folders)\n"
}
