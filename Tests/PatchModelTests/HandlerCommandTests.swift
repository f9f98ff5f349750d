import PatchModel
import Testing

@Suite struct `A handler's command line` {
    @Test(arguments: [
        ("/bin/x {file}", ["/bin/x", "F"]), ("  /bin/x\t-v   {file} ", ["/bin/x", "-v", "F"]),
        ("/bin/x --in={file} {file}", ["/bin/x", "--in=F", "F"]), ("/bin/x '{file}'", ["/bin/x", "F"]),
        ("'/opt/my app/x' \"a  b\" {file}", ["/opt/my app/x", "a  b", "F"]),
        ("/bin/x '' a'b \"c'd {file}", ["/bin/x", "", "ab \"cd", "F"]),
        ("/bin/x $HOME * \\ {file}", ["/bin/x", "$HOME", "*", "\\", "F"]),
        ("/bin/x {file} {files} {file", ["/bin/x", "F", "{files}", "{file"]),
    ]) func `is cut at blanks, with quotes and nothing else`(_ line: String, _ arguments: [String]) throws {
        let command = try HandlerCommand(line)
        #expect(command.arguments(file: "F") == arguments)
        #expect(command.program == arguments[0])
    }

    @Test(arguments: ["a b", "a'b\"c", "$(touch x)", "{file}", "a\nb", "-rf", "ü\u{301}", "%s;|&"])
    func `gives a file of any name as one argument`(_ name: String) throws {
        let file = "/srv/x/" + name
        #expect(try HandlerCommand("/bin/x {file} -o '{file}'").arguments(file: file) == ["/bin/x", file, "-o", file])
    }

    @Test(arguments: [
        ("", "is empty"), (" ", "is empty"), ("x {file}", "absolute path"), ("''  {file}", "absolute path"),
        ("/bin/x", "did you mean \"/bin/x {file}\""), ("/bin/{file}", "one of its arguments"),
        ("/bin/x '{file}", "without its second one"), ("/bin/x \"{file}'", "without its second one"),
        ("/bin/x { file }", "has no \"{file}\""),
    ]) func `that cannot be run is told why`(_ line: String, _ why: String) {
        let error = #expect(throws: HandlerCommand.Malformed.self) { try HandlerCommand(line) }
        #expect(error?.message.contains(why) == true, "\(error?.message ?? "")")
    }
}
