/// Where a step's new content is, and where the original will be after the switch.
///
/// Why: docs/decisions/files.md#undo-is-decided-by-inodes
public struct StepSlot: Hashable, Codable, Sendable {
    /// The step's number in the plan, as in ``FolderPlan/step(_:)``.
    public var step: Int
    /// The inode of the new file: the step is done when its target has this inode. 0 where there is no new file.
    public var inode: UInt64
    /// The inode of the file that is replaced; nil where there is none. Exact from the switch of this step on.
    public var replaces: UInt64?
    /// The target, relative to the folder and free of links: the step's path, unless that leads through a link. Empty
    /// for a script.
    public var place: String
    /// The top of the mount that the target is on, relative to the folder; empty for the folder's own.
    public var mount: String

    /// Memberwise.
    public init(step: Int, inode: UInt64, replaces: UInt64?, place: String, mount: String = "") {
        self.step = step
        self.inode = inode
        self.replaces = replaces
        self.place = place
        self.mount = mount
    }

    /// Reads one, also from an older ledger, in which the target always was the step's path. ``place`` is empty then.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        step = try keys.decode(Int.self, forKey: .step)
        inode = try keys.decode(UInt64.self, forKey: .inode)
        replaces = try keys.decodeIfPresent(UInt64.self, forKey: .replaces)
        place = try keys.decodeIfPresent(String.self, forKey: .place) ?? ""
        mount = try keys.decodeIfPresent(String.self, forKey: .mount) ?? ""
    }

    /// Divides slots into runs, so that within a run no target comes twice, and no file replaces a directory in which
    /// an earlier step of the run works. After a crash in a run, what is at a target and in its slot is then the effect
    /// of this step alone.
    public static func runs(_ slots: [StepSlot], of plan: FolderPlan) -> [[StepSlot]] {
        var runs: [[StepSlot]] = []
        var places: Set<ExactText> = []
        var above: Set<ExactText> = []
        for slot in slots {
            let place = ExactText(slot.place)
            let isDirectory = plan.step(slot.step)?.kind == .directory
            if runs.isEmpty || places.contains(place) || !isDirectory && above.contains(place) {
                runs.append([])
                places = []
                above = []
            }
            runs[runs.count - 1].append(slot)
            places.insert(place)
            if !isDirectory { above.formUnion(place.parents) }
        }
        return runs
    }
}
