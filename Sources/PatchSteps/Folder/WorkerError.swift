import Glibc
import PatchFiles
import PatchLedger
import PatchModel

/// Why a worker cannot go on.
public enum WorkerError: Error, Sendable, CustomStringConvertible {
    /// The folder stops here; it is recorded in the ledger and an admin is needed.
    case failed(step: Int?, FaultCode, String)
    /// The worker was asked to stop; the phases of ``FolderWork`` record it and do not throw it.
    case stopped
    /// The ledger cannot be trusted or written; nothing more is recorded, the lock stays.
    case ledger(LedgerError)

    /// For people.
    public var description: String {
        switch self {
        case .failed(_, _, let message): message
        case .stopped: "the worker was asked to stop"
        case .ledger(let error): error.description
        }
    }

    /// The failure of a step whose file work failed.
    init(_ error: FileError, _ doing: String, step: Int?) {
        self = .failed(step: step, error.code, "cannot \(doing): \(error)\(error.wayOut)")
    }
}

extension FileError {
    /// What a failure of this kind is called.
    var code: FaultCode {
        switch number {
        case ENOSPC, EDQUOT: .space
        case EACCES, EPERM, EROFS: .ownership
        default: .io
        }
    }

    /// What an admin can do, to be appended to a message; empty where nothing is known.
    var wayOut: String {
        switch number {
        case ENOSPC, EDQUOT: "; make room there, then resume the job"
        case EROFS: "; mount it writable, then resume the job"
        case EACCES, EPERM: "; give the folder's owner the right to it (chown, chmod, chattr), then resume the job"
        default: ""
        }
    }
}

/// Runs file work and turns its errors into a failure of the step.
func working<Value: ~Copyable>(
    _ doing: String, step: Int? = nil, _ body: () throws(FileError) -> Value
) throws(WorkerError) -> Value {
    do throws(FileError) {
        return try body()
    } catch {
        throw WorkerError(error, doing, step: step)
    }
}
