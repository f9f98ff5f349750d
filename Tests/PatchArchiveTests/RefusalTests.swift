import PatchArchive
import PatchModel
import Testing

@Suite struct RefusalTests {
    @Test("A valid update with one defect is refused with the defect's code", arguments: RefusedClasses.all)
    func defect(_ defect: Defect) throws {
        let verdict = try check(defect.bytes())
        #expect(verdict.outcome == defect.code.rawValue, "\(verdict.story)")
        #expect(verdict.refusal?.reason.isEmpty == false)
    }

    @Test("Every code that an archive's bytes can cause is among the defects")
    func codes() {
        let elsewhere: Set<RefusalCode> = [
            .notAFile, .signatureMissing, .signatureInvalid, .optionsInvalid, .notAccepted,
        ]
        let caused = Set(RefusedClasses.all.map(\.code))
        #expect(Set(RefusalCode.allCases).subtracting(elsewhere) == caused)
    }

    @Test("Other formats under the name of a zip are malformed, and named")
    func otherFormats() throws {
        let cases: [([UInt8], String)] = [
            ([0x1F, 0x8B, 8, 0] + [UInt8](repeating: 1, count: 40), "gzip"),
            (Array("7z".utf8) + [0xBC, 0xAF] + [UInt8](repeating: 1, count: 40), "7z"),
            (Array("#!/bin/sh\n".utf8), "self-extracting"),
            (Array("P".utf8) + [0], "front"),
        ]
        for (bytes, word) in cases {
            let verdict = try check(bytes)
            #expect(verdict.outcome == "archiveMalformed")
            #expect(verdict.refusal?.reason.contains(word) == true, "\(verdict.story)")
        }
    }

    @Test("An empty file and the first bytes of a zip are incomplete")
    func beginnings() throws {
        for count in 0...4 { #expect(try check(Array(Sample.zip.bytes().prefix(count))).outcome == "incomplete") }
    }

    @Test("Bytes after the end are counted")
    func trailingBytes() throws {
        var zip = Sample.zip
        zip.suffix = [UInt8](repeating: 0, count: 1234)
        #expect(try check(zip.bytes()).refusal?.reason.contains("1234") == true)
    }

    @Test("A method that is not read is named")
    func methodName() throws {
        var zip = Sample.zip
        zip.members[1].method = 12
        #expect(try check(zip.bytes()).refusal?.reason.contains("bzip2") == true)
    }

    @Test("Limits of this host count")
    func limits() throws {
        let bytes = Sample.zip.bytes()
        let tight: [(WritableKeyPath<Limits, Int>, Int, Int)] = [
            (\.entries, 4, 3), (\.name, 21, 20), (\.depth, 4, 3), (\.manifest, 200, 20),
        ]
        for (limit, enough, little) in tight {
            var limits = Limits()
            limits[keyPath: limit] = enough
            #expect(try check(bytes, limits: limits).outcome == "accepted")
            limits[keyPath: limit] = little
            #expect(try check(bytes, limits: limits).outcome == "limitExceeded")
        }
        var limits = Limits()
        limits.unpacked = UInt64(Sample.files.reduce(0) { $0 + $1.text.utf8.count })
        #expect(try check(bytes, limits: limits).outcome == "accepted")
        limits.unpacked -= 1
        #expect(try check(bytes, limits: limits).outcome == "limitExceeded")
    }

    @Test("Directories that names imply are limited like entries")
    func impliedDirectories() throws {
        var zip = Sample.zip
        for index in 0..<20 { zip.members.append(ZipMember("P/FILPATCH/\(index)/a/b/c", "x")) }
        var limits = Limits()
        limits.entries = 30
        #expect(try check(zip.bytes(), limits: limits).outcome == "limitExceeded")
    }
}
