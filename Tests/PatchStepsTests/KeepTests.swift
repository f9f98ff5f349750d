import Foundation
import PatchFiles
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

@Suite struct `A file that is the admin's own once changed` {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.run(1, [.directory("conf"), .file("conf/app.ini", "one", keep: true)])
    }

    @discardableResult
    private func second(_ text: String = "two") throws -> LedgerSummary {
        try place.begin(
            2, place.plan(2, [.file("conf/app.ini", text, keep: true)], from: "8.0.2", to: "8.0.3"))
        try place.survey(2)
        try place.stage(2)
        return try place.apply(2)
    }

    @Test func `is simply replaced while nobody changed it`() throws {
        #expect(try second().outcome == .done)
        #expect(try place.read("conf/app.ini") == "two")
        #expect(!place.exists("conf/app.ini.patchd-new"))
    }

    @Test func `stays when it was changed, with the new one beside it, which a revert takes away`() throws {
        try place.write("mine", "conf/app.ini")
        chmod(place.folder + "/conf/app.ini", 0o600)
        let before = try place.picture()
        #expect(try second().survey?.warnings.first?.contains("conf/app.ini.patchd-new") == true)
        #expect(try place.read("conf/app.ini") == "mine")
        #expect(try place.read("conf/app.ini.patchd-new") == "two")
        #expect(place.mode("conf/app.ini.patchd-new") == 0o600, "as the one that it is to replace")
        #expect(try place.revert(2).outcome == .reverted)
        #expect(try place.picture() == before)
    }

    @Test func `counts as changed where patchd never brought it`() throws {
        try place.write("mine", "other.ini")
        try place.run(2, [.file("other.ini", "new", keep: true)], from: "8.0.2", to: "8.0.3")
        #expect(try place.read("other.ini") == "mine")
        #expect(try place.read("other.ini.patchd-new") == "new")
    }

    @Test func `is equal when the admin made the same change`() throws {
        try place.write("two", "conf/app.ini")
        #expect(try second().equal == [0])
        #expect(!place.exists("conf/app.ini.patchd-new"))
    }

    @Test func `comes again where it was removed`() throws {
        try place.remove("conf/app.ini")
        try second()
        #expect(try place.read("conf/app.ini") == "two")
    }

    @Test(arguments: [false, true])
    func `stays when it is changed between staging and the switch`(inPlace: Bool) throws {
        try place.begin(
            2, place.plan(2, [.file("conf/app.ini", "two", keep: true)], from: "8.0.2", to: "8.0.3"))
        try place.survey(2)
        try place.stage(2)
        if inPlace {
            let handle = try #require(FileHandle(forWritingAtPath: place.folder + "/conf/app.ini"))
            try handle.write(contentsOf: Data("ONE".utf8))
        } else {
            try place.write("ONE", "conf/app.ini")
        }
        #expect(try place.apply(2).outcome == .done)
        #expect(try place.read("conf/app.ini") == "ONE")
        #expect(try place.read("conf/app.ini.patchd-new") == "two")
        #expect(try place.revert(2).outcome == .reverted)
        #expect(try place.read("conf/app.ini") == "ONE")
        #expect(!place.exists("conf/app.ini.patchd-new"))
    }

    @Test func `is taken over by taking the new one, as it was offered`() throws {
        try place.write("mine", "conf/app.ini")
        try second()
        try place.remove("conf/app.ini")
        try FileManager.default.moveItem(
            atPath: place.folder + "/conf/app.ini.patchd-new", toPath: place.folder + "/conf/app.ini")
        try place.run(3, [.file("conf/app.ini", "three", keep: true)], from: "8.0.3", to: "8.0.4")
        #expect(try place.read("conf/app.ini") == "three")
        #expect(!place.exists("conf/app.ini.patchd-new"))
    }

    @Test func `may be brought by two patches of one update`() throws {
        try place.write("mine", "conf/app.ini")
        try place.run(
            2,
            [
                .file("conf/app.ini", "a", keep: true), .file("fresh.ini", "a", keep: true),
                .file("conf/app.ini", "b", patch: "B", keep: true), .file("fresh.ini", "b", patch: "B", keep: true),
            ], from: "8.0.2", to: "8.0.3")
        #expect(try place.read("conf/app.ini") == "mine")
        #expect(try place.read("conf/app.ini.patchd-new") == "b")
        #expect(try place.read("fresh.ini") == "b")
        #expect(!place.exists("fresh.ini.patchd-new"))
        #expect(try place.revert(2).outcome == .reverted)
        #expect(try place.read("conf/app.ini") == "mine")
        #expect(!place.exists("conf/app.ini.patchd-new") && !place.exists("fresh.ini"))
    }

    @Test func `keeps the admin's change after a rollback too`() throws {
        try second()
        try place.write("mine", "conf/app.ini")
        try place.revert(2)
        #expect(try place.read("conf/app.ini") == "one")
        #expect(try place.read("conf/app.ini.patchd-old") == "mine")
    }
}
