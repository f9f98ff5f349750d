import Glibc
import PatchFiles
import PatchModel

/// Where the paths of a plan lead in a folder: onto which mount, and through which of the folder's own links.
///
/// A resolved path is free of links, so every later call reaches it with links forbidden. Links are read here and nowhere
/// else.
final class PathResolver {
    /// Where a path leads. Both are relative to the folder; `mount` is empty for the folder's own.
    struct Resolved: Hashable {
        var path: String
        var mount: String
    }

    /// Why a path cannot be resolved.
    enum Failure: Error {
        /// It leads through a link that is not followed: why.
        case link(String)
        /// A system call failed.
        case file(FileError)
    }

    /// A directory that was resolved.
    private struct Entry {
        var path: ExactText
        var mount: ExactText
        /// The mount's number.
        var mountID: UInt64
        var exists: Bool
    }

    private let folder: Directory
    private let root: ExactText
    private let mayFollow: Bool
    private var resolved: [ExactText: Entry] = [:]

    init(_ folder: borrowing Directory, order: WorkOrder) throws(FileError) {
        self.folder = try folder.duplicate()
        root = ExactText(order.plan.path)
        mayFollow = order.links == .inside
        resolved[ExactText("")] = Entry(
            path: ExactText(""), mount: ExactText(""), mountID: try folder.mount(), exists: true)
    }

    /// Where a file of that path goes. A link under the path itself is not followed: it is what gets replaced.
    func resolve(_ path: String) throws(Failure) -> Resolved {
        let (parent, name) = Directory.split(path)
        let above = try directory(ExactText(parent ?? ""), depth: 0)
        return Resolved(path: Self.join(above.path, ExactText(name)).description, mount: above.mount.description)
    }

    /// Where a directory of that path is, or would be created.
    func resolve(directory path: String) throws(Failure) -> Resolved {
        let found = try directory(ExactText(path), depth: 0)
        return Resolved(path: found.path.description, mount: found.mount.description)
    }

    /// Where a step's effect will be.
    func resolve(_ step: PlannedStep) throws(Failure) -> Resolved {
        step.kind == .directory ? try resolve(directory: step.path) : try resolve(step.path)
    }

    private static func join(_ directory: ExactText, _ name: ExactText) -> ExactText {
        directory.bytes.isEmpty ? name : ExactText(bytes: directory.bytes + [UInt8(ascii: "/")] + name.bytes)
    }

    private static func split(_ path: ExactText) -> (parent: ExactText, name: ExactText) {
        let (parent, name) = Directory.split(path.description)
        return (ExactText(parent ?? ""), ExactText(name))
    }

    private func directory(_ path: ExactText, depth: Int) throws(Failure) -> Entry {
        if let found = resolved[path] { return found }
        let (parent, name) = Self.split(path)
        var found = try directory(parent, depth: depth)
        found.path = Self.join(found.path, name)
        if found.exists {
            let status = try file { () throws(FileError) in try folder.status(found.path.description) }
            switch status?.kind {
            case .directory:
                let mount = try file { () throws(FileError) in
                    try folder.directory(found.path.description).mount()
                }
                if mount != found.mountID {
                    found.mount = found.path
                    found.mountID = mount
                }
            case .link: found = try follow(found.path, depth: depth)
            // A file in the way is replaced by a directory before anything comes below it.
            case .file, .other, nil: found.exists = false
            }
        }
        resolved[path] = found
        return found
    }

    /// Where a link leads, component by component, because what lies behind a `..` depends on where one is by then.
    private func follow(_ link: ExactText, depth: Int) throws(Failure) -> Entry {
        guard mayFollow else {
            throw .link("\"\(link)\" is a symbolic link; replace it by what it points to, or set \"links: inside\"")
        }
        guard depth < 40 else { throw .link("\"\(link)\" is one of too many symbolic links; they may form a loop") }
        let outside = Failure.link("\"\(link)\" is a symbolic link that leads out of the folder")
        let text = try file { () throws(FileError) in ExactText(try folder.linkTarget(link.description)) }
        var target = text
        var here = Self.split(link).parent
        if text.bytes.first == UInt8(ascii: "/") {
            guard text == root || text.isBelow(root) else { throw outside }
            target = text.relative(to: root) ?? ExactText("")
            here = ExactText("")
        }
        var found = try directory(here, depth: depth + 1)
        for component in target.components where !component.isEmpty && !component.elementsEqual(".".utf8) {
            if component.elementsEqual("..".utf8) {
                guard !here.bytes.isEmpty else { throw outside }
                here = Self.split(here).parent
            } else {
                here = Self.join(here, ExactText(bytes: component))
            }
            found = try directory(here, depth: depth + 1)
            here = found.path
        }
        guard found.exists else {
            throw .link("\"\(link)\" is a symbolic link to \"\(text)\", where no directory is")
        }
        // patchd's own files are no target, and a line feed would break the registry's lines.
        guard EntryName.reservedProblem(inFolder: found.path.description) == nil,
            !found.path.bytes.contains(UInt8(ascii: "\n"))
        else {
            throw .link("\"\(link)\" is a symbolic link to \"\(text)\", a name that no update may bring")
        }
        return found
    }

    private func file<Value: ~Copyable>(_ body: () throws(FileError) -> Value) throws(Failure) -> Value {
        do throws(FileError) { return try body() } catch { throw .file(error) }
    }
}
