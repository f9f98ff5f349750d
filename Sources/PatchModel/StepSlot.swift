/// Where a step's new content lies, and where the original will be found after the switch.
public struct StepSlot: Hashable, Codable, Sendable {
    /// The step's number in the plan, as in ``FolderPlan/step(_:)``.
    public var step: Int
    /// The inode of the new file: the step is done when its place shows this inode. 0 where nothing new is brought.
    public var inode: UInt64
    /// The file that is replaced; nil where there is none. Exact from the moment in which the step is switched.
    public var replaces: UInt64?
    /// Relative to the folder and free of links: the step's path, unless that leads through one. Empty for a script.
    public var place: String
    /// The top of the mount that the place lies on, relative to the folder; empty for the folder's own.
    public var mount: String

    /// A slot from its parts.
    public init(step: Int, inode: UInt64, replaces: UInt64?, place: String, mount: String = "") {
        self.step = step
        self.inode = inode
        self.replaces = replaces
        self.place = place
        self.mount = mount
    }

    /// Cuts a row of slots so that within a run no place comes twice: after a crash in a run, what lies at a place and in
    /// its slot is then this one step's doing.
    public static func runs(_ slots: [StepSlot]) -> [[StepSlot]] {
        var runs: [[StepSlot]] = []
        var places: Set<ExactText> = []
        for slot in slots {
            if places.insert(ExactText(slot.place)).inserted, !runs.isEmpty {
                runs[runs.count - 1].append(slot)
            } else {
                runs.append([slot])
                places = [ExactText(slot.place)]
            }
        }
        return runs
    }
}
