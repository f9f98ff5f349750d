import PatchStore
import Testing

@testable import PatchModel
@testable import Supervisor

@Suite struct `What is shown on the bus` {
    private let published = PublishedState(StateDirectory(path: "/nonexistent"))

    private func state(_ folder: String, _ version: String?) throws -> FolderState {
        FolderState(
            endpoint: "payroll", folder: folder, version: try version.map { try #require(Version($0)) },
            path: "/srv/\(folder)", owner: "root", at: .now)
    }

    private func job(_ number: Int) throws -> Job {
        Job(
            job: number, endpoint: "payroll", update: "A", version: try #require(Version("2")), sha256: "",
            options: UpdateOptions(), claim: "", createdAt: .now)
    }

    private var changes: [PublishedState.Change] {
        var changes: [PublishedState.Change] = []
        while let change = published.nextChange() { changes.append(change) }
        return changes
    }

    @Test func `is no change for who looks for the first time, and then each that there is, once`() throws {
        published.show(["SEED": try state("SEED", "1"), "OTHER": try state("OTHER", "1")], of: "payroll", ["SEED"])
        published.show(jobs: [try job(1)])
        published.show(try state("SEED", "2"))
        published.set(isReached: true)
        #expect(changes == [.lists(jobs: true, folders: true)])
        #expect(published.folders == [.init(endpoint: "payroll", folder: "SEED", version: "2", status: "current")])
        #expect(published.jobs == [.init(number: 1, endpoint: "payroll", state: "queued")])

        published.show(try state("SEED", "2"))
        published.show(try state("OTHER", "2"))
        published.show(jobs: [try job(1)])
        #expect(changes == [])

        published.show(jobs: [try job(1), try job(2)])
        published.show(try state("SEED", nil))
        #expect(
            changes == [
                .job(.init(number: 2, endpoint: "payroll", state: "queued")),
                .folder(.init(endpoint: "payroll", folder: "SEED", version: "", status: "current")),
                .lists(jobs: true, folders: true),
            ])
        published.show(jobs: [try job(2)])
        #expect(changes == [.lists(jobs: true, folders: false)], "one that is no longer kept")
        published.show(endpoints: ["other"])
        #expect(changes == [.lists(jobs: false, folders: true)])
        #expect(published.folders.isEmpty)
    }

    @Test func `waits for a bus that does not read, up to a limit`() throws {
        published.show(["SEED": try state("SEED", "1")], of: "payroll", ["SEED"])
        published.set(isReached: true)
        #expect(changes == [.lists(jobs: true, folders: true)])
        for number in 2...5000 { published.show(try state("SEED", "\(number)")) }
        let changes = changes
        #expect(changes.count == 1001)
        #expect(changes.first == .folder(.init(endpoint: "payroll", folder: "SEED", version: "2", status: "current")))
        #expect(changes.last == .lists(jobs: false, folders: true), "who listens looks again")
        published.show(try state("SEED", "1"))
        published.set(isReached: false)
        published.set(isReached: true)
        #expect(self.changes == [.lists(jobs: true, folders: true)], "who comes now looks at the lists first")
    }

    @Test func `are jobs for root alone where nothing says who may read them`() {
        #expect(published.maySeeJobs(uid: 0, groups: []))
        #expect(!published.maySeeJobs(uid: 1, groups: [0]))
    }
}
