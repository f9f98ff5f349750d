import Foundation
import PatchArchive
import PatchFiles
import PatchModel
import Testing

@Suite struct AcceptanceTests {
    @Test("The sample itself is a valid update")
    func sample() throws {
        let verdict = try check(Sample.zip.bytes())
        #expect(verdict.outcome == "accepted", "\(verdict.story)")
        #expect(verdict.update?.entries.map(\.path) == Sample.files.map(\.name).sorted())
        #expect(verdict.update?.manifest.name == "U")
    }

    @Test("Consistent descriptors are accepted in all their forms")
    func descriptors() throws {
        for (signed, wide) in [(true, false), (false, false)] {
            var zip = Sample.zip
            zip.members = zip.members.map { $0.deflated().streamed(signed: signed, wide: wide) }
            #expect(try check(zip.bytes()).story == "accepted")
            zip.members = Sample.zip.members.map { $0.deflated().streamed(signed: signed, keepsLocalValues: true) }
            #expect(try check(zip.bytes()).story == "accepted")
        }
    }

    @Test("A descriptor with signature after stored data is accepted where nothing earlier reads as one")
    func storedDescriptor() throws {
        var zip = Sample.zip
        zip.members = zip.members.map { $0.streamed() }
        #expect(try check(zip.bytes()).story == "accepted")
        // Zeros, and a signature with other numbers behind it, are no end.
        let data = [UInt8](repeating: 0, count: 64) + le32(0x0807_4B50) + le32(7) + le32(64) + le32(64) + [1, 2, 3]
        zip.members[1] = ZipMember(zip.members[1].name, data).streamed()
        #expect(try check(zip.bytes()).story == "accepted")
    }

    @Test("Zip64 is accepted where all values agree")
    func zip64() throws {
        var zip = Sample.zip
        zip.isZip64 = true
        #expect(try check(zip.bytes()).story == "accepted")
        zip.members[1].localExtra = extra(1, le64(15) + le64(15))
        zip.members[1].changeLocal = { ($0.size, $0.compressed) = (0xFFFF_FFFF, 0xFFFF_FFFF) }
        zip.members[1].centralExtra = extra(1, le64(15) + le64(15))
        zip.members[1].changeCentral = { ($0.size, $0.compressed) = (0xFFFF_FFFF, 0xFFFF_FFFF) }
        #expect(try check(zip.bytes()).story == "accepted")
        zip.isZip64 = false
        zip.members[2].centralExtra = extra(1, le64(320) + le64(320))
        #expect(try check(zip.bytes()).story == "accepted", "a zip64 field that need not be there")
    }

    @Test("Comments are accepted, also longer than what libarchive looks through")
    func comments() throws {
        for length in [1, 40, 16384, 22000, 65535] {
            var zip = Sample.zip
            zip.comment = [UInt8](repeating: 0x61, count: length)
            #expect(try check(zip.bytes()).story == "accepted", "\(length)")
        }
    }

    @Test("Modes are reduced to 0755, none is none, and types count for Unix hosts only")
    func modes() throws {
        let cases: [(UInt32, UInt16, UInt16?)] = [
            (0o100777, 3, 0o755), (0o100666, 3, 0o644), (0o100600, 19, 0o600), (0o000640, 3, 0o640), (0, 3, nil),
            (0o100000, 3, nil), (0o120777, 0, nil), (0o104755, 11, nil),
        ]
        for (mode, host, expected) in cases {
            var member = ZipMember("P/FILPATCH/m", "x", mode: mode)
            member.madeBy = host << 8 | 20
            let verdict = try check(Sample.zip(with: member).bytes())
            #expect(verdict.story == "accepted")
            #expect(verdict.update?.entries.first { $0.path == "P/FILPATCH/m" }?.mode == expected)
        }
    }

    @Test("Setuid, setgid and sticky are dropped from directories")
    func directoryModes() throws {
        let verdict = try check(Sample.zip(with: .directory("P/FILPATCH/d", mode: 0o047777)).bytes())
        #expect(verdict.update?.entries.first { $0.path == "P/FILPATCH/d" }?.mode == 0o755, "\(verdict.story)")
    }

    @Test("A directory may carry an empty deflate stream")
    func deflatedDirectory() throws {
        var member = ZipMember.directory("P/FILPATCH/d")
        member.method = 8
        member.payload = [3, 0]
        #expect(try check(Sample.zip(with: member).bytes()).story == "accepted")
        #expect(try check(Sample.zip(with: member.streamed()).bytes()).story == "accepted")
        member.payload = [3, 1]
        #expect(try check(Sample.zip(with: member).bytes()).outcome == "archiveMalformed")
    }

    @Test("The manifest is found at the root, by another name, or below one top directory")
    func layouts() throws {
        var other = Sample.zip
        other.members[0].name = Array("X3V8.json".utf8)
        #expect(try check(other.bytes()).story == "accepted")

        var below = Sample.zip
        for index in below.members.indices {
            below.members[index].name = Array("top/".utf8) + below.members[index].name
        }
        below.members.insert(.directory("top"), at: 0)
        let verdict = try check(below.bytes())
        #expect(verdict.story == "accepted")
        #expect(verdict.hashes == (try check(Sample.zip.bytes()).hashes))

        // update.json wins over other documents at the root; those are still undeclared content.
        #expect(try check(Sample.zip(with: ZipMember("other.json", "{}")).bytes()).outcome == "contentUndeclared")
    }

    @Test("What macOS and Windows leave behind is checked and dropped")
    func dropped() throws {
        var zip = Sample.zip
        zip.members += [
            ZipMember("__MACOSX/._P", "fork"), ZipMember(".DS_Store", "x"), ZipMember("P/FILPATCH/.DS_Store", "x"),
            ZipMember("P/FILPATCH/Thumbs.db", "x"),
        ]
        let verdict = try check(zip.bytes())
        #expect(verdict.update?.entries.map(\.path) == Sample.files.map(\.name).sorted(), "\(verdict.story)")
        zip.members[4].checksum ^= 1
        #expect(try check(zip.bytes()).outcome == "entryChecksum")
    }

    @Test("Names in decomposed form and without flag 11 are accepted as they are")
    func unicodeNames() throws {
        for flags: UInt16 in [0, 1 << 11] {
            for name in [
                "P/FILPATCH/u\u{308}.txt", "P/FILPATCH/\u{FC}.txt", "P/FILPATCH/漢字.txt", "P/FILPATCH/~$ -x;.txt",
            ] {
                var member = ZipMember(name, "x")
                member.flags = flags
                let verdict = try check(Sample.zip(with: member).bytes())
                #expect(
                    verdict.update?.entries.contains { $0.path.utf8.elementsEqual(name.utf8) } == true,
                    "\(verdict.story)")
            }
        }
    }

    @Test("Names that differ in Unicode form are two files")
    func unicodeForms() throws {
        var zip = Sample.zip
        zip.members += [ZipMember("P/FILPATCH/\u{FC}", "1"), ZipMember("P/FILPATCH/u\u{308}", "2")]
        let scratch = try Scratch()
        let verdict = try ArchiveCheck.unpack(
            archive: File.open(scratch.file("u.zip", zip.bytes())), into: Directory.open(scratch.directory("out")),
            limits: Limits())
        #expect(verdict.update?.findings.map(\.code) == ["nameCollision"], "\(verdict.story)")
        #expect(verdict.update?.entries.count == 6)
    }

    @Test("Carriage returns and byte order marks in scripts are found and refuse nothing")
    func scriptTexts() throws {
        var zip = Sample.zip
        for (name, text) in [
            ("upgrades/8.0.2.sh", "true\r\n"), ("downgrades/8.0.2.php", "\u{feff}<?php"),
            ("upgrades/8.0.1.sh", "true\n"),
            ("upgrades/8.0.2.sql", "SELECT 1;\r\n"), ("other.sh", "true\r\n"),
        ] { zip.members.append(ZipMember("P/FILPATCH/\(name)", text)) }
        let verdict = try check(zip.bytes())
        #expect(verdict.story == "accepted")
        let findings = (verdict.update?.findings ?? []).sorted { $0.place < $1.place }
        #expect(findings.map(\.place) == ["P/FILPATCH/downgrades/8.0.2.php", "P/FILPATCH/upgrades/8.0.2.sh"])
        #expect(findings.allSatisfy { $0.level == .error && $0.code == "scriptSyntax" })
    }

    @Test("The checked tree has the archive's files, readable by others, and the table their hashes")
    func tree() throws {
        let scratch = try Scratch()
        let archive = try scratch.file("u.zip", Sample.zip(with: .directory("P/FILPATCH/empty")).bytes())
        let out = try Directory.open(scratch.directory("out"))
        let verdict = try ArchiveCheck.unpack(archive: File.open(archive), into: out, limits: Limits())
        #expect(verdict.story == "accepted")
        for entry in verdict.update?.entries ?? [] {
            let status = try #require(try out.status(entry.path))
            #expect(status.mode == (entry.kind == .file ? 0o644 : 0o755))
            if entry.kind == .file { #expect(try out.file(entry.path).sha256() == entry.sha256) }
        }
        #expect(try out.status("P/FILPATCH/sub")?.mode == 0o755)
        #expect(verdict.update?.entries.first { $0.path.hasSuffix("run.sh") }?.mode == 0o755)
    }

    @Test("The descriptor's own position is neither used nor moved")
    func position() throws {
        let scratch = try Scratch()
        let file = try File.open(scratch.file("u.zip", Sample.zip.bytes()))
        lseek(file.descriptor, 7, SEEK_SET)
        #expect(try ArchiveCheck.check(archive: file, limits: Limits()).story == "accepted")
        #expect(lseek(file.descriptor, 0, SEEK_CUR) == 7)
    }

    @Test("A disk that is full is this host's fault, not the archive's")
    func fullDisk() throws {
        let scratch = try Scratch()
        let archive = try File.open(scratch.file("u.zip", Sample.zip.bytes()))
        let taken = try Directory.open(scratch.directory("out"))
        _ = try taken.createFile("update.json")
        #expect(throws: FileError.self) { try ArchiveCheck.unpack(archive: archive, into: taken, limits: Limits()) }
    }

    @Test("A finished file ends like an archive, an unfinished one does not")
    func endsLikeAnArchive() throws {
        let scratch = try Scratch()
        var zip = Sample.zip
        zip.comment = Array("a comment".utf8)
        let bytes = zip.bytes()
        #expect(try File.open(scratch.file("whole", bytes)).endsLikeAnArchive())
        #expect(try !File.open(scratch.file("cut", Array(bytes.dropLast()))).endsLikeAnArchive())
        #expect(try !File.open(scratch.file("long", bytes + [0])).endsLikeAnArchive())
        #expect(try !File.open(scratch.file("empty", [])).endsLikeAnArchive())
    }
}
