import ArgumentParser
import PatchJSON
import PatchModel

/// What every command has that asks the daemon.
struct RequestOptions: ParsableArguments {
    @Option(help: "How long to wait for the daemon's answer.")
    var timeout = Length(seconds: 30)

    @OptionGroup var directories: Directories

    /// - Parameter word: what the request's file is called after.
    func send(_ request: [JSONValue.Member], called word: String) throws {
        try Request(directories: directories).send(.object(request), called: word, timeout: timeout.seconds)
    }
}

extension JSONValue.Member {
    /// One of a request that is text.
    init(_ name: String, text: String) { self.init(name, .string(text)) }

    /// One of a request that is a number.
    init(_ name: String, number: Int) { self.init(name, .number("\(number)")) }
}
