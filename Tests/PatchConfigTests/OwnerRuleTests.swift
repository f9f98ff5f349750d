import Glibc
import PatchModel
import Testing

@testable import PatchConfig

/// On real directories, which only root can give away.
@Suite(.enabled(if: geteuid() == 0, "needs root")) struct OwnerRuleTests {
    /// Users that every Debian has.
    private let daemon: UInt32 = 1
    private let bin: UInt32 = 2
    private let base: TemporaryDirectory

    init() throws {
        base = try TemporaryDirectory()
        guard chmod(base.path, 0o755) == 0 else { throw SetupError(what: base.path) }
    }

    private func fault(_ path: String, owner: String? = nil, recorded: String? = nil, process: UInt32 = 0) -> Fault? {
        let folder = Folder(name: "SEED", parent: nil, path: path, owner: owner)
        do throws(Fault) {
            _ = try OwnerRule.check(folder: folder, recorded: recorded, process: process)
            return nil
        } catch {
            return error
        }
    }

    @Test func `the owner is who owns the directory`() throws {
        let path = try base.directory("seed", owner: daemon)
        let folder = Folder(name: "SEED", parent: nil, path: path)
        let owner = try OwnerRule.check(folder: folder, recorded: nil)
        #expect(owner.name == "daemon" && owner.uid == daemon && owner.gid == 1 && !owner.home.isEmpty)
        #expect(fault(path, owner: "daemon", recorded: "daemon") == nil)
    }

    @Test func `root is used only where the configuration says so`() throws {
        let path = try base.directory("seed")
        let found = try #require(fault(path))
        #expect(found.code == .ownership && found.folder == "SEED" && found.message.contains("owner: root"))
        #expect(fault(path, owner: "root") == nil)
    }

    @Test func `a folder of somebody else is not the configured owner's`() throws {
        let path = try base.directory("seed", owner: bin)
        let found = try #require(fault(path, owner: "daemon"))
        #expect(found.code == .ownership && found.message.contains("bin") && found.message.contains("chown -R daemon"))
        #expect(fault(path, owner: "root")?.code == .ownership)
        #expect(fault(path, owner: "no-such-user")?.message.contains("no user of this host") == true)
    }

    @Test func `a change against the recorded owner is a fault`() throws {
        let path = try base.directory("seed", owner: daemon)
        #expect(fault(path, recorded: "bin")?.code == .ownership)
    }

    @Test func `a component above belongs to root or the owner`() throws {
        try base.directory("other", owner: bin)
        let path = try base.directory("other/seed", owner: daemon)
        let found = try #require(fault(path))
        #expect(found.code == .ownership && found.message.contains("\(base.path)/other, above"))
        try base.directory("own", owner: daemon)
        #expect(fault(try base.directory("own/seed", owner: daemon)) == nil)
        // Root must not be led by anybody.
        let own = try #require(fault(try base.directory("own/root"), owner: "root"))
        #expect(
            own.code == .ownership && own.message.contains("has to belong to root: "), "nobody is named twice: \(own)")
        #expect(found.message.contains("has to belong to root or daemon: "), "\(found)")
    }

    @Test(arguments: [0o775, 0o757, 0o777] as [UInt32])
    func `a component above is writable by no one else, unless it is sticky`(mode: UInt32) throws {
        try base.directory("open", mode: mode)
        let path = try base.directory("open/seed", owner: daemon)
        #expect(fault(path)?.message.contains("writable by") == true)
        #expect(chmod(base.path + "/open", 0o1000 | mode) == 0)
        #expect(fault(path) == nil)
    }

    @Test func `the folder itself may be writable by its group`() throws {
        #expect(fault(try base.directory("seed", owner: daemon, mode: 0o2775)) == nil)
    }

    @Test func `links are not followed, wherever they stand`() throws {
        try base.directory("real")
        try base.directory("real/seed", owner: daemon)
        #expect(symlink(base.path + "/real", base.path + "/link") == 0)
        #expect(symlink(base.path + "/real/seed", base.path + "/seed") == 0)
        #expect(fault(base.path + "/link/seed")?.message.contains("\(base.path)/link is a symbolic link") == true)
        #expect(fault(base.path + "/seed")?.code == .ownership)
    }

    @Test func `a folder that is no directory or does not exist is told`() throws {
        try base.write("", to: "file")
        #expect(fault(base.path + "/file")?.code == .ownership)
        #expect(fault(base.path + "/gone")?.code == .missing)
    }

    @Test func `a directory of an unknown user is refused`() throws {
        let path = try base.directory("seed", owner: 54_321)
        #expect(fault(path)?.message.contains("54321") == true)
    }

    @Test func `without root only the process's own folders are updated`() throws {
        let path = try base.directory("seed", owner: daemon)
        #expect(fault(path, process: daemon) == nil)
        #expect(fault(path, process: bin)?.message.contains("without root") == true)
        #expect(fault(try base.directory("root"), owner: "root", process: bin)?.code == .ownership)
        // In a container there may be no entry for the process's user.
        #expect(fault(try base.directory("numbered", owner: 54_321), process: 54_321) == nil)
    }
}
