/// One disturbance of one run; its text names it, and is enough to repeat it.
struct Cut: CustomStringConvertible {
    /// What happens.
    enum Effect: Equatable {
        case kill
        /// The power goes, with or without the file system's log being written.
        case power(flushed: Bool)
        /// A call fails.
        case error(String)

        var text: String {
            switch self {
            case .kill: "kill"
            case .power(let flushed): flushed ? "flushed" : "unflushed"
            case .error(let name): name
            }
        }
    }

    /// The errors that a disk or its file system gives.
    static let errors: [String: Int32] = ["EIO": 5, "ENOSPC": 28, "EROFS": 30, "EDQUOT": 122]

    var disk: Disk.Kind
    var scenario: Scenario
    /// `patchd`, or the phase of the worker; with a system call `PHASE@FOLDER`.
    var target: String
    /// The system call whose N-th use it is; nil: the N-th fault point.
    var call: String?
    /// From 1; counted in the first process of the target that gets as far, with calls in each thread.
    var number: Int
    var effect: Effect
    /// The fault point of the daemon and of the worker at which the next start is killed too.
    var again: Int?

    var description: String {
        let fields = [
            disk.rawValue, scenario.rawValue, target, call ?? "point", "\(number)", effect.text,
            again.map { "\($0)" } ?? "-",
        ]
        return fields.joined(separator: ":")
    }

    /// The level of docs/crash-safety.md that it belongs to.
    var level: String {
        let place = call != nil ? "system calls" : "fault points"
        return switch effect {
        case .kill: again == nil ? "kill at \(place)" : "kill at \(place), then again in the recovery"
        case .power: "power cut at \(place), \(disk.rawValue)"
        case .error: "error at \(place)"
        }
    }
}

extension Cut {
    /// Reads what ``description`` writes.
    init?(_ text: String) {
        let fields = text.split(separator: ":").map(String.init)
        guard fields.count == 7, let disk = Disk.Kind(rawValue: fields[0]),
            let scenario = Scenario(rawValue: fields[1]),
            let number = Int(fields[4])
        else { return nil }
        let effect: Effect? =
            switch fields[5] {
            case "kill": .kill
            case "flushed", "unflushed": .power(flushed: fields[5] == "flushed")
            default: Cut.errors[fields[5]].map { _ in .error(fields[5]) }
            }
        guard let effect else { return nil }
        self.init(
            disk: disk, scenario: scenario, target: fields[2], call: fields[3] == "point" ? nil : fields[3],
            number: number,
            effect: effect, again: Int(fields[6]))
    }
}
