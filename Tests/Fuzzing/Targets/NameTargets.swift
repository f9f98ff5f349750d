import PatchModel

/// Three versions, a line each: their order is one.
enum VersionTarget {
    static func run(_ bytes: [UInt8]) throws {
        let versions = bytes.lines.prefix(3).compactMap { Version($0.text) }
        for one in versions {
            try hold(Version(one.description) == one, "\(one) is not read again as it was written")
            for other in versions {
                let signs = [one < other, one == other, other < one]
                try hold(signs.count { $0 } == 1, "\(one) and \(other) are \(signs)")
                if one == other {
                    try hold(one.hashValue == other.hashValue, "\(one) and \(other) differ in their hash")
                }
                for third in versions where one < other && other < third {
                    try hold(one < third, "\(one) < \(other) < \(third), and not \(one) < \(third)")
                }
            }
        }
    }
}

/// Names and other short texts: the first line is a glob, the second what it is held against, all of it each of the others.
enum NamesTarget {
    static func run(_ bytes: [UInt8]) throws {
        let lines = bytes.lines
        let glob = Glob(String(lines[0].text.prefix(Glob.longest)))
        let name = (lines.count > 1 ? lines[1] : []).text
        _ = (glob.matches(name), glob.matches(path: name), glob.isPattern)
        if !glob.isPattern { try hold(glob.matches(glob.description), "\(glob) does not match itself") }
        let text = bytes.text
        _ = (EntryName.problem(in: bytes), EntryName.reservedProblem(inFolder: text))
        _ = (ScriptName(text), MigrationName(text), Hold.Target(fileName: text), UpdateName(text))
        _ = (try? HandlerCommand(text), try? UpdateWindow(text))
        _ = Suggestion.hint(for: text, in: ["endpoint", "folders"])
        if let time = Timestamp(text) {
            try hold(Timestamp(time.description) == time, "\(time) is read as another time")
        }
        if let database = try? DatabaseReference(text) {
            _ = try? DatabaseReference(database.description)
        }
        if let numbers = NumberRanges.numbers(text), numbers.count < 10_000 {
            let again = NumberRanges.numbers(NumberRanges.text(numbers)) ?? []
            try hold(Set(again) == Set(numbers), "numbers are not read again as they were written")
        }
        let fields = FieldLine.fields(lines[0][...])
        try hold(FieldLine.fields(FieldLine.line(fields).dropLast()[...]) == fields, "fields are read as others")
        for shown in [Printable.line(text), Printable.cell(text)] {
            try hold(
                !shown.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" && $0 != "\t" },
                "it is shown with controls")
        }
    }
}
