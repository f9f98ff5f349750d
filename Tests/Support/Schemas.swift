import Foundation

/// `share/schemas`, held against texts by the validator of Debian's python3-jsonschema.
public enum Schemas {
    /// A text, and the name of the schema that it is held against.
    public typealias Document = (schema: String, text: String)

    /// Why the validator did not work.
    public struct Failure: Error, CustomStringConvertible {
        /// For people.
        public var description: String
    }

    /// The directory of the schemas.
    public static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../share/schemas").standardizedFileURL

    private static let program = """
        import json, sys
        from jsonschema import Draft202012Validator
        validators = {}
        for line in sys.stdin:
            name, text = json.loads(line)
            if name not in validators:
                schema = json.load(open(f"{sys.argv[1]}/{name}.schema.json"))
                Draft202012Validator.check_schema(schema)
                validators[name] = Draft202012Validator(schema)
            try:
                errors = [f"{e.json_path}: {e.message}" for e in validators[name].iter_errors(json.loads(text))]
            except ValueError as error:
                errors = [str(error)]
            print(json.dumps("; ".join(errors)[:500]))
        """

    /// What is wrong with each of the texts; empty where it is valid.
    public static func problems(in documents: [Document]) throws -> [String] {
        let lines = try documents.map { try JSONEncoder().encode([$0.schema, $0.text]) }
        let input = FileManager.default.temporaryDirectory.appendingPathComponent(
            "patchd-schemas-\(UInt64.random(in: .min ... .max))")
        defer { try? FileManager.default.removeItem(at: input) }
        try Data(lines.joined(separator: [0x0a])).write(to: input)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", program, directory.path]
        let (output, errors) = (Pipe(), Pipe())
        process.standardInput = try FileHandle(forReadingFrom: input)
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let answers = try output.fileHandleForReading.readToEnd() ?? Data()
        let said = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let problems = try answers.split(separator: 0x0a).map {
            try JSONDecoder().decode(String.self, from: $0)
        }
        guard problems.count == documents.count else {
            throw Failure(description: "the validator failed: \(String(decoding: said, as: UTF8.self))")
        }
        return problems
    }

    /// The texts that a schema takes and the code does not.
    public static func taken(_ documents: [Document]) throws -> [String] {
        zip(documents, try problems(in: documents)).filter { $1.isEmpty }.map(\.0.text)
    }
}
