import Foundation
import PatchModel
import PatchStore
import Synchronization
import Testing

/// The folder's owner is `nobody`, who has the directory `own` to himself; the rest is root's.
@Suite(.enabled(if: geteuid() == 0)) struct `A credentials file` {
    private static let owner: UInt32 = 65534
    private static let secret = "secret of root"
    let store: Store

    init() throws {
        store = try Store()
        try store.write("password=own\n", "own/own")
        try store.write("password=given\n", "given")
        try store.write(Self.secret, "secret")
        for name in ["own/own", "given", "secret"] { chmod("\(store.path)/\(name)", 0o600) }
        for name in ["own", "own/own"] { chown("\(store.path)/\(name)", Self.owner, Self.owner) }
    }

    private func read(_ relative: String) throws(Fault) -> String {
        String(
            decoding: try CredentialFile.read(
                "\(store.path)/\(relative)", of: "SEED", "credentials", owner: "nobody", Self.owner), as: UTF8.self)
    }

    private func refusal(_ relative: String) -> String {
        do throws(Fault) { return "read: \(try read(relative))" } catch {
            return error.code == .database ? error.message : "\(error)"
        }
    }

    @Test func `is read if it is the owner's, or root's where only root decides`() throws {
        #expect(try read("own/own") == "password=own\n")
        #expect(try read("given") == "password=given\n")
        symlink("own", "\(store.path)/own/link")
        #expect(try read("own/link") == "password=own\n", "what is his he may name as he likes")
    }

    @Test func `of root that the owner's link leads to is refused, and what to do is said`() {
        symlink("\(store.path)/secret", "\(store.path)/own/link")
        #expect(
            refusal("own/link")
                == "cannot use the credentials \(store.path)/own/link: it belongs to root, and others may write to "
                + "\(store.path)/own; put it where only root decides, as below /etc/patchd, or chown nobody "
                + "\(store.path)/own/link")
        symlink(store.path, "\(store.path)/own/above")
        #expect(refusal("own/above/secret").contains("others may write to \(store.path)/own;"))
        symlink(store.path, "\(store.path)/roots")
        #expect(refusal("roots/secret").contains("\(store.path)/roots is a link;"))
        symlink("secret", "\(store.path)/named")
        #expect(refusal("named").contains("\(store.path)/named is a link;"))
        link("\(store.path)/secret", "\(store.path)/second")
        #expect(refusal("second").contains("it has a second name;"))
    }

    @Test func `that is none, or that others may read, is refused`() throws {
        mkfifo("\(store.path)/own/pipe", 0o600)
        #expect(refusal("own/pipe").contains("it is no small file; its lines are"))
        symlink("/dev/null", "\(store.path)/own/device")
        #expect(refusal("own/device").contains("it is no small file"))
        #expect(refusal("own").contains("it is no small file"))
        #expect(refusal("own/none").contains("No such file or directory; correct \"credentials\""))
        try store.write(String(repeating: "x", count: (64 << 10) + 1), "large")
        #expect(refusal("large").contains("it is no small file"))
        chmod("\(store.path)/given", 0o640)
        #expect(refusal("given").contains("others may read or write it; chmod 600"))
        chmod("\(store.path)/given", 0o600)
        chown("\(store.path)/given", 1, 1)
        #expect(refusal("given").contains("it belongs to uid 1; chown nobody"))
    }

    @Test func `that its owner exchanges for a link while it is read never gives what is root's`() throws {
        let place = "\(store.path)/own/own"
        try store.write("password=own\n", "own/kept")
        chmod("\(store.path)/own/kept", 0o600)
        chown("\(store.path)/own/kept", Self.owner, Self.owner)
        symlink("\(store.path)/secret", "\(store.path)/own/other")
        let goesOn = Mutex(true)
        let ended = DispatchSemaphore(value: 0)
        let directory = store.path
        Thread.detachNewThread {
            while goesOn.withLock({ $0 }) {
                for name in ["other", "kept"] {
                    // A second name, renamed over the one that is read.
                    link("\(directory)/own/\(name)", "\(directory)/own/next")
                    rename("\(directory)/own/next", place)
                    unlink("\(directory)/own/next")
                }
            }
            ended.signal()
        }
        var seen: Set<String> = []
        for _ in 0..<5000 { seen.insert(String(refusal("own/own").prefix(12))) }
        goesOn.withLock { $0 = false }
        ended.wait()
        #expect(seen == ["read: passwo", "cannot use t"])
    }
}
