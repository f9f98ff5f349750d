/// One command of a sequence.
enum Action: Hashable, CustomStringConvertible {
    /// A file in a folder that somebody changes behind patchd's back.
    enum Hand: Hashable {
        case change(String)
        case remove(String)
        case make(String)
        case removeLock
        case copyLock(from: String)
        case copyArea(from: String)
    }

    case drop(TestUpdate, exclude: [String], only: [String], failingIn: [String])
    case approve(Int)
    case decline(Int)
    case cancel(Int)
    case resume(Int, fixed: Bool, assumed: String?, skip: [String])
    case rollbackJob(Int)
    case rollbackFolder(String, to: Int?)
    case catchup(String)
    case gc(retain: Int)
    case byHand(String, Hand)
    /// By the name of the file in `holds/`, without its ending.
    case hold(String)
    case unhold(String)
    /// The endpoint's window opens, or closes for days.
    case window(isOpen: Bool)
    /// An application is started under `patchctl guard --restart` in a folder, or ended.
    case enter(String)
    case leave(String)
    case nothing

    var description: String {
        switch self {
        case .drop(let update, let exclude, let only, let failing):
            let parts = [("exclude", exclude), ("only", only), ("failing in", failing)]
            return "drop \(update)"
                + parts.filter { !$1.isEmpty }.map { ", \($0) \($1.joined(separator: " "))" }.joined()
        case .approve(let job): return "approve \(job)"
        case .decline(let job): return "decline \(job)"
        case .cancel(let job): return "cancel \(job)"
        case .resume(let job, let fixed, let assumed, let skip):
            return "resume \(job)" + (fixed ? " with the cause removed" : "")
                + (assumed.map { " assuming \($0) done" } ?? "") + (skip.isEmpty ? "" : " skipping \(skip)")
        case .rollbackJob(let job): return "roll back job \(job)"
        case .rollbackFolder(let folder, let version):
            return "roll back \(folder)" + (version.map { " to \($0).0" } ?? "")
        case .catchup(let folder): return "catch up \(folder)"
        case .gc(let retain): return "gc with retain \(retain)"
        case .byHand(let folder, .change(let file)): return "change \(folder)/\(file) by hand"
        case .byHand(let folder, .remove(let file)): return "remove \(folder)/\(file) by hand"
        case .byHand(let folder, .make(let file)): return "make \(folder)/\(file) by hand"
        case .byHand(let folder, .removeLock): return "remove \(folder)/update.lock by hand"
        case .byHand(let folder, .copyLock(let other)): return "copy \(other)'s update.lock to \(folder)"
        case .byHand(let folder, .copyArea(let other)): return "copy \(other)'s .patchd to \(folder)"
        case .hold(let target): return "hold \(target)"
        case .unhold(let target): return "unhold \(target)"
        case .window(let isOpen): return isOpen ? "open the window" : "close the window"
        case .enter(let folder): return "start the application in \(folder)"
        case .leave(let folder): return "end the application in \(folder)"
        case .nothing: return "start the daemon"
        }
    }
}

/// A command and what disturbs it.
struct Step: Hashable, CustomStringConvertible {
    /// A kill at a fault point of a program.
    struct Kill: Hashable {
        var program: String
        var at: Int
    }

    /// What else happens; it comes to the same as if it had not.
    enum Trouble: Hashable, CustomStringConvertible {
        /// Before the command the daemon is started with a configuration that lacks a folder; nil: the whole endpoint.
        case missing(String?)
        /// The command meets a state directory on a full disk, and there is room at the next start.
        case fullDisk
        /// The script fills the state directory's disk before it fails, and there is room at the next start.
        case diskRunsFull

        var description: String {
            switch self {
            case .missing(let folder): "after a start without \(folder ?? "the endpoint") in the configuration"
            case .fullDisk: "first with a full disk below the state"
            case .diskRunsFull: "while the disk below the state runs full"
            }
        }
    }

    var action: Action
    var kill: Kill?
    var trouble: Trouble?

    var description: String {
        "\(action)" + (kill.map { ", \($0.program) killed at its point \($0.at)" } ?? "")
            + (trouble.map { ", \($0)" } ?? "")
    }
}
