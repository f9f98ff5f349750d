import Foundation
import PatchArchive
import PatchModel
import Support
import Testing

/// What the check accepts, every reader reads alike: the same names and the same bytes. scripts/archive-differential takes more
/// mutants than this sample.
@Suite struct DifferentialTests {
    /// A mutated archive.
    private struct Mutant {
        var bytes: [UInt8]
        /// How it was made, for messages.
        var story: String
    }

    private static let environment = ProcessInfo.processInfo.environment
    private let seed = environment["PATCHD_TEST_SEED"].flatMap(UInt64.init) ?? .random(in: .min ... .max)
    private let count = environment["PATCHD_ARCHIVE_MUTANTS"].flatMap(Int.init) ?? 3000

    @Test("No mutant crashes the check; one that is accepted is read alike by zipfile, unzip and bsdtar")
    func mutants() throws {
        print("mutants: PATCHD_TEST_SEED=\(seed)")
        var random = SeededGenerator(seed: seed)
        let scratch = try Scratch()
        let bases = try bases(in: scratch)
        var accepted: [String: (mutant: Mutant, hashes: [String: String])] = [:]
        var (known, together, outcomes) = (Set<[UInt8]>(), 0, [String: Int]())
        func compare() throws {
            for (path, views) in try OtherReaders.views(of: accepted.keys.sorted()) {
                let (mutant, hashes) = try #require(accepted[path])
                for (reader, seen) in views.sorted(by: { $0.key < $1.key }) where seen != hashes {
                    Issue.record("\(reader) reads \(mutant.story) as \(seen), the check as \(hashes); seed \(seed)")
                }
                try FileManager.default.removeItem(atPath: path)
            }
            together += accepted.count
            accepted = [:]
        }
        for number in 0..<count {
            let mutant = number % 2 == 0 ? Self.byteMutant(of: bases, &random) : Self.fieldMutant(&random)
            let path = try scratch.file("\(number).zip", mutant.bytes)
            let verdict = try check(path)
            outcomes[verdict.outcome, default: 0] += 1
            guard verdict.update != nil, known.insert(mutant.bytes).inserted else {
                try FileManager.default.removeItem(atPath: path)
                continue
            }
            accepted[path] = (mutant, verdict.hashes)
            if accepted.count == 500 { try compare() }
        }
        try compare()
        let lines = outcomes.sorted { $0.value > $1.value }.map { "\($0.value) \($0.key)" }
        print("\(count) mutants: \(lines.joined(separator: ", ")); \(together) different ones compared")
        #expect(together > 0)
    }

    /// Real deflate data, a comment, a directory; descriptors and zip64; stored data.
    private func bases(in scratch: Scratch) throws -> [[UInt8]] {
        let source = try scratch.directory("source")
        try Sample.write(to: source)
        try run(["zip", "-qrz", scratch.path + "/real.zip", "."], in: source, input: "hello\n.\n")
        var streamed = Sample.zip
        streamed.isZip64 = true
        streamed.members = streamed.members.map { $0.streamed() }
        let real = Array(try Data(contentsOf: URL(filePath: scratch.path + "/real.zip")))
        return [real, streamed.bytes(), Sample.zip.bytes()]
    }

    /// One to three places of an archive changed: a byte, a field set to one of the values at the ends, a piece doubled, taken
    /// out, or put there from another archive.
    private static func byteMutant(of bases: [[UInt8]], _ random: inout SeededGenerator) -> Mutant {
        let base = Int.random(in: bases.indices, using: &random)
        var bytes = bases[base]
        var story = "archive \(base)"
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = Int.random(in: bytes.indices, using: &random)
            let width = [1, 2, 4, 8, 30].randomElement(using: &random) ?? 1
            let end = min(bytes.count, place + width)
            let how = Int.random(in: 0..<8, using: &random)
            story += ", \(how) at \(place) of \(width)"
            switch how {
            case 0: for index in place..<end { bytes[index] = 0 }
            case 1: for index in place..<end { bytes[index] = 0xFF }
            case 2: bytes.insert(contentsOf: bytes[place..<end], at: end)
            case 3: bytes.removeSubrange(place..<end)
            case 4:
                let other = bases.randomElement(using: &random) ?? []
                let from = Int.random(in: other.indices, using: &random)
                let piece = other[from..<min(other.count, from + width)]
                bytes.replaceSubrange(place..<min(bytes.count, place + piece.count), with: piece)
            default: bytes[place] ^= UInt8.random(in: 1...255, using: &random)
            }
            if bytes.isEmpty { break }
        }
        return Mutant(bytes: bytes, story: story)
    }

    /// A whole archive in whose headers fields have other values, mostly the same in both, so that more of them are accepted.
    private static func fieldMutant(_ random: inout SeededGenerator) -> Mutant {
        var zip = Sample.zip
        var story: [String] = []
        func chance(_ share: Int) -> Bool { Int.random(in: 0..<share, using: &random) == 0 }
        func some<Value>(_ what: String, _ values: [Value]) -> Value {
            let value = values[Int.random(in: values.indices, using: &random)]
            story.append("\(what) \(value)")
            return value
        }
        zip.isZip64 = chance(2)
        if chance(3) {
            zip.comment = some(
                "comment", [[0], Array("hello".utf8), [0x50, 0x4B, 5, 6], [UInt8](repeating: 7, count: 300)])
        }
        for index in zip.members.indices {
            var member = zip.members[index]
            if chance(2) { member = member.deflated() }
            if chance(3) { member = member.streamed(signed: !chance(4), wide: chance(4), keepsLocalValues: chance(2)) }
            if chance(3) { member.flags |= some("flags", [1 << 1, 1 << 2, 1 << 11, 1 << 3, 1 << 4, 1 << 12]) }
            if chance(3) {
                member.madeBy = some("made by", [20, 3 << 8 | 63, 10 << 8 | 20, 19 << 8 | 21, 7 << 8, 0xFFFF])
            }
            if chance(3) {
                member.attributes = some("attributes", [0, 0x20, 0x10, 0o100600 << 16, 0o100755 << 16 | 1, .max])
            }
            if chance(3) { member.localExtra = some("local extra", extras) }
            if chance(3) { member.centralExtra = some("central extra", extras) }
            let version: UInt16? = chance(6) ? some("version", [10, 45, 46, 51, 63, 64, 0x0314]) : nil
            let comment: [UInt8] = chance(4) ? some("entry comment", [[0x61], [0xFF, 0xFE], [0x50, 0x4B, 1, 2]]) : []
            let change = member.changeLocal
            member.changeLocal = { fields in
                change(&fields)
                fields.versionNeeded = version ?? fields.versionNeeded
            }
            member.changeCentral = { fields in
                fields.versionNeeded = version ?? fields.versionNeeded
                fields.comment = comment
            }
            // Of other hosts than Unix unzip takes a name for code page 850, whatever bit 11 says.
            if index > 0, member.madeBy >> 8 == 3, chance(4) {
                member.name = some(
                    "name",
                    ["P/FILPATCH/ü", "P/FILPATCH/a b", "P/FILPATCH/-x", "P/FILPATCH/A.TXT"].map { Array($0.utf8) })
                if member.name.contains(where: { $0 > 0x7F }) { member.flags |= 1 << 11 }
            }
            zip.members[index] = member
        }
        if chance(4) { zip.members.append(.directory("P/FILPATCH/d")) }
        if chance(4) { zip.members.shuffle(using: &random) }
        return Mutant(bytes: zip.bytes(), story: story.joined(separator: ", "))
    }

    private static let extras: [[UInt8]] = [
        extra(0x5455, [3, 1, 2, 3, 4, 5, 6, 7, 8]), extra(0x7875, [1, 4, 0, 0, 0, 0, 4, 0, 0, 0, 0]),
        extra(0x000A, [UInt8](repeating: 0, count: 32)), extra(0xCAFE, []),
        extra(0x5855, [UInt8](repeating: 1, count: 8)),
        extra(0x0001, le64(15) + le64(15)), extra(0x6375, [1, 2, 3, 4, 5, 6]), extra(0x7075, [1, 0, 0, 0, 0, 0x61]),
        extra(0xFFFF, [1, 2, 3]), [0, 0], extra(0x9901, [2, 0, 0x41, 0x45, 3, 8, 0]),
    ]
}
