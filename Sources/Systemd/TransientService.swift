/// A service that exists until it has ended: `StartTransientUnit` with `Type=exec` and
/// `CollectMode=inactive-or-failed`, so that a failed one leaves no unit behind either.
public struct TransientService: Sendable {
    /// The unit's name, with `.service`.
    public var name: String
    /// `Description=`, shown by `systemctl status`.
    public var description: String
    /// The program, as an absolute path, and its arguments. Passed on as they are: no variables, no `%`.
    public var command: [String]
    /// Variables of its environment.
    public var environment: [String: String] = [:]
    /// User, by name or number; nil is root.
    public var user: String?
    /// Group, by name or number; nil is the user's.
    public var group: String?
    /// Further groups, besides those that the group database gives the user.
    public var supplementaryGroups: [String] = []
    /// Where it starts; nil is `/`.
    public var workingDirectory: String?
    /// Its standard input; nil is `/dev/null`.
    public var standardInput: Int32?
    /// Its standard output; nil is the journal.
    public var standardOutput: Int32?
    /// Its standard error; nil is its standard output.
    public var standardError: Int32?
    /// The slice; nil is `system.slice`.
    public var slice: String?
    /// Everything else.
    public var properties: [UnitProperty] = []

    /// A service that runs `command` as root.
    public init(name: String, description: String, command: [String]) {
        self.name = name
        self.description = description
        self.command = command
    }

    /// All properties in the form that the manager accepts.
    var allProperties: [UnitProperty] {
        func optional(_ name: String, _ text: String?) -> [UnitProperty] {
            text.map { [UnitProperty(name: name, value: .text($0))] } ?? []
        }
        func descriptor(_ name: String, _ number: Int32?) -> [UnitProperty] {
            number.map { [UnitProperty(name: "\(name)FileDescriptor", value: .descriptor($0))] } ?? []
        }
        let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return [
            UnitProperty(name: "Description", value: .text(description)),
            UnitProperty(name: "Type", value: .text("exec")),
            UnitProperty(name: "CollectMode", value: .text("inactive-or-failed")),
            UnitProperty(name: "ExecStartEx", value: .command(command)),
            UnitProperty(name: "Environment", value: .texts(variables)),
            UnitProperty(name: "SupplementaryGroups", value: .texts(supplementaryGroups)),
        ]
            + optional("User", user) + optional("Group", group) + optional("WorkingDirectory", workingDirectory)
            + optional("Slice", slice)
            + descriptor("StandardInput", standardInput) + descriptor("StandardOutput", standardOutput)
            + descriptor("StandardError", standardError)
            + properties
    }
}
