import ArgumentParser

/// The exit codes of the contract (§9).
enum ExitStatus: Int32, CaseIterable {
    case fine = 0
    case failed = 1
    case usage = 2
    case nothingToDo = 3
    case refused = 4
    case waiting = 5
    case pendingApproval = 6
    case tooNew = 7
    case tooOld = 8
    case noDaemon = 69

    /// What ends a command without another word.
    var exit: ExitCode { ExitCode(rawValue) }

    /// In the words of the manual.
    var meaning: String {
        switch self {
        case .fine: "fine"
        case .failed: "it failed"
        case .usage: "wrong usage"
        case .nothingToDo: "nothing to do"
        case .refused: "refused"
        case .waiting: "locked, held or waiting"
        case .pendingApproval: "waits for approval"
        case .tooNew: "the version is too new"
        case .tooOld: "the version is too old"
        case .noDaemon: "no daemon answered"
        }
    }
}
