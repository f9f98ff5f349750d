import Foundation

/// What is disturbed. Another one is one more case here.
enum Scenario: String, CaseIterable {
    /// A job over three folders, from the drop to its end.
    case apply
    /// The same job after a script failed in one folder and the admin said to go on.
    case resume
    /// All folders go back to the version before, by the downgrades.
    case rollback
    /// The same where an admin gives up what was written to the database since: it comes back from its copy.
    case discard
    /// A job that fails in one folder, which goes back by itself.
    case revert
    /// The same where all folders of the job do.
    case revertAll

    /// The worker's phases that run in it.
    var phases: [String] {
        switch self {
        case .apply: ["unpack", "survey", "stage", "apply"]
        case .resume: ["apply"]
        case .rollback, .discard: ["survey", "revert"]
        // Until something fails they are as in `apply`.
        case .revert, .revertAll: ["revert"]
        }
    }

    /// What the endpoint does about a folder that fails.
    var onFailure: String {
        switch self {
        case .revert, .revertAll: rawValue
        case .apply, .resume, .rollback, .discard: "hold"
        }
    }

    /// Whether the job fails also when nothing disturbs it.
    var fails: Bool { onFailure != "hold" }

    /// The number of the job that is disturbed.
    var job: Int { self == .rollback || self == .discard ? 3 : 2 }

    /// The request that starts it; nil where a drop does.
    var request: String? {
        switch self {
        case .apply, .revert, .revertAll: nil
        case .resume: #"{"command":"resume","job":2}"#
        case .rollback: #"{"command":"rollback","job":2}"#
        case .discard: #"{"command":"rollback","job":2,"discardData":true}"#
        }
    }

    /// Brings an empty host to the instant before the run that is disturbed.
    func prepare(_ bench: Workbench) throws {
        for folder in Workbench.folders { try bench.write("mine\n", "srv/\(folder)/lib/own.dat") }
        try bench.database("CREATE TABLE log (what); CREATE TABLE rates (what)")
        try bench.drop("8.0.1")
        try bench.once(expecting: 0)
        // The admin's own settings stay, what is new lands beside them.
        for folder in Workbench.folders { try bench.write("setting=mine\n", "srv/\(folder)/app.ini") }
        // Rows cannot be taken out of a table again, and what a handler did cannot be undone at all.
        let options: String? =
            switch self {
            case .apply, .resume: nil
            case .rollback, .revert, .revertAll: #"{"patches":{"JOBS":false,"HAND":false}}"#
            case .discard: #"{"patches":{"HAND":false}}"#
            }
        // The last of a folder's scripts fails, so that there is something to take back.
        if fails { try bench.write("", "srv/SEED2/fail-c") }
        try bench.drop("8.0.2", options: options)
        switch self {
        case .apply, .revert, .revertAll: return
        case .resume:
            try bench.write("", "srv/SEED/fail")
            try bench.once(expecting: 1)
            try bench.remove("srv/SEED/fail")
        case .rollback, .discard: try bench.once(expecting: 0)
        }
        if let request { try bench.request(request, "first.json") }
    }
}
