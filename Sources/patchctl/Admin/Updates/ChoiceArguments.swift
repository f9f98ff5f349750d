import ArgumentParser
import PatchJSON
import PatchModel

/// What is applied on one endpoint.
struct ChoiceArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp("Leave this folder and its descendants out; may be repeated.", valueName: "folder"),
        completion: .folderNames)
    var exclude: [String] = []

    @Option(
        help: ArgumentHelp("Only this folder and its descendants; may be repeated.", valueName: "folder"),
        completion: .folderNames)
    var only: [String] = []

    @Option(
        name: .customLong("patch"),
        help: ArgumentHelp("Switch an optional patch on or off; may be repeated.", valueName: "name=on|off"))
    var patches: [String] = []

    @Flag(help: "Apply it even if it is marked unstable.")
    var force = false

    func validate() throws {
        for patch in patches { _ = try Self.read(patch) }
        if let name = only.first(where: exclude.contains) {
            throw ValidationError("\"\(name)\" is given with --only and with --exclude")
        }
    }

    func chosenPatches() throws -> [String: Bool] {
        var chosen: [String: Bool] = [:]
        for patch in patches {
            let (name, isOn) = try Self.read(patch)
            chosen[name] = isOn
        }
        return chosen
    }

    /// Those that were given, as JSON.
    func given() throws -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        if !exclude.isEmpty { members.append(.init("exclude", .array(exclude.map(JSONValue.string)))) }
        if !only.isEmpty { members.append(.init("only", .array(only.map(JSONValue.string)))) }
        let patches = try chosenPatches().sorted { $0.key < $1.key }
        if !patches.isEmpty {
            members.append(.init("patches", .object(patches.map { .init($0.key, .bool($0.value)) })))
        }
        if force { members.append(.init("force", .bool(true))) }
        return members
    }

    private static func read(_ text: String) throws -> (name: String, isOn: Bool) {
        if let equals = text.lastIndex(of: "="), equals != text.startIndex {
            switch text[text.index(after: equals)...] {
            case "on": return (String(text[..<equals]), true)
            case "off": return (String(text[..<equals]), false)
            default: break
            }
        }
        throw ValidationError("--patch is NAME=on or NAME=off, not \"\(text)\"")
    }
}
