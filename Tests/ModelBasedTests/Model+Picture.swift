extension Model {
    /// Everything that is compared with the program, by name.
    func picture(_ outcome: Outcome) -> [String: String] {
        var picture = ["exit": "\(outcome.exit)", "rejected": "\(rejected)", "stray": ""]
        picture["answer"] = outcome.answer
        picture["archives"] = "\(archives.count)"
        let locks = locks
        for folder in folders {
            let name = folder.name
            picture["\(name) version"] = "\(folder.version).0"
            picture["\(name) status"] = status(of: name)
            picture["\(name) behind"] = "\(isBehind(name))"
            picture["\(name) lock"] = locks[name]
            picture["\(name) log"] = folder.log.joined(separator: ", ")
            picture["\(name) rows"] = folder.rows?.sorted().map { "\($0)" }.joined(separator: "\n")
            picture["\(name) history"] = folder.history.map {
                "\($0.job) \($0.operation) \($0.state) \($0.from).0-\($0.to).0"
            }.joined(separator: ", ")
            for (place, file) in folder.files { picture["\(name)/\(place)"] = Self.line(file) }
            for place in folder.directories { picture["\(name)/\(place)"] = "directory" }
            if folder.half != nil { continue }
            let verified = folder.verified
            picture["\(name) changed"] = verified.changed.joined(separator: " ")
            picture["\(name) missing"] = verified.missing.joined(separator: " ")
        }
        for name in applications {
            picture["\(name) application"] = locks[name] == nil ? "in \(folders[index(name)].version).0" : "out"
        }
        picture["disturbed"] = ""
        for job in jobs {
            picture["job \(job.number)"] = "\(job.state == "queued" ? "waiting" : job.state) \(job.code)"
            for (folder, state) in job.folders { picture["job \(job.number) \(folder)"] = state }
        }
        return picture
    }

    /// A file's mode and content.
    static func line(_ file: TestUpdate.File) -> String {
        "\(String(file.mode, radix: 8)) \(file.text.debugDescription)"
    }
}
