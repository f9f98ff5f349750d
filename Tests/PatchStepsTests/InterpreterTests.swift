import Foundation
import PatchFiles
import PatchLedger
import PatchModel
import Testing

@testable import PatchSteps

@Suite struct `The interpreter of a script` {
    let place: Workplace

    init() throws { place = try Workplace() }

    @Test(arguments: [
        ("#!/bin/sh\n", ["/bin/sh"]), ("#! /bin/bash\n", ["/bin/bash"]), ("#!\t/bin/bash\nx", ["/bin/bash"]),
        ("#!/bin/sh -e \n", ["/bin/sh", "-e"]), ("#!/bin/sh\t -e\t\n", ["/bin/sh", "-e"]),
        ("#!/usr/bin/env -S a b  c \n", ["/usr/bin/env", "-S a b  c"]), ("#!/bin/sh", ["/bin/sh"]),
        ("#!/bin/sh\r\n", ["/bin/sh\r"]), ("#!/bin/sh\0-e\n", ["/bin/sh"]),
    ]) func `is read as the kernel reads it`(line: String, command: [String]) {
        #expect(Interpreter.command(in: Array(line.utf8)) == command)
    }

    @Test(arguments: ["echo x\n", "#!\n", "#! \t\n", "", " #!/bin/sh\n"]) func `is a shell where there is none`(
        text: String
    ) { #expect(Interpreter.command(in: Array(text.utf8)) == nil) }

    @Test(arguments: [
        ("python3", "python3"), ("-S python3 -u", "python3"), ("-Spython3", "python3"), ("-vS a", "a"),
        ("--split-string=a b", "a"), ("-S -i PATH=x a", "a"), ("-S -u NAME a", "a"), ("python3 -u", "python3 -u"),
    ]) func `that env looks for is the one that env would look for`(argument: String, program: String) {
        #expect(Interpreter.program(ofEnv: argument) == program)
    }

    @Test(arguments: ["#! /bin/bash", "#!\t/bin/sh", "#!/bin/sh -e ", "#!/usr/bin/env sh", "#!/usr/bin/env -S sh -e"])
    func `runs the script, whatever blanks are around it`(line: String) throws {
        try place.run(1, [.script("8.0.2.sh", "\(line)\necho ran > out\n")])
        #expect(try place.read("out") == "ran\n")
    }

    @Test(arguments: [
        "#!/usr/bin/env python9", "#!/usr/bin/python9", "#!/usr/bin/env -S python9 -u", "#!/usr/bin", "#!bin/sh",
        "#!/usr/bin/env sh -e",
    ]) func `that is not there is a fault of the preflight, of downgrades too`(line: String) throws {
        try place.begin(
            1,
            place.plan(
                1, [.script("8.0.2.sh", "\(line)\ntrue\n")], downgrades: [.script("8.0.2.sh", "\(line)\ntrue\n")]))
        let faults = try place.survey(1).survey?.faults ?? []
        #expect(faults.map(\.code) == [.interpreter, .interpreter])
        #expect(faults.first?.message.contains("upgrades/8.0.2.sh") == true)
    }

    @Test(arguments: [
        ("8.0.2.sh", "#!/bin/sh\necho a\r\necho b\n"), ("8.0.2.sh", "echo a\r"), ("8.0.2.sh", "\u{feff}echo a\n"),
        ("8.0.2.php", "\u{feff}<?php\n"),
    ]) func `would get another text than the vendor meant: a fault of the preflight`(name: String, text: String) throws
    {
        try place.begin(1, place.plan(1, [.script(name, text)]))
        let faults = try place.survey(1).survey?.faults.filter { $0.code != .interpreter } ?? []
        #expect(faults.map(\.code) == [.script])
        #expect(faults.first?.message.contains("upgrades/\(name)") == true)
    }

    @Test func `may find carriage returns in what a script brings along, and within a line`() throws {
        try place.begin(
            1, place.plan(1, [.script("8.0.2.sh", "printf 'a\rb' > out; exit 0\n\0binary\r\nbinary\r\n")]))
        #expect(try place.survey(1).codes == [])
    }
}
