import Foundation
import Support
import Testing

/// The seeds, and every case that fuzzing found: files under version control, fed to the same entry functions.
private enum KeptCases {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    static func of(_ target: FuzzTarget, in kinds: [String]) throws -> [(name: String, bytes: [UInt8])] {
        try kinds.flatMap { kind in
            let directory = root.appendingPathComponent("\(kind)/\(target.rawValue)")
            guard FileManager.default.fileExists(atPath: directory.path) else {
                return [(name: String, bytes: [UInt8])]()
            }
            return try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil).map {
                ("\(kind)/\(target.rawValue)/\($0.lastPathComponent)", Array(try Data(contentsOf: $0)))
            }
        }
    }
}

@Suite struct `A reader of what others wrote` {
    @Test(arguments: FuzzTarget.allCases) func `survives its seeds, and every case that was ever found`(
        target: FuzzTarget
    ) throws {
        #expect(try !KeptCases.of(target, in: ["Seeds"]).isEmpty, "scripts/fuzz begins with Tests/Fuzzing/Seeds")
        for (name, bytes) in try KeptCases.of(target, in: ["Seeds", "Found"]) {
            #expect(throws: Never.self, "\(name)") { try target.run(bytes) }
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `survives seeds of which some bytes are others, or missing, or there twice`(
        target: FuzzTarget
    ) throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["PATCHD_TEST_SEED"].flatMap(UInt64.init) ?? .random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        for (name, bytes) in try KeptCases.of(target, in: ["Seeds"]) {
            for number in 1...60 {
                let mutant = random.mutant(of: bytes)
                #expect(throws: Never.self, "\(name), mutant \(number) of PATCHD_TEST_SEED=\(seed)") {
                    try target.run(mutant)
                }
            }
        }
    }

    @Test func `has seeds under a name that scripts/fuzz knows`() throws {
        for kind in ["Seeds", "Found"] {
            let directory = KeptCases.root.appendingPathComponent(kind)
            guard FileManager.default.fileExists(atPath: directory.path) else { continue }
            for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) where !name.hasPrefix(".") {
                #expect(FuzzTarget(rawValue: name) != nil, "Tests/Fuzzing/\(kind)/\(name) is no target's")
            }
        }
    }
}

extension SeededGenerator {
    /// Some bytes changed, taken out or there twice.
    fileprivate mutating func mutant(of bytes: [UInt8]) -> [UInt8] {
        var mutant = bytes
        for _ in 0..<Int.random(in: 1...4, using: &self) where !mutant.isEmpty {
            let start = Int.random(in: 0..<mutant.count, using: &self)
            let end = min(mutant.count, start + Int.random(in: 1...16, using: &self))
            switch Int.random(in: 0..<4, using: &self) {
            case 0: mutant[start] = UInt8.random(in: .min ... .max, using: &self)
            case 1: mutant.removeSubrange(start..<end)
            case 2: mutant.insert(contentsOf: mutant[start..<end], at: end)
            default: mutant[start] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            }
        }
        return mutant
    }
}
