import Glibc
import PatchFiles
import PatchModel

/// The program that runs a script: what its `#!` line names, read as the kernel reads it (execve(2)), else what its name
/// says: `/bin/sh`, or the `php` of the path (AlternC's rule).
struct Interpreter {
    /// Where programs of scripts are looked for; also their `PATH`.
    static let path = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]

    /// As much of a file as the kernel looks at.
    private static let lineLimit = 256

    /// The program, and one argument at most.
    let command: [String]

    init(of file: borrowing File, _ kind: ScriptName.Kind) throws(FileError) {
        command = Self.command(in: try file.read(limit: Self.lineLimit)) ?? [Self.usual(kind)]
    }

    private static func usual(_ kind: ScriptName.Kind) -> String {
        kind == .php ? find("php") ?? "/usr/bin/php" : "/bin/sh"
    }

    /// What a file's first bytes say: blanks and tabs around the program and its argument do not count, and all that
    /// follows the program is one argument.
    ///
    /// - Returns: nil where there is no `#!` line, or nothing in it: a shell runs it then.
    static func command(in start: [UInt8]) -> [String]? {
        guard start.starts(with: Array("#!".utf8)) else { return nil }
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let line = start.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") && $0 != 0 }
        let text = line.drop(while: isBlank)
        let program = text.prefix { !isBlank($0) }
        if program.isEmpty { return nil }
        var argument = text[program.endIndex...].drop(while: isBlank)
        while let last = argument.last, isBlank(last) { argument = argument.dropLast() }
        return [program, argument].filter { !$0.isEmpty }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// What keeps this process's user from running it; nil for nothing.
    var obstacle: String? {
        let program = command[0]
        if program.hasSuffix("\r") {
            return "its #! line ends in a carriage return, which is part of the name then; save it with Unix line ends"
        }
        guard program.hasPrefix("/") else {
            return "its #! line names \(program), which is no absolute path; write /usr/bin/env \(program)"
        }
        guard Self.isProgram(program) else {
            return "its interpreter \(program) is not there, or no program that the folder's owner may run; install it"
        }
        guard Directory.split(program).name == "env", let argument = command.dropFirst().first,
            let name = Self.program(ofEnv: argument), Self.find(name) == nil
        else { return nil }
        return "its interpreter \(name) is in none of \(Self.path.joined(separator: ":")); install it"
    }

    /// The program that env(1) looks for when it has one argument; nil where it names none.
    static func program(ofEnv argument: String) -> String? {
        // Without -S all of it is one name, blanks too.
        guard argument.hasPrefix("-") else { return argument.contains("=") ? nil : argument }
        var words = argument.split { $0 == " " || $0 == "\t" }.map(String.init)[...]
        guard let first = words.popFirst() else { return nil }
        // -S python3, -Spython3, -vS python3, --split-string=python3
        if first.hasPrefix("--split-string=") {
            words.insert(String(first.dropFirst("--split-string=".count)), at: words.startIndex)
        } else if let rest = first.drop(while: { $0 != "S" }).dropFirst() as Substring?, !first.hasPrefix("--"),
            first.contains("S")
        {
            if !rest.isEmpty { words.insert(String(rest), at: words.startIndex) }
        } else {
            return nil
        }
        while let word = words.popFirst() {
            if ["-u", "--unset", "-C", "--chdir"].contains(word) {
                words = words.dropFirst()
            } else if !word.hasPrefix("-"), !word.contains("=") {
                return word.trimmingQuotes
            }
        }
        return nil
    }

    /// A program of the path; one that is named with a slash is not looked for.
    private static func find(_ name: String) -> String? {
        if name.contains("/") { return isProgram(name) ? name : nil }
        return path.map { $0 + "/" + name }.first(where: isProgram)
    }

    /// Whether it is a plain file that this process's user may execute.
    static func isProgram(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0
    }
}

extension String {
    fileprivate var trimmingQuotes: String { filter { $0 != "'" && $0 != "\"" } }
}
