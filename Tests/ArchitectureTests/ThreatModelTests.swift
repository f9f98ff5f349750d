import Foundation
import Testing

@Suite struct `The threat model` {
    /// Each link to a file of tests has the name of a test in that file, so that the page names real ones only.
    @Test func `names tests that there are`() throws {
        let docs = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../docs").standardizedFileURL
        let page = try String(contentsOf: docs.appendingPathComponent("threat-model.md"), encoding: .utf8)
        let links = page.matches(of: /\[([^\]]+)\]\((\.\.\/Tests\/[^)]+)\)/)
        #expect(links.count > 30)
        for link in links {
            let file = docs.appendingPathComponent(String(link.output.2)).standardizedFileURL
            let text = try String(contentsOf: file, encoding: .utf8)
            let name = link.output.1
            #expect(text.contains("func `\(name)`") || text.contains("@Test(\"\(name)\""), "\(file.path): \(name)")
        }
    }

    /// A row ends with a test, or says that it has none.
    @Test func `has a test or says so in every row`() throws {
        let page = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../docs/threat-model.md")
            .standardizedFileURL
        let attackers = try String(contentsOf: page, encoding: .utf8).components(
            separatedBy: "## What cannot be closed")[0]
        let rows = attackers.split(separator: "\n").filter { $0.hasPrefix("| ") && !$0.hasPrefix("| tries") }
        #expect(rows.count > 30)
        for row in rows { #expect(row.hasSuffix(".swift) |") || row.hasSuffix("| no test |"), "\(row)") }
    }
}
