import Glibc
import PatchFiles
import PatchModel
import PatchStore

/// `ExecReload=`: has a running daemon read its configuration again, and waits for what it says.
public struct ReloadRequest: Sendable {
    /// How it ended.
    public enum Answer: Hashable, Sendable {
        /// The configuration is in effect.
        case accepted
        /// The one before stays in effect; what is wrong with it.
        case refused([String])
        /// No answer came; why.
        case none(String)
    }

    private let state: StateDirectory
    private let pid: Int32

    /// - Parameters:
    ///   - state: the daemon's state directory.
    ///   - pid: the daemon.
    public init(state: String, pid: Int32) {
        self.state = StateDirectory(path: state)
        self.pid = pid
    }

    /// Asks, and waits for the answer.
    ///
    /// - Parameter seconds: at most.
    public func answer(within seconds: Double) -> Answer {
        let began = MonotonicClock.seconds
        guard kill(pid, SIGHUP) == 0 else {
            return .none("cannot ask process \(pid) to reload: \(String(cString: strerror(errno)))")
        }
        while MonotonicClock.seconds - began < seconds {
            do {
                if let answer = try state.configurationAnswer(), answer.began >= began {
                    return answer.refused.isEmpty ? .accepted : .refused(answer.refused)
                }
            } catch {
                return .none("\(error)")
            }
            if kill(pid, 0) != 0 { return .none("the daemon (pid \(pid)) has ended") }
            MonotonicClock.wait(seconds: 0.05)
        }
        return .none("the daemon (pid \(pid)) has not answered within \(Int(seconds)) s")
    }
}
