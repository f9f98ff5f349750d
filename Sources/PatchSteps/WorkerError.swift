import Glibc
import PatchFiles
import PatchLedger
import PatchModel

/// Why a worker cannot go on.
public enum WorkerError: Error, Sendable, CustomStringConvertible {
    /// The folder stops here; it is recorded in the ledger and an admin is needed.
    case failed(step: Int?, FaultCode, String)
    /// The ledger cannot be trusted or written; nothing more is recorded, the lock stays.
    case ledger(LedgerError)

    /// For people.
    public var description: String {
        switch self {
        case .failed(_, _, let message): message
        case .ledger(let error): error.description
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
        let isFull = error.number == ENOSPC || error.number == EDQUOT
        let wayOut = isFull ? "; make room there, then resume the job" : ""
        throw .failed(step: step, isFull ? .space : .io, "cannot \(doing): \(error)\(wayOut)")
    }
}
