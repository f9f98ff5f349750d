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

    /// Reads one, also from a ledger of before a place could be another one than the step's path. ``place`` is empty then.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        step = try keys.decode(Int.self, forKey: .step)
        inode = try keys.decode(UInt64.self, forKey: .inode)
        replaces = try keys.decodeIfPresent(UInt64.self, forKey: .replaces)
        place = try keys.decodeIfPresent(String.self, forKey: .place) ?? ""
        mount = try keys.decodeIfPresent(String.self, forKey: .mount) ?? ""
    }

    /// Cuts a row of slots so that within a run no place comes twice, and no file takes the place of a directory that
    /// something earlier in the run lies in: after a crash in a run, what lies at a place and in its slot is then this one
    /// step's doing, and before the run it is what it will be when the step's turn comes.
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
