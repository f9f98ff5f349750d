import ArgumentParser
import PatchModel

/// Whether the scripts are tried on copies first; the same for every command that hands an archive to the daemon.
struct RehearseArguments: ParsableArguments {
    @Flag(help: "Try the scripts on copies of the databases first, while everybody works.")
    var rehearse = false

    @Flag(help: "With --rehearse: each script a second time; one that fails then is not idempotent.")
    var twice = false

    func validate() throws {
        if twice, !rehearse { throw ValidationError("--twice goes with --rehearse") }
    }

    var choice: UpdateOptions.Rehearse? { rehearse ? twice ? .twice : .once : nil }
}
