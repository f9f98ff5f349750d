import Testing

@testable import PatchModel

@Suite struct `A folder's state` {
    static let now = Timestamp(nanoseconds: 1_700_000_000_000_000_000)
    static func version(_ text: String) throws -> Version { try #require(Version(text)) }

    static func state(_ status: FolderState.Status) throws -> FolderState {
        var state = FolderState(
            endpoint: "payroll", folder: "SEED", version: try version("8.0.1"), path: "/srv/SEED", owner: "app", at: now
        )
        state.status = status
        return state
    }

    private static func events() throws -> [(name: String, event: FolderStateEvent)] {
        [
            ("update", .update(job: 3)),
            ("updated", .updated(to: try version("8.0.2"), update: "X", patches: ["X": true], at: now)),
            ("fail", .fail(message: "exit 1", at: now)), ("revert", .revert(job: 3, trace: true)),
            ("reverted", .reverted(to: try version("8.0.1"), update: "", patches: [:], message: "exit 1", at: now)),
            ("rolledBack", .rolledBack(to: try version("8.0.0"), update: "", patches: [:], at: now)),
            ("baseline", .baseline(try version("8.0.2"), at: now)), ("leave", .leave(message: "left")),
            ("compareBehind", .compare(behind: true, diverged: false, recommended: nil)),
            ("compare", .compare(behind: false, diverged: false, recommended: nil)),
            ("move", .move(folder: "SEED3", path: "/srv/SEED3", inode: 4)),
        ]
    }

    /// By status, what follows each event; a dash: refused.
    private static let table: [(status: FolderState.Status, next: String)] = [
        (.current, "updating current failed reverting current current current current behind current current"),
        (.behind, "updating current failed reverting current current current current behind current behind"),
        (.updating, "updating current failed reverting - - - current updating updating -"),
        (.failed, "updating - failed reverting - - current current failed failed -"),
        (.reverting, "- - failed reverting current current - current reverting reverting -"),
    ]

    @Test func `changes only as the table says, for every status and event`() throws {
        for (status, line) in Self.table {
            let expected = line.split(separator: " ").map(String.init)
            let events = try Self.events()
            #expect(expected.count == events.count)
            for ((name, event), next) in zip(events, expected) {
                let found = (try? Self.state(status).after(event))?.status.rawValue
                #expect(found ?? "-" == next, "\(status) \(name)")
            }
        }
    }

    @Test func `that was raised remembers the version before, once`() throws {
        let done = try Self.state(.updating).after(
            .updated(to: Self.version("8.0.2"), update: "X", patches: [:], at: Self.now))
        #expect(done.previousVersion == Version("8.0.1") && done.version == Version("8.0.2"))
        let again = try done.after(
            .updated(to: Self.version("8.0.2"), update: "X", patches: [:], at: Self.now.adding(seconds: 9)))
        #expect(again.previousVersion == Version("8.0.1") && again.updatedAt == done.updatedAt)
    }

    @Test func `that is left in the middle of a job says so`() throws {
        #expect(try Self.state(.failed).after(.leave(message: "left")).message == "left")
        #expect(try Self.state(.current).after(.leave(message: "left")).message == "")
    }

    @Test func `keeps version and message when its directory has another name`() throws {
        let moved = try Self.state(.current).after(.move(folder: "SEED3", path: "/srv/SEED3", inode: 4))
        #expect(moved.version == Version("8.0.1") && moved.folder == "SEED3" && moved.path == "/srv/SEED3")
    }
}
