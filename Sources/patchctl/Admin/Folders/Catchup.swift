import ArgumentParser
import PatchJSON
import PatchModel
import PatchStore

struct Catchup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Apply to an excluded folder, in order, the kept updates that it has missed.",
        discussion: "Exits 3 where it has missed none.")

    @Argument(help: "ENDPOINT/FOLDER.", completion: .folders)
    var folder: String

    @Flag(help: "Apply also what is marked unstable.")
    var force = false

    @OptionGroup var daemon: RequestOptions

    func run() throws {
        if let reason = nothingMissed() {
            Notes.line(reason)
            throw ExitStatus.nothingToDo.exit
        }
        var request = [JSONValue.Member("command", text: "catchup"), .init("target", text: folder)]
        if force { request.append(.init("force", .bool(true))) }
        try daemon.send(request, called: "catchup")
    }

    /// Why there is nothing to bring: the reference folder has nothing that this one lacks. Nil where there is, and where
    /// only the daemon can say.
    private func nothingMissed() -> String? {
        let directories = daemon.directories
        guard let own = try? ApplicationFolder(folder, in: directories), let version = own.state.version,
            let endpoint = try? directories.configuration().endpoints.first(where: { $0.name == own.endpoint }),
            let parent = endpoint.ancestors(of: own.folder).first,
            let above = try? directories.state.folder(parent, of: own.endpoint)?.version, version >= above
        else { return nil }
        return "\(own.name) has missed nothing: it has \(version), its reference folder \(parent) \(above)"
    }
}
