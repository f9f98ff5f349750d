import Logging
import PatchConfig
import PatchFiles
import PatchModel
import PatchStore
import Synchronization

/// What every part of the daemon works with.
struct DaemonContext: Sendable {
    let directories: Directories
    var configuration: Configuration
    let state: StateDirectory
    let spool: Spool
    let workers: any Workers
    let units: any Units
    let logger: Logger
    /// What a person waits for, on its way to `notify`.
    let notices: NoticeQueue
    /// Whether the daemon ends when nothing can run any more.
    let once: Bool
    let holds: Holds
    /// What went wrong since the start, for the exit code.
    let failures: FailureCount
    var clocks: any Clocks = SystemClocks()
    let auditLog = AuditLog()
    let metrics = Metrics()
    /// What other programs see over D-Bus.
    let published: PublishedState
    /// Where calls on folders' file systems run.
    let threads = FolderThreads()

    func endpoint(_ name: String) -> Endpoint? { configuration.endpoints.first { $0.name == name } }
}

/// Counts refused files and failed jobs.
final class FailureCount: Sendable {
    private let count = Atomic<Int>(0)

    func note() { count.add(1, ordering: .relaxed) }

    var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }
}

/// What is shared by all endpoints.
struct DaemonStores: Sendable {
    let jobs: JobStore
    let units: QuiescedUnitStore
    let slots: WorkerSlots
    let watch: DirectoryWatch
    let gate = TurnGate()
    /// Raised when a job has ended or stopped.
    let jobIsOver = WakeSignal()
}
