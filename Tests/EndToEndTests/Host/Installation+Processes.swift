import Foundation

extension Installation {
    /// A program that another one has started and not waited for; nil for none.
    static func child(of parent: Int32, named name: String) -> Int32? {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
        return all.first { process in
            let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
            return status.contains("\nPPid:\t\(parent)\n") && status.hasPrefix("Name:\t\(name)\n")
        }
    }
}
