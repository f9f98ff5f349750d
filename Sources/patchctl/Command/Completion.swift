import ArgumentParser
import PatchFiles
import PatchStore

/// What a shell offers for an argument, from the state directory; nothing where this user may not read it.
extension CompletionKind {
    /// Numbers of the newest jobs, the last one first.
    static var jobs: CompletionKind {
        .custom { _, _, _ in
            guard let directories = try? Directories.parse([]),
                let names = try? Directory.open(directories.stateDir + "/jobs").names()
            else { return [] }
            return names.compactMap { Int($0) }.sorted(by: >).prefix(50).map(String.init)
        }
    }

    /// `ENDPOINT/FOLDER`.
    static var folders: CompletionKind { .custom { _, _, _ in known().map { "\($0.endpoint)/\($0.folder)" } } }

    /// `ENDPOINT`.
    static var endpoints: CompletionKind { .custom { _, _, _ in Set(known().map(\.endpoint)).sorted() } }

    /// `FOLDER`.
    static var folderNames: CompletionKind { .custom { _, _, _ in Set(known().map(\.folder)).sorted() } }

    /// `ENDPOINT` and `ENDPOINT/FOLDER`.
    static var targets: CompletionKind {
        .custom { _, _, _ in
            let known = known()
            return Set(known.map(\.endpoint)).sorted() + known.map { "\($0.endpoint)/\($0.folder)" }
        }
    }

    private static func known() -> [(endpoint: String, folder: String)] {
        guard let state = (try? Directories.parse([]))?.state, let endpoints = try? state.endpoints() else { return [] }
        return endpoints.sorted().flatMap { endpoint in
            ((try? state.folders(of: endpoint)) ?? [:]).keys.sorted().map { (endpoint, $0) }
        }
    }
}
