import PatchModel
import Testing

/// The numbers that vendors give their migrations, and the order that follows.
@Suite struct MigrationNameTests {
    @Test(arguments: [
        ("0042_x", "42"), ("0042_x.sql", "42"), ("0042_x.up.sql", "42"), ("0042_x.down.sql", "42"),
        ("V12__x.sql", "12"),
        ("v12__x", "12"), ("20250923_x.sql", "20250923"), ("0042_2fa.sql", "42"), ("0042_2.sql", "42.2"),
        ("0042_2_x.sql", "42.2"), ("V1_2__x.sql", "1.2"), ("V1.2.3__x", "1.2.3"),
        ("20250923_120000_x", "20250923.120000"),
        ("1.sql", "1"), ("1.2.sql", "1.2"), ("1__2.sql", "1"), ("000.sql", "0"), ("12-x.sql", "12"), ("12x.sql", "12"),
        ("1_02.x.sql", "1.2"), ("V1_2x.sql", "1"), ("1..2.sql", "1"), ("1_2_3fa.sql", "1.2"),
        ("123456789012345678901234567890_x", "123456789012345678901234567890"),
    ])
    func `A name has the number at its start`(_ name: String, _ number: String) throws {
        #expect(MigrationName(name)?.number.description == number)
    }

    @Test(arguments: [
        "", ".sql", "x", "x_1.sql", "V.sql", "VV1.sql", "_1.sql", "-1", " 1", "R__x.sql", "U12__x.sql", "１",
    ])
    func `A name without one is none`(_ name: String) { #expect(MigrationName(name) == nil) }

    @Test func `The way up and the way back have the name of the migration`() throws {
        #expect(MigrationName("0042_x.up.sql") == MigrationName("0042_x.sql"))
        #expect(MigrationName("0042_x.down.sql")?.description == "0042_x")
        #expect(MigrationName.File("0042_x.down.sql")?.isWayBack == true)
        #expect(MigrationName.File("0042_x.up.sql")?.isWayBack == false)
        #expect(MigrationName.File("0042_x.SQL") == nil && MigrationName.File("README") == nil)
    }

    @Test func `They are in the order of their numbers, then of their names`() throws {
        let order = ["0009_z", "10_a", "V10.0_a", "10_0_1_a", "10_1_a", "v11_b", "0011_c", "100_a"]
        let names = try order.map { try #require(MigrationName($0)) }
        // Of one number, bytes decide: "0011_c" comes before "v11_b".
        let sorted = names.shuffled().sorted().map(\.description)
        #expect(sorted == ["0009_z", "10_a", "V10.0_a", "10_0_1_a", "10_1_a", "0011_c", "v11_b", "100_a"])
    }

    /// Names that are made of known numbers: the number that is read is the one that was written.
    @Test func `Whatever the form, the number is the one that was written, and the order that of the numbers`() throws {
        var dice = SystemRandomNumberGenerator()
        var known: [(name: MigrationName, parts: [Int])] = []
        for _ in 0..<2000 {
            let parts = (0..<Int.random(in: 1...3, using: &dice)).map { _ in
                [0, 1, 2, 9, 10, 42, 20_250_923].randomElement(using: &dice) ?? 0
            }
            let zeros = String(repeating: "0", count: Int.random(in: 0...3, using: &dice))
            let digits = parts.map { zeros + "\($0)" }
            let text =
                (["", "V", "v"].randomElement(using: &dice) ?? "")
                + digits.dropFirst().reduce(digits[0]) { $0 + (Bool.random(using: &dice) ? "." : "_") + $1 }
                + (["", "_x", "__2fa", ".x", "_2fa"].randomElement(using: &dice) ?? "")
                + (["", ".sql", ".up.sql"].randomElement(using: &dice) ?? "")
            let name = try #require(MigrationName(text), "\(text)")
            #expect(name.number.description == parts.map { "\($0)" }.joined(separator: "."), "\(text)")
            known.append((name, parts))
        }
        for (one, other) in zip(known, known.dropFirst()) {
            #expect(
                (one.name.number < other.name.number) == one.parts.lexicographicallyPrecedes(other.parts),
                "\(one.name) \(other.name)")
        }
        let sorted = known.map(\.name).sorted()
        #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $0.number <= $1.number })
    }

    @Test func `What a database knows survives as a text`() throws {
        var records = MigrationRecords([
            StepKey(migration: try #require(MigrationName("0001_a")), in: "$ROOT"),
            StepKey(migration: try #require(MigrationName("2\tb\\n")), in: "HRM"),
            StepKey(markingUpTo: try #require(MigrationName("V7__x"))),
            StepKey(update: "U", patch: "P", script: "8.sql"),
        ])
        records.changed = [.init(sequence: "$ROOT", name: "0001_a")]
        #expect(MigrationRecords(text: records.text) == records)
        #expect(records.done.count == 2 && records.mark == "V7__x")
        #expect(MigrationRecords(text: MigrationRecords().text) == MigrationRecords())
        for text in ["", "x", "\t2\ta\tb", "\t-1", "\t1\ta"] { #expect(MigrationRecords(text: text) == nil, "\(text)") }
    }
}
