import Foundation
import Testing

@Suite struct `The programs` {
    /// The daemon and patchctl parse nothing hostile, so they link no reader of archives.
    @Test(arguments: ["patchd", "patchctl"]) func `link no archive library, and nobody links Foundation`(
        program: String
    ) throws {
        let host = try Installation()
        let needed = try Installation.run("/usr/bin/readelf", ["-d", host.program(program)]).output
        #expect(needed.contains("libcrypto"))
        #expect(!needed.contains("libarchive"))
        #expect(!needed.contains("libFoundation.so"))
    }
}
