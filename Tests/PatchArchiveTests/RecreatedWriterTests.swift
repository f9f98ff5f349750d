import Foundation
import PatchArchive
import PatchModel
import Testing

/// Headers as writers of other systems leave them, rebuilt field by field.
@Suite struct RecreatedWriterTests {
    // Windows Explorer: made by FAT 2.0, archive attribute 0x20, no extra fields, no directory entries, no flags; bit 11
    // for names beyond ASCII since Windows 7. Seen in Go's archive/zip/testdata winxp.zip and time-win7.zip.
    private static func explorer(_ member: ZipMember) -> ZipMember {
        var member = member.deflated()
        member.madeBy = 0 << 8 | 20
        member.attributes = 0x20
        if member.name.contains(where: { $0 > 0x7F }) { member.flags |= 1 << 11 }
        return member
    }

    // Finder and ditto: made by Unix 2.1, deflate with a signed descriptor and zeros in the local header, the old Info-ZIP
    // Unix field 0x5855 (12 bytes local, 8 central), names decomposed UTF-8 without bit 11. Directories are stored,
    // without a descriptor; resource forks lie below __MACOSX. Seen in Go's archive/zip/testdata time-osx.zip and
    // libarchive's test_read_format_zip_mac_metadata.zip.
    private static func finder(_ member: ZipMember) -> ZipMember {
        var member = member
        member.madeBy = 3 << 8 | 21
        member.localExtra = extra(0x5855, [UInt8](repeating: 1, count: 12))
        member.centralExtra = extra(0x5855, [UInt8](repeating: 1, count: 8))
        return member.name.last == UInt8(ascii: "/") ? member : member.deflated().streamed()
    }

    // .NET's ZipFile.CreateFromDirectory: made by Unix or FAT 2.0, level in flags 1 and 2 since .NET 9, bit 11 for names
    // beyond ASCII, a signed descriptor where the stream cannot seek, empty files stored; on Windows no attributes. From
    // dotnet/runtime, System.IO.Compression/ZipArchiveEntry.cs (WriteLocalFileHeader, WriteDataDescriptor).
    private static func dotNet(_ member: ZipMember, host: UInt16, canSeek: Bool) -> ZipMember {
        var member = member.payload.isEmpty ? member : member.deflated()
        member.madeBy = host << 8 | 20
        if host == 0 { member.attributes = 0 }
        if !member.payload.isEmpty {
            member.flags |= 1 << 1
            if !canSeek { member = member.streamed() }
        }
        if member.name.contains(where: { $0 > 0x7F }) { member.flags |= 1 << 11 }
        return member
    }

    private var plain: [ZipMember] {
        Sample.zip.members + [ZipMember("P/FILPATCH/u\u{308}ber.txt", "x"), ZipMember("P/FILPATCH/empty.txt")]
    }

    private func paths(_ members: [ZipMember]) throws -> [String] {
        let verdict = try check(ZipBuilder(members).bytes())
        #expect(verdict.story == "accepted")
        return (verdict.update?.entries ?? []).map(\.path)
    }

    private var expected: [String] {
        plain.map { String(decoding: $0.name, as: UTF8.self) }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    @Test("Windows Explorer's archives are accepted")
    func explorer() throws {
        #expect(try paths(plain.map { $0.payload.isEmpty ? $0 : Self.explorer($0) }) == expected)
    }

    @Test("Archives of Finder and ditto are accepted, without their resource forks")
    func finder() throws {
        let forks = plain.map { member in
            ZipMember(Array("__MACOSX/".utf8) + member.name, Array("fork".utf8))
        }
        let members = [.directory("P"), .directory("P/FILPATCH")] + plain + [.directory("__MACOSX")] + forks
        #expect(try paths(members.map(Self.finder)) == ["P", "P/FILPATCH"] + expected)
    }

    @Test("A folder that Finder compressed as a whole is accepted, its forks beside the top directory")
    func finderFolder() throws {
        let top = Array("My Update/".utf8)
        let members =
            plain.map { ZipMember(top + $0.name, $0.payload) }
            + [ZipMember("__MACOSX/My Update/._update.json", "fork"), ZipMember("__MACOSX/._My Update", "fork")]
        #expect(try paths(members.map(Self.finder)) == expected)
    }

    @Test("Archives of .NET are accepted")
    func dotNet() throws {
        for host: UInt16 in [0, 3] {
            for canSeek in [true, false] {
                #expect(try paths(plain.map { Self.dotNet($0, host: host, canSeek: canSeek) }) == expected)
            }
        }
    }

    @Test("The backslashes of old .NET are named")
    func oldDotNet() throws {
        let verdict = try check(Sample.zip(with: ZipMember("P\\FILPATCH\\x", "x")).bytes())
        #expect(verdict.refusal?.reason.contains("backslash") == true)
    }
}
