import FoundationEssentials
import PatchConfig
import PatchModel
import Testing

@Suite struct ShippedConfigurationTests {
    private var directory: String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "etc").path
    }

    @Test func `what is installed into etc loads and changes nothing`() throws {
        let configuration = try ConfigurationDirectory(directory).load(units: .absent)
        #expect(configuration == Configuration(endpoints: []))
    }

    @Test func `the settings that etc shows as comments are the defaults`() throws {
        let text = try String(contentsOf: URL(filePath: directory + "/patchd.yaml"), encoding: .utf8)
        // A setting's line has no blank after its "#", or those that belong to a map.
        let lines = text.split(separator: "\n").filter {
            $0.hasPrefix("#") && !$0.hasPrefix("# ") || $0.hasPrefix("#  ")
        }
        let shown = lines.map { $0.dropFirst() }.joined(separator: "\n")
        #expect(lines.count == 17)
        #expect(try load(["patchd.yaml": shown]).daemon == DaemonSettings())
    }
}
